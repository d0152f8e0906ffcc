//! Reads the bodies of state changes before anything else happens, within bounds (S19).
//!
//! Nothing that people or the island send comes near the limit. Reading ahead means that no
//! handler waits for a slow client while it holds something, and that none can forget the limit.

use std::time::Duration;

use axum::{
    body::{Body, HttpBody, to_bytes},
    extract::Request,
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body_util::LengthLimitError;

use super::problem::Problem;

/// Longest body in bytes.
const LIMIT: usize = 16 * 1024;

/// Longest time for a body to arrive: 16 KiB take a second over the slowest telephone line.
const PATIENCE: Duration = Duration::from_secs(5);

/// Middleware: hands on a body that is whole, or refuses the request.
pub(super) async fn read_ahead(request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    // A body that says how long it is need not be read to be refused.
    if body.size_hint().lower() > LIMIT as u64 {
        return Problem::bare(StatusCode::PAYLOAD_TOO_LARGE).into_response();
    }
    match tokio::time::timeout(PATIENCE, to_bytes(body, LIMIT)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Ok(Err(error)) if is_too_long(&error) => {
            Problem::bare(StatusCode::PAYLOAD_TOO_LARGE).into_response()
        }
        Ok(Err(_)) => Problem::bare(StatusCode::BAD_REQUEST).into_response(),
        Err(_) => Problem::bare(StatusCode::REQUEST_TIMEOUT).into_response(),
    }
}

fn is_too_long(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<LengthLimitError>)
}
