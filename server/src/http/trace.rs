//! One span and one log line for each request.
//!
//! Paths hold ids, which are capabilities, so the route's template stands for them. Success is logged
//! at `debug`: proxies write access logs, and ours would cost more than many an answer.

use std::time::Duration;

use axum::{
    extract::{MatchedPath, Request},
    response::Response,
};
use tracing::{Span, debug, error, field::Empty, info, info_span};

/// The span of a request: method and route now, status and latency once they are known.
pub(super) fn span(request: &Request) -> Span {
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str);
    info_span!(
        "request",
        method = request.method().as_str(),
        route,
        status = Empty,
        latency_us = Empty
    )
}

/// Logs an answer in its request's span.
pub(super) fn answered(response: &Response, latency: Duration, span: &Span) {
    let status = response.status();
    span.record("status", status.as_u16());
    span.record("latency_us", u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
    if status.is_server_error() {
        error!("failed");
    } else if status.is_client_error() {
        info!("refused");
    } else {
        debug!("answered");
    }
}
