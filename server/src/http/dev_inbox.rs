//! The development inbox: what would have been sent, for people and for tests.

use std::sync::Arc;

use app::{
    pages::{self, InboxPage},
    wire::InboxMessage,
};
use axum::{Json, extract::State, http::StatusCode};

use super::{Context, caller, pages::Page, problem::Problem};

/// `GET /dev/inbox`.
pub(super) async fn page(
    State(context): State<Arc<Context>>,
    caller::From(caller): caller::From,
) -> Result<Page, Problem> {
    let messages = messages(&context)?;
    Page::lay_out(&context, &caller.locale, StatusCode::OK, |frame| {
        pages::inbox(InboxPage { frame, messages, now: (context.web.now)() })
    })
}

/// `GET /dev/inbox.json`.
pub(super) async fn json(
    State(context): State<Arc<Context>>,
) -> Result<Json<Vec<InboxMessage>>, Problem> {
    messages(&context).map(Json)
}

fn messages(context: &Context) -> Result<Vec<InboxMessage>, Problem> {
    let messages = context.web.inbox.as_ref().ok_or(Problem::bare(StatusCode::NOT_FOUND))?;
    Ok(messages())
}
