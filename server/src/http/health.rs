//! Whether the process lives, and whether it should be given requests.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::{extract::State, http::StatusCode};

use super::Context;

/// Longest time for the store to answer before it counts as away.
const PATIENCE: Duration = Duration::from_secs(1);

/// Asks the store whether it can be used.
#[async_trait]
pub trait StorePing: Send + Sync {
    /// Whether a read and a write would go through now.
    async fn ping(&self) -> bool;
}

/// Whether requests should be sent here: while the store answers and nobody has said stop.
#[derive(Clone)]
pub struct Readiness(Arc<Inner>);

struct Inner {
    stopping: AtomicBool,
    store: Box<dyn StorePing>,
}

impl Readiness {
    /// Ready as long as `store` answers.
    pub fn new(store: impl StorePing + 'static) -> Self {
        let store = Box::new(store);
        Self(Arc::new(Inner { stopping: AtomicBool::new(false), store }))
    }

    /// From now on not ready: the first thing to do on the way out, so that a load balancer looks
    /// elsewhere while work in flight ends (S27).
    pub fn stop(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }

    async fn is_ready(&self) -> bool {
        if self.0.stopping.load(Ordering::Relaxed) {
            return false;
        }
        tokio::time::timeout(PATIENCE, self.0.store.ping()).await.unwrap_or(false)
    }
}

/// `GET /health/live`: the process answers, so there is no reason to restart it.
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
