//! One span and one log line for each request.
//!
//! Paths hold ids, which are capabilities, so the route's template stands for them. What succeeds
//! is told at `debug`: proxies write access logs, and ours would cost more than many an answer.

use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use tokio::time::Instant;
use tracing::{Instrument, Span, debug, error, field::Empty, info, info_span};

/// Middleware: wraps the request in a span with its method, route, status and latency.
pub(super) async fn observe(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str);
    let span = info_span!(
        "request",
        method = request.method().as_str(),
        route,
        status = Empty,
        latency_us = Empty
    );
    answer(request, next).instrument(span).await
}

async fn answer(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let response = next.run(request).await;
    let span = Span::current();
    let status = response.status();
    span.record("status", status.as_u16());
    span.record("latency_us", u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX));
    if status.is_server_error() {
        error!("failed");
    } else if status.is_client_error() {
        info!("refused");
    } else {
        debug!("answered");
    }
    response
}
