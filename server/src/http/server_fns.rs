//! The island's server functions.
//!
//! Their arguments are lists with a fixed number of items, so nothing unknown can come along (S19).

use std::sync::Arc;

use app::server_fns;
use axum::{
    extract::{Request, State},
    response::Response,
};

use super::{Context, caller};

/// `POST /ui/...`: calls a server function with the port and who is asking.
pub(super) async fn call(
    State(context): State<Arc<Context>>,
    caller::From(caller): caller::From,
    request: Request,
) -> Response {
    server_fns::handle(request, context.web.port.clone(), caller).await
}
