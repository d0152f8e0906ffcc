//! Dropping what is over, a little at a time, so that neither the file nor a pause ever grows.

use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    report::report,
    store::{Store, Swept},
};

/// Between two sweeps. It also bounds how much time a clock that was set back between two starts
/// can regain, since each sweep notes the time.
const EVERY: Duration = Duration::from_secs(5);

/// Sweeps until `stop` is cancelled.
pub async fn run<S: Store>(store: S, clock: Clock, retention: Duration, stop: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => match store.sweep(clock.now(), retention).await {
                Ok(swept) if swept != Swept::default() => tracing::debug!(?swept, "swept"),
                Ok(_) => {}
                Err(error) => report(&error, "the store could not be swept; trying again shortly"),
            },
        }
    }
}
