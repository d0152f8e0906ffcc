//! Dropping what is over, a little at a time, so that neither the file nor a pause ever grows.

use std::time::Duration;

use tokio::{sync::watch, time::MissedTickBehavior};

use crate::{
    clock::Clock,
    report::report,
    store::{Store, Swept},
};

/// Between two sweeps. It also bounds how much time a clock that was set back between two starts
/// can regain, since each sweep notes the time.
const EVERY: Duration = Duration::from_secs(5);

/// Sweeps until `stop` turns true.
pub async fn run<S: Store>(
    store: S,
    clock: Clock,
    retention: Duration,
    mut stop: watch::Receiver<bool>,
) {
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            _ = tick.tick() => match store.sweep(clock.now(), retention).await {
                Ok(swept) if swept != Swept::default() => tracing::debug!(?swept, "swept"),
                Ok(_) => {}
                Err(error) => report(&error, "the store could not be swept; trying again shortly"),
            },
        }
    }
}
