//! The development inbox: what would have been sent, for people and for tests.

use std::sync::Arc;

use app::{
    pages::{self, InboxPage},
    wire::InboxMessage,
};
use axum::{Json, extract::State, http::StatusCode};

use super::{Context, caller, pages::Page, problem::Problem};

/// Source of the messages. HTTP knows no provider, so it is handed what it needs of one.
pub struct DevInbox {
    /// The messages that have been caught.
    pub messages: Box<dyn Fn() -> Vec<InboxMessage> + Send + Sync>,
}

/// `GET /dev/inbox`.
pub(super) async fn page(
    State(context): State<Arc<Context>>,
    caller::From(caller): caller::From,
) -> Result<Page, Problem> {
    let inbox = open(&context)?;
    Page::lay_out(&context, &caller.locale, StatusCode::OK, |frame| {
        pages::inbox(InboxPage { frame, messages: (inbox.messages)(), now: (context.web.now)() })
    })
}

/// `GET /dev/inbox.json`.
pub(super) async fn json(
    State(context): State<Arc<Context>>,
) -> Result<Json<Vec<InboxMessage>>, Problem> {
    Ok(Json((open(&context)?.messages)()))
}

fn open(context: &Context) -> Result<&DevInbox, Problem> {
    context.web.inbox.as_ref().ok_or(Problem::bare(StatusCode::NOT_FOUND))
}
