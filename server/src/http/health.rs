//! Health checks: liveness and readiness.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{extract::State, http::StatusCode};
use futures_util::future::{BoxFuture, FutureExt};
use tokio::{sync::Mutex, time::Instant};

use super::Context;

/// Time after which a store that does not answer counts as away.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Time for which the result of a check is given again. A check writes, and anybody may ask for one.
const REMEMBERED: Duration = Duration::from_secs(1);

/// Readiness for requests: the store answers and the server is not stopping.
#[derive(Clone)]
pub struct Readiness(Arc<Inner>);

struct Inner {
    stopping: AtomicBool,
    ping: Box<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>,
    /// The last check of the store: its time and result.
    last: Mutex<Option<(Instant, bool)>>,
}

impl Readiness {
    /// Ready as long as `ping` gives `true`: a read and a write of the store would succeed now.
    pub fn new<F>(ping: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = bool> + Send + 'static,
    {
        let ping = Box::new(move || ping().boxed());
        Self(Arc::new(Inner { stopping: AtomicBool::new(false), ping, last: Mutex::default() }))
    }

    /// Makes the server unready. This is the first step of a shutdown, so that a load balancer sends
    /// requests elsewhere while those in flight end (S27).
    pub fn stop(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }

    async fn is_ready(&self) -> bool {
        if self.0.stopping.load(Ordering::Relaxed) {
            return false;
        }
        // Requests at the same time wait for one check.
        let mut last = self.0.last.lock().await;
        if let Some((at, is_well)) = *last
            && Instant::now() < at + REMEMBERED
        {
            return is_well;
        }
        let is_well = tokio::time::timeout(TIMEOUT, (self.0.ping)()).await.unwrap_or(false);
        *last = Some((Instant::now(), is_well));
        is_well
    }
}

/// Whether an address answers checks of health.
pub(super) fn answers_at(path: &str) -> bool {
    path.starts_with("/health/")
}

/// `GET /health/live`: the process answers, so it need not be restarted.
pub(super) async fn live() -> &'static str {
    "live\n"
}

/// `GET /health/ready`.
pub(super) async fn ready(State(context): State<Arc<Context>>) -> (StatusCode, &'static str) {
    if context.web.readiness.is_ready().await {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    }
}
