//! The development inbox: what would have been sent, for people and for tests.

use std::sync::Arc;

use app::{
    pages::{self, Frame, InboxPage},
    wire::InboxMessage,
};
use axum::{Json, extract::State, http::StatusCode};

use super::{Context, caller, pages::Page, problem::Problem};

/// Where the messages come from. HTTP knows no provider, so it is handed what it needs of one.
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
    let texts = context.web.catalogue.texts(&caller.locale);
    Page::lay_out(StatusCode::OK, |nonce| {
        let frame = Frame { texts: &texts, assets: &context.web.assets, nonce };
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
