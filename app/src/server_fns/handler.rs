//! The server's side of a call: who asks, what stands behind it, and with which status a refusal
//! goes out.

use std::sync::{Arc, OnceLock};

use axum::{
    body::Body,
    http::{HeaderValue, Request, Response, StatusCode, header},
};
use leptos::{
    prelude::{Owner, provide_context, use_context},
    reactive::computed::ScopedFuture,
};

use crate::{
    error::ApiError,
    flash::Flash,
    port::{Caller, Port},
    server_fns::json,
    wire_codec::Pack,
};

/// What a server function finds in its context.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) port: Arc<dyn Port>,
    pub(super) caller: Caller,
    refused: Arc<OnceLock<ApiError>>,
}

impl Door {
    pub(super) fn open() -> Result<Self, Flash> {
        use_context().ok_or(Flash::Internal)
    }

    /// Notes why, for the status, and says what the card is to show.
    pub(super) fn refuse(&self, error: ApiError) -> Flash {
        self.refused.get_or_init(|| error);
        error.into()
    }
}

/// The routes of the server functions, all of them POST.
pub fn paths() -> impl Iterator<Item = &'static str> {
    server_fn::axum::server_fn_paths().map(|(path, _)| path)
}

/// Answers one call of a server function.
///
/// A refusal goes out with the status and `Retry-After` of its [`ApiError`] and its
/// [`Flash`] as JSON; a body that is not declared to be JSON is refused before it is read.
pub async fn handle(
    mut request: Request<Body>,
    port: Arc<dyn Port>,
    caller: Caller,
) -> Response<Body> {
    let (path, method) = (request.uri().path(), request.method().clone());
    let Some(mut function) = server_fn::axum::get_server_fn_service(path, method) else {
        return refusal(ApiError::NotFound);
    };
    if !is_json(&request) {
        return refusal(ApiError::BadRequest);
    }
    // Callers that accept HTML would be redirected, with the refusal spelled out in the URL.
    request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("application/json"));

    let refused = Arc::new(OnceLock::new());
    let owner = Owner::new();
    let running = owner.with(|| {
        provide_context(Door { port, caller, refused: refused.clone() });
        ScopedFuture::new(function.run(request))
    });
    let response = running.await;
    if response.status().is_success() {
        return response;
    }
    // A fault that no function has noted is one of reading its arguments.
    refusal(refused.get().copied().unwrap_or(ApiError::BadRequest))
}

fn is_json(request: &Request<Body>) -> bool {
    request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

fn refusal(error: ApiError) -> Response<Body> {
    let body = json::write(&Flash::from(error).packed()).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() =
        StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(seconds) = error.retry_after() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
