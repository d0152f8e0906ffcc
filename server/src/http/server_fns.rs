//! Server functions of the island, under `/ui`.
//!
//! Their arguments are lists with a fixed number of items, so unknown fields cannot exist (S19).

use std::sync::Arc;

use app::{error::ApiError, port::Door};
use axum::{
    extract::{Request, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use leptos::prelude::provide_context;

use super::{Context, api::json, caller, problem::Problem};

/// Paths of the server functions, all of them POST.
pub(super) fn paths() -> impl Iterator<Item = &'static str> {
    leptos::server_fn::axum::server_fn_paths().map(|(path, _)| path)
}

/// `POST /ui/...`: calls a server function with the port and the caller as its context.
pub(super) async fn call(
    State(context): State<Arc<Context>>,
    caller::From(mut caller): caller::From,
    mut request: Request,
) -> Result<Response, Problem> {
    // A form of another site cannot send JSON.
    if !json::is_json(request.headers()) {
        return Err(ApiError::BadRequest.into());
    }
    // Clients that accept HTML would be redirected to their `Referer`, with the error in the URL.
    request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    caller.door = Door::Island;
    let port = context.web.port.clone();
    let provide = move || {
        provide_context(port.clone());
        provide_context(caller.clone());
    };
    let response = leptos_axum::handle_server_fns_with_context(provide, request).await;
    Ok(response.into_response())
}
