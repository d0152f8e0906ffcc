//! Deletes expired records in small batches, so that the database stays small and the writer is never busy
//! for long.

use std::{sync::Arc, time::Duration};

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    error_chain::log_error,
    skew::Skew,
    store::{AnyStore, Store, Swept},
};

/// Interval between sweeps. Each sweep stores the time, so the interval also bounds how far a clock that was
/// set back between two starts can go back.
const INTERVAL: Duration = Duration::from_secs(5);

/// Pause between sweeps while there is more to delete, so that other writes are not delayed.
const PAUSE: Duration = Duration::from_millis(50);

/// Sweeps until `stop` is cancelled, and compares the clocks each time.
pub async fn run(
    store: AnyStore,
    clock: Clock,
    skew: Arc<Skew>,
    retention: Duration,
    stop: CancellationToken,
) {
    let mut tick = tokio::time::interval(INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        // It logs what it finds; a database that is away is reported by the sweep.
        let _ = skew.is_bearable().await;
        while sweep(&store, &clock, retention).await {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }
}

/// Sweeps once; returns whether there may be more to delete.
async fn sweep(store: &AnyStore, clock: &Clock, retention: Duration) -> bool {
    match store.sweep(clock.now(), retention).await {
        Ok(swept) => {
            if swept != Swept::default() {
                tracing::debug!(?swept, "deleted expired records");
            }
            swept.more
        }
        Err(error) => {
            log_error(&error, "deleting expired records failed; retrying");
            false
        }
    }
}
