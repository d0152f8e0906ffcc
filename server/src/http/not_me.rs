//! The page behind the link "this wasn't me" of a mail. GET and HEAD change nothing, since mail scanners load
//! every link (S11).

use std::sync::Arc;

use app::{
    error::ApiError,
    pages::{self, NotMePage},
    wire::NotMeView,
};
use axum::{
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};

use super::{Context, caller, pages::Page, problem::Problem};

/// `GET /not-me/{link}`: the question, or what came of the answer. A link that names nothing, because it was
/// altered or its verification is deleted, is answered by one and the same page.
pub(super) async fn page(
    State(context): State<Arc<Context>>,
    caller::From(caller): caller::From,
    Path(link): Path<String>,
) -> Result<Page, Problem> {
    let view = context.web.port.not_me(&link).await?;
    lay_out(&context, &caller.locale, view)
}

/// `POST /not-me/{link}`: ends the verification, once, and redirects to the page that says so.
pub(super) async fn submit(
    State(context): State<Arc<Context>>,
    caller::From(caller): caller::From,
    Path(link): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    if !body.is_empty() {
        return Err(ApiError::BadRequest.into());
    }
    if context.web.port.disown(&link).await? {
        // A link of ours is base64url, so it can stand in a `Location` as it is.
        return Ok(Redirect::to(&format!("/not-me/{link}")).into_response());
    }
    lay_out(&context, &caller.locale, None).map(Page::into_response)
}

fn lay_out(context: &Context, locale: &str, view: Option<NotMeView>) -> Result<Page, Problem> {
    let status = if view.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    Page::lay_out(context, locale, status, |frame| pages::not_me(NotMePage { frame, view }))
}
