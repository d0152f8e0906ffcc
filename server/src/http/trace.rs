//! One span and one log line for each request.
//!
//! Paths hold ids, which are capabilities, so the route's template stands for them. Success is logged
//! at `debug`: proxies write access logs, and ours would cost more than many an answer. So are refusals and
//! faults, of which anybody can cause any number while the store is away, apart from one line a minute for
//! each status.

use axum::{
    extract::{MatchedPath, Request},
    http::{Method, StatusCode},
    response::Response,
};
use tokio::time::Instant;
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

/// A request on its way, whose answer is logged.
pub(super) struct Traced {
    /// Method and route now, status and latency once they are known.
    pub(super) span: Span,
    /// Time of its arrival, if anybody looks at it.
    began: Option<Instant>,
}

impl Traced {
    pub(super) fn begin(request: &Request) -> Self {
        let span = span(request);
        let began = (!span.is_disabled()).then(Instant::now);
        Self { span, began }
    }

    /// Logs the answer in the request's span.
    pub(super) fn answered(&self, refusals: &Refusals, response: &Response) {
        let _entered = self.span.enter();
        let status = response.status();
        self.span.record("status", status.as_u16());
        if let Some(began) = self.began {
            let latency = u64::try_from(began.elapsed().as_micros());
            self.span.record("latency_us", latency.unwrap_or(u64::MAX));
        }
        match refusals.count(status) {
            Some(requests) if status.is_server_error() => error!(requests, "failed"),
            Some(requests) => info!(requests, "refused"),
            None => debug!("answered"),
        }
    }
}

fn span(request: &Request) -> Span {
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
