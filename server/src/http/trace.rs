//! One span and one log line for each request.
//!
//! Paths hold ids, which are capabilities, so the route's template stands for them. Success is logged
//! at `debug`: proxies write access logs, and ours would cost more than many an answer. So are refusals and
//! faults, of which anybody can cause any number while the store is away, apart from one line a minute for
//! each status.

use std::time::Duration;

use axum::{
    extract::{MatchedPath, Request},
    http::{Method, StatusCode},
    response::Response,
};
use tracing::{Span, debug, error, field::Empty, info, info_span};

use super::tally::Tally;

/// Counts of refusals and faults by their status, from 400 to 599.
pub(super) struct Refusals([Tally; 200]);

impl Refusals {
    pub(super) fn new() -> Self {
        Self(std::array::from_fn(|_| Tally::default()))
    }

    /// Counts an answer; returns the number with this status since the last line, if there should be one now.
    fn count(&self, status: StatusCode) -> Option<u64> {
        self.0.get(usize::from(status.as_u16()).checked_sub(400)?)?.count()
    }
}

/// The span of a request: method and route now, status and latency once they are known.
pub(super) fn span(request: &Request) -> Span {
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str);
    // Clients may invent methods, and write anything into them.
    let known = [Method::GET, Method::HEAD, Method::POST, Method::DELETE, Method::OPTIONS];
    let method = known.iter().find(|known| *known == request.method());
    info_span!(
        "request",
        method = method.map_or("other", Method::as_str),
        route,
        status = Empty,
        latency_us = Empty
    )
}

/// Logs an answer in its request's span.
pub(super) fn answered(refusals: &Refusals, response: &Response, latency: Duration, span: &Span) {
    let status = response.status();
    span.record("status", status.as_u16());
    span.record("latency_us", u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
    match refusals.count(status) {
        Some(requests) if status.is_server_error() => error!(requests, "failed"),
        Some(requests) => info!(requests, "refused"),
        None => debug!("answered"),
    }
}
