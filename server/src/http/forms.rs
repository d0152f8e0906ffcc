//! The journey without script: plain forms, each answered by a redirect to the page that shows what
//! came of it, so that reloading and going back never send anything again.
//!
//! The one exception is the answer with a proof, which stands in no page that can be looked at (S31).
//! Sending that form again gives the same answer and changes nothing. Refusals that repeat what was typed, on
//! the start page and on the page of a work, are no redirects either.

use std::sync::Arc;

use app::{
    error::ApiError,
    flash::Flash,
    pages::StartForm,
    wire::{Channel, CheckAnswer, Place},
};
use axum::{
    body::Bytes,
    extract::{Form, FromRequest, FromRequestParts, Request, State},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use serde::{Deserialize, de::DeserializeOwned};

use super::{Context, pages, problem::Problem, visit::Visit};

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

/// Id of a verification, which can stand in a `Location` as it is. Ids are base64url; any other text is
/// answered like an unknown id.
pub(super) struct Id(String);

impl FromRequestParts<Arc<Context>> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Context>) -> Result<Self, Problem> {
        let id = super::id_in_path(parts).await.ok_or(ApiError::NotFound)?;
        let is_ours = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if id.bytes().all(is_ours) { Ok(Self(id)) } else { Err(ApiError::NotFound.into()) }
    }
}

/// `POST /` and `POST /embed`: begins a verification. A refusal shows the form again with what was
/// typed.
pub(super) async fn start(
    State(context): State<Arc<Context>>,
    mut visit: Visit,
    Fields(form): Fields<StartForm>,
) -> Result<Response, Problem> {
    visit.caller.work.clone_from(&form.work);
    let request = form.clone().into();
    match context.web.port.start(&visit.caller, request).await {
        Ok(view) => Ok(visit.to_page(&view.id, None).into_response()),
        Err(ApiError::WorkNeeded(work)) => {
            let fields = form.typed();
            let (action, back) = (visit.start(), visit.start());
            pages::work_page(&context, &visit, work, pages::Refused { action, fields, back })
        }
        Err(error) => pages::start_page(&context, &visit, form, Some(error)),
    }
}

/// The form in which a code is typed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckForm {
    #[serde(default)]
    code: String,
    /// The claim of the page.
    #[serde(default)]
    claim: String,
}

/// `POST .../{id}/check`: checks one guess. The answer to the check that is approved, and to those that
/// repeat its claim, holds the proof.
pub(super) async fn check(
    State(context): State<Arc<Context>>,
    visit: Visit,
    Id(id): Id,
    Fields(form): Fields<CheckForm>,
) -> Result<Response, Problem> {
    match context.web.port.check(&visit.caller, &id, &form.code, &form.claim).await {
        Ok(CheckAnswer { page: Some(page), .. }) => {
            pages::verification_page(&context, &visit, Some(page), None)
        }
        Ok(answer) => Ok(visit.to_page(&id, Flash::of_check(answer.outcome)).into_response()),
        Err(error) => refused(&visit, &id, error).map(Redirect::into_response),
    }
}

/// `GET .../{id}/check`: the page, for whoever opens the address of an answer.
pub(super) async fn checked(visit: Visit, Id(id): Id) -> Redirect {
    visit.to_page(&id, None)
}

/// The form that asks for another code.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResendForm {
    #[serde(default)]
    channel: Option<Channel>,
    /// Answer to a demand of work.
    #[serde(default)]
    work: String,
}

/// `POST .../{id}/resend`: sends another code.
pub(super) async fn resend(
    State(context): State<Arc<Context>>,
    mut visit: Visit,
    Id(id): Id,
    Fields(ResendForm { channel, work }): Fields<ResendForm>,
) -> Result<Response, Problem> {
    visit.caller.work = work;
    match context.web.port.resend(&visit.caller, &id, channel).await {
        Ok(_) => Ok(visit.to_page(&id, None).into_response()),
        Err(ApiError::WorkNeeded(work)) => {
            let channel = channel.map(|channel| ("channel", channel.as_str().to_owned()));
            let refused = pages::Refused {
                action: visit.page(&id, "/resend", None),
                fields: channel.into_iter().collect(),
                back: visit.page(&id, "", None),
            };
            pages::work_page(&context, &visit, work, refused)
        }
        Err(error) => refused(&visit, &id, error).map(Redirect::into_response),
    }
}

/// `POST .../{id}/cancel`: cancels the verification and goes back to where it came from.
pub(super) async fn cancel(
    State(context): State<Arc<Context>>,
    visit: Visit,
    Id(id): Id,
    body: Bytes,
) -> Result<Redirect, Problem> {
    if !body.is_empty() {
        return Err(ApiError::BadRequest.into());
    }
    match context.web.port.cancel(&visit.caller, &id).await {
        // A verification that is over needs no canceling; the person wants to leave in any case.
        Ok(()) | Err(ApiError::NotFound | ApiError::AlreadyFinished) => {
            let page = context.web.port.page(&visit.caller, &id).await?;
            let leads_back = page.is_some_and(|page| matches!(page.place, Place::Visited(_)));
            let has_start = visit.frame.is_some() || context.web.has_start_page;
            let stays = leads_back || !has_start;
            Ok(if stays { visit.to_page(&id, None) } else { visit.to_start() })
        }
        Err(error) => refused(&visit, &id, error),
    }
}

/// The page again, with the reason. A fault on our side says with its status what it is: load
/// balancers and monitors do not read pages (S26).
fn refused(visit: &Visit, id: &str, error: ApiError) -> Result<Redirect, Problem> {
    if error.status() >= 500 {
        Err(error.into())
    } else {
        Ok(visit.to_page(id, Some(error.into())))
    }
}
