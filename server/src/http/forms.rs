//! The journey without script: plain forms, each answered by a redirect to the page that shows
//! what came of it, so that reloading and going back never send anything again.

use std::sync::Arc;

use app::{error::ApiError, notice::Notice, pages::StartForm, wire::Channel};
use axum::{
    body::Bytes,
    extract::{Form, FromRequest, Path, Request, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::{Deserialize, de::DeserializeOwned};

use super::{Context, caller, pages, problem::Problem};

/// The body of a form, of which every field must be known (S19).
pub(super) struct Fields<T>(T);

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
    Fields(form): Fields<CheckForm>,
) -> Result<Redirect, Problem> {
    let id = Id::parse(id)?;
    match context.web.port.check(&caller, id.as_str(), &form.code).await {
        Ok(answer) => Ok(id.page(Notice::of_check(answer.outcome, &form.code))),
        Err(error) => id.refused(error),
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
    Fields(form): Fields<ResendForm>,
) -> Result<Redirect, Problem> {
    let id = Id::parse(id)?;
    match context.web.port.resend(&caller, id.as_str(), form.channel).await {
        Ok(_) => Ok(id.page(None)),
        Err(error) => id.refused(error),
    }
}

/// `POST /v/{id}/cancel`: calls the verification off and goes back to the start.
pub(super) async fn cancel(
    State(context): State<Arc<Context>>,
    caller::From(caller): caller::From,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Redirect, Problem> {
    let id = Id::parse(id)?;
    if !body.is_empty() {
        return Err(ApiError::BadRequest.into());
    }
    match context.web.port.cancel(&caller, id.as_str()).await {
        // What is over needs no calling off; the person wants another recipient in any case.
        Ok(()) | Err(ApiError::NotFound | ApiError::AlreadyFinished) => Ok(Redirect::to("/")),
        Err(error) => id.refused(error),
    }
}

/// An id that can stand in a `Location` as it is.
struct Id(String);

impl Id {
    /// Ids are base64url. Anything else was never ours, and is answered like what never was.
    fn parse(text: String) -> Result<Self, Problem> {
        let base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if text.bytes().all(base64url) { Ok(Self(text)) } else { Err(ApiError::NotFound.into()) }
    }

    fn as_str(&self) -> &str {
        &self.0
    }

    /// The page again, with the reason. A fault on our side is no answer to what was asked, and says
    /// with its status what it is: load balancers and monitors do not read pages (S26).
    fn refused(&self, error: ApiError) -> Result<Redirect, Problem> {
        if error.status() >= 500 { Err(error.into()) } else { Ok(self.page(Some(error.into()))) }
    }

    fn page(&self, notice: Option<Notice>) -> Redirect {
        match notice {
            Some(notice) => Redirect::to(&format!("/v/{}?e={notice}", self.0)),
            None => Redirect::to(&format!("/v/{}", self.0)),
        }
    }
}
