//! Dropping what is over, a little at a time, so that neither the file nor a pause ever grows.

use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    error_chain::log_error,
    store::{Store, Swept},
};

/// Between two sweeps. It also bounds how much time a clock that was set back between two starts
/// can regain, since each sweep notes the time.
const EVERY: Duration = Duration::from_secs(5);

/// Between two sweeps while there is more to drop than one sweep takes, so that what is kept is
/// bounded however much comes in, and nobody waits long for the writer meanwhile.
const AGAIN: Duration = Duration::from_millis(50);

/// Sweeps until `stop` is cancelled.
pub async fn run<S: Store>(store: S, clock: Clock, retention: Duration, stop: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        while sweep(&store, &clock, retention).await {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(AGAIN) => {}
            }
        }
    }
}

/// Sweeps once; tells whether there may be more.
async fn sweep<S: Store>(store: &S, clock: &Clock, retention: Duration) -> bool {
    match store.sweep(clock.now(), retention).await {
        Ok(swept) => {
            if swept != Swept::default() {
                tracing::debug!(?swept, "swept");
            }
            swept.more
        }
        Err(error) => {
            log_error(&error, "the store could not be swept; trying again shortly");
            false
        }
    }
}
