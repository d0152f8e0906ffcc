//! Claiming and settling messages of one outbox queue.

use std::time::Duration;

use otp::{Timestamp, VerificationId};

use crate::{
    clock::Clock,
    error_chain::log_error,
    store::{Decision, Message, OutboxChange, Queue, Records, Step, Store},
};

/// Pause between two tries to settle a message while the store is unavailable.
const PAUSE: Duration = Duration::from_millis(250);

/// One queue of the outbox, as a worker uses it.
#[derive(Debug)]
pub struct LeasedQueue<'a, S> {
    /// The store with the outbox.
    pub store: &'a S,
    /// The clock.
    pub clock: &'a Clock,
    /// The queue.
    pub queue: Queue,
    /// Lease of a claimed message.
    pub lease: Duration,
}

impl<S: Store> LeasedQueue<'_, S> {
    /// Claims up to `limit` messages that are due; none while the store is unavailable.
    pub async fn claim(&self, limit: usize) -> Vec<Message> {
        let now = self.clock.now();
        let claimed = async {
            // A read first: claiming is a write, also when nothing is due.
            match self.store.next_due(self.queue).await? {
                Some(due) if due <= now => {
                    self.store.claim(self.queue, now, self.lease, limit.max(1)).await
                }
                _ => Ok(Vec::new()),
            }
        };
        claimed.await.unwrap_or_else(|error| {
            log_error(&error, "claiming outbox messages failed; retrying");
            Vec::new()
        })
    }

    /// Commits the result of a try, retrying until the lease ends, so that a short outage of the store
    /// does not send a message twice.
    ///
    /// `step` makes the step of each try from the current time. `None` if the lease ended first.
    pub async fn settle<T: Step>(
        &self,
        leased_until: Timestamp,
        step: impl Fn(Timestamp) -> T + Send,
    ) -> Option<T::Output> {
        loop {
            let error = match self.store.apply(step(self.clock.now())).await {
                Ok(output) => return Some(output),
                Err(error) => error,
            };
            if self.clock.now() + PAUSE >= leased_until {
                // Another worker will try the message again: at worst it arrives twice.
                log_error(&error, "settling an outbox message failed; it may be sent twice");
                return None;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Step that changes the outbox only.
#[derive(Debug)]
pub struct ChangeOutbox {
    /// The verification that the message belongs to.
    pub verification: VerificationId,
    /// The change.
    pub change: OutboxChange,
    /// The time of it.
    pub now: Timestamp,
}

impl Step for ChangeOutbox {
    type Output = ();

    fn verification(&self) -> VerificationId {
        self.verification
    }

    fn now(&self) -> Timestamp {
        self.now
    }

    fn run(&mut self, records: &mut Records) -> Decision<()> {
        records.outbox.push(self.change.clone());
        Decision::Commit(())
    }
}
