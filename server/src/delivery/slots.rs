//! Bound on the tries in flight.

use std::{pin::pin, sync::Arc, time::Duration};

use tokio::{
    select,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// Tries in flight that have begun lately.
pub(super) const IN_FLIGHT: usize = 64;
/// Tries in flight that have taken longer, in addition.
const SLOW: usize = 512;
/// After this time a try stops counting against [`IN_FLIGHT`] and goes on, so that a provider that takes minutes
/// does not keep the messages of others waiting.
const SLOW_AFTER: Duration = Duration::from_secs(15);

/// Slots for tries: [`IN_FLIGHT`], and [`SLOW`] for those that take long. With both full, messages wait.
#[derive(Debug)]
pub(super) struct Slots {
    free: Arc<Semaphore>,
    slow: Semaphore,
}

impl Slots {
    pub(super) fn new() -> Self {
        Self { free: Arc::new(Semaphore::new(IN_FLIGHT)), slow: Semaphore::new(SLOW) }
    }

    /// Waits for a slot.
    pub(super) async fn free(&self) -> Option<OwnedSemaphorePermit> {
        self.free.clone().acquire_owned().await.ok()
    }

    /// Tries that can begin now.
    pub(super) fn count(&self) -> usize {
        self.free.available_permits()
    }

    /// Runs a try in a slot, which it leaves for a slow one when it takes long.
    pub(super) async fn run<T>(
        &self,
        slot: OwnedSemaphorePermit,
        attempt: impl Future<Output = T>,
    ) -> T {
        let mut attempt = pin!(attempt);
        if let Ok(done) = timeout(SLOW_AFTER, &mut attempt).await {
            return done;
        }
        let _slow = select! {
            biased;
            done = &mut attempt => return done,
            slow = self.slow.acquire() => slow,
        };
        drop(slot);
        attempt.await
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::pending,
        sync::atomic::{AtomicUsize, Ordering::SeqCst},
    };

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn s25_tries_by_a_provider_that_hangs_are_bounded() {
        let (slots, begun) = (Arc::new(Slots::new()), Arc::new(AtomicUsize::new(0)));
        let (queue, counter) = (slots.clone(), begun.clone());
        let receiving = tokio::spawn(async move {
            while let Some(slot) = queue.free().await {
                let (slots, counter) = (queue.clone(), counter.clone());
                tokio::spawn(async move {
                    let hanging = async {
                        counter.fetch_add(1, SeqCst);
                        pending::<()>().await;
                    };
                    slots.run(slot, hanging).await;
                });
            }
        });
        tokio::time::sleep(SLOW_AFTER / 2).await;
        assert_eq!(begun.load(SeqCst), IN_FLIGHT);
        tokio::time::sleep(SLOW_AFTER).await;
        assert_eq!(begun.load(SeqCst), 2 * IN_FLIGHT);
        tokio::time::sleep(100 * SLOW_AFTER).await;
        assert_eq!((begun.load(SeqCst), slots.count()), (IN_FLIGHT + SLOW, 0));
        receiving.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn a_slot_is_free_again_when_its_try_has_ended() {
        let slots = Slots::new();
        let slot = slots.free().await.unwrap();
        assert_eq!(slots.count(), IN_FLIGHT - 1);
        assert_eq!(slots.run(slot, async { 7 }).await, 7);
        let slot = slots.free().await.unwrap();
        slots.run(slot, tokio::time::sleep(3 * SLOW_AFTER)).await;
        assert_eq!((slots.count(), slots.slow.available_permits()), (IN_FLIGHT, SLOW));
    }
}
