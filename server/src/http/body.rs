//! Bodies of state changes, read within bounds before any handler runs (S19).
//!
//! Nothing that people or the island send comes near the limit. Reading ahead means that no handler
//! waits for a slow client while it holds a resource, and that none can forget the limit.

use std::{pin::pin, task::Poll, time::Duration};

use axum::{
    body::{Body, HttpBody, to_bytes},
    extract::Request,
    http::{HeaderMap, StatusCode, header},
};
use futures_util::poll;
use http_body_util::LengthLimitError;
use tokio::time::timeout;

use super::{problem::Problem, receipts};

/// Longest body in bytes.
const LIMIT: usize = 16 * 1024;

/// Longest receipt: a bounce returns the whole mail.
const LONGEST_RECEIPT: usize = 64 * 1024;

/// Longest time for a body to arrive; 16 KiB take a few seconds on the slowest mobile network.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The request with its whole body.
///
/// # Errors
///
/// The body is too long, too slow, compressed or broken.
pub(super) async fn read_ahead(request: Request) -> Result<Request, Problem> {
    if request.method().is_safe() {
        return Ok(request);
    }
    if is_encoded(request.headers()) || is_transfer_encoded(request.headers()) {
        return Err(Problem::bare(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let is_receipt = receipts::answers_at(request.uri().path());
    let limit = if is_receipt { LONGEST_RECEIPT } else { LIMIT };
    let (parts, body) = request.into_parts();
    // A body with a declared length is refused without being read.
    if body.size_hint().lower() > limit as u64 {
        return Err(Problem::bare(StatusCode::PAYLOAD_TOO_LARGE));
    }
    let mut reading = pin!(to_bytes(body, limit));
    // Most bodies came along with their headers, and need no timer.
    let read = match poll!(reading.as_mut()) {
        Poll::Ready(read) => Ok(read),
        Poll::Pending => timeout(TIMEOUT, reading).await,
    };
    match read {
        Ok(Ok(bytes)) => Ok(Request::from_parts(parts, Body::from(bytes))),
        Ok(Err(error)) if is_too_long(&error) => Err(Problem::bare(StatusCode::PAYLOAD_TOO_LARGE)),
        Ok(Err(_)) => Err(Problem::bare(StatusCode::BAD_REQUEST)),
        Err(_) => Err(Problem::bare(StatusCode::REQUEST_TIMEOUT)),
    }
}

/// Whether a body is compressed, or encoded in any other way. Nothing here decodes one, so the bytes would
/// be taken for the text.
fn is_encoded(headers: &HeaderMap) -> bool {
    let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    encodings.any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// Whether a transfer coding was applied beside `chunked`, which hyper decodes.
fn is_transfer_encoded(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    codings.any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"chunked"))
}

fn is_too_long(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<LengthLimitError>)
}
