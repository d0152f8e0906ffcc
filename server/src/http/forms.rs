//! The journey without script: plain forms, each answered by a redirect to the page that shows
//! what came of it, so that reloading and going back never send anything again.

use std::sync::Arc;

use app::{
    error::ApiError,
    flash::Flash,
    pages::StartForm,
    port::Caller,
    wire::{Channel, Place},
};
use axum::{
    body::Bytes,
    extract::{Form, FromRequest, Path, Request, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::{Deserialize, de::DeserializeOwned};

use super::{Context, caller, pages, problem::Problem};

/// The body of a form, of which every field must be known (S19).
pub(super) struct Fields<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<Context>> for Fields<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, context: &Arc<Context>) -> Result<Self, Problem> {
        let Form(fields) = Form::from_request(request, context).await.map_err(|rejection| {
            // Its text quotes what was sent.
            match rejection.into_response().status() {
                StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                    Problem::bare(StatusCode::UNSUPPORTED_MEDIA_TYPE)
                }
                _ => Problem::from(ApiError::BadRequest),
            }
        })?;
        Ok(Self(fields))
    }
}

/// `POST /`: begins a verification. A refusal shows the form again with what was typed.
pub(super) async fn start(
    State(context): State<Arc<Context>>,
    caller::From(caller): caller::From,
    Fields(form): Fields<StartForm>,
) -> Result<Response, Problem> {
    match context.web.port.start(&caller, None, form.clone().into()).await {
        Ok(view) => Ok(Redirect::to(&format!("/v/{}", view.id)).into_response()),
        Err(error) => pages::start_page(&context, &caller.locale, form, Some(error)),
    }
}

/// The form in which a code is typed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckForm {
    #[serde(default)]
    code: String,
}

/// `POST /v/{id}/check`: checks one guess.
pub(super) async fn check(
    State(context): State<Arc<Context>>,
    caller::From(caller): caller::From,
    Path(id): Path<String>,
    form: Fields<CheckForm>,
) -> Result<Redirect, Problem> {
    check_at(&context, &caller, &Address::of_its_own(id)?, form).await
}

/// Checks one guess, wherever the verification is shown.
pub(super) async fn check_at(
    context: &Context,
    caller: &Caller,
    address: &Address,
    Fields(form): Fields<CheckForm>,
) -> Result<Redirect, Problem> {
    match context.web.port.check(caller, &address.id, &form.code).await {
        Ok(answer) => Ok(address.to_page(Flash::of_check(answer.outcome))),
        Err(error) => address.refused(error),
    }
}

/// The form that asks for another code.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResendForm {
    #[serde(default)]
    channel: Option<Channel>,
}

/// `POST /v/{id}/resend`: sends another code.
pub(super) async fn resend(
    State(context): State<Arc<Context>>,
    caller::From(caller): caller::From,
    Path(id): Path<String>,
    form: Fields<ResendForm>,
) -> Result<Redirect, Problem> {
    resend_at(&context, &caller, &Address::of_its_own(id)?, form).await
}

/// Sends another code, wherever the verification is shown.
pub(super) async fn resend_at(
    context: &Context,
    caller: &Caller,
    address: &Address,
    Fields(form): Fields<ResendForm>,
) -> Result<Redirect, Problem> {
    match context.web.port.resend(caller, &address.id, form.channel).await {
        Ok(_) => Ok(address.to_page(None)),
        Err(error) => address.refused(error),
    }
}

/// `POST /v/{id}/cancel`: calls the verification off and goes back to where it came from.
pub(super) async fn cancel(
    State(context): State<Arc<Context>>,
    caller::From(caller): caller::From,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Redirect, Problem> {
    cancel_at(&context, &caller, &Address::of_its_own(id)?, &body).await
}

/// Calls the verification off, wherever it is shown.
pub(super) async fn cancel_at(
    context: &Context,
    caller: &Caller,
    address: &Address,
    body: &Bytes,
) -> Result<Redirect, Problem> {
    if !body.is_empty() {
        return Err(ApiError::BadRequest.into());
    }
    match context.web.port.cancel(caller, &address.id).await {
        // What is over needs no calling off; the person wants to leave in any case.
        Ok(()) | Err(ApiError::NotFound | ApiError::AlreadyFinished) => {
            let page = context.web.port.page(&address.id).await?;
            match page.map(|page| page.place) {
                Some(Place::Visited(_)) => Ok(address.to_page(None)),
                _ => Ok(Redirect::to(&address.start())),
            }
        }
        Err(error) => address.refused(error),
    }
}

/// Where the pages of one verification are. All of it can stand in a `Location` as it is.
pub(super) struct Address {
    id: String,
    /// The query of the frame that they are shown in, if they are.
    frame: Option<String>,
}

impl Address {
    fn of_its_own(id: String) -> Result<Self, Problem> {
        Self::parse(id, None)
    }

    /// In a frame, whose query came as one and goes on as it is.
    pub(super) fn in_frame(id: String, query: String) -> Result<Self, Problem> {
        Self::parse(id, Some(query))
    }

    /// Ids are base64url. Anything else was never ours, and is answered like what never was.
    fn parse(id: String, frame: Option<String>) -> Result<Self, Problem> {
        let base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if id.bytes().all(base64url) {
            Ok(Self { id, frame })
        } else {
            Err(ApiError::NotFound.into())
        }
    }

    fn start(&self) -> String {
        match &self.frame {
            Some(query) => format!("/embed?{query}"),
            None => "/".to_owned(),
        }
    }

    /// The verification's page, with what there is to tell.
    pub(super) fn page(&self, flash: Option<Flash>) -> String {
        let id = &self.id;
        match (&self.frame, flash) {
            (None, None) => format!("/v/{id}"),
            (None, Some(flash)) => format!("/v/{id}?e={flash}"),
            (Some(query), None) => format!("/embed/v/{id}?{query}"),
            (Some(query), Some(flash)) => format!("/embed/v/{id}?{query}&e={flash}"),
        }
    }

    fn to_page(&self, flash: Option<Flash>) -> Redirect {
        Redirect::to(&self.page(flash))
    }

    /// The page again, with the reason. A fault on our side is no answer to what was asked, and says
    /// with its status what it is: load balancers and monitors do not read pages (S26).
    fn refused(&self, error: ApiError) -> Result<Redirect, Problem> {
        if error.status() >= 500 { Err(error.into()) } else { Ok(self.to_page(Some(error.into()))) }
    }
}
