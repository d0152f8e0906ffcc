//! Taking messages out of a queue of the outbox, and recording what became of them.

use std::time::Duration;

use otp::{Timestamp, VerificationId};

use crate::{
    clock::Clock,
    error_chain::log_error,
    store::{Decision, Message, OutboxChange, Queue, Records, Step, Store},
};

/// Between two tries to record what became of a message, while the store is away.
const PAUSE: Duration = Duration::from_millis(250);

/// Where a worker takes its messages from and gives them back to.
#[derive(Debug)]
pub struct LeasedQueue<'a, S> {
    /// Where the messages are kept.
    pub store: &'a S,
    /// The time.
    pub clock: &'a Clock,
    /// Which of the queues it works on.
    pub queue: Queue,
    /// How long a message that was claimed is leased.
    pub lease: Duration,
}

impl<S: Store> LeasedQueue<'_, S> {
    /// Leases up to `limit` messages that are due; none while the store is away.
    pub async fn claim(&self, limit: usize) -> Vec<Message> {
        let now = self.clock.now();
        let claimed = async {
            // Looking costs a read; only what is due is worth a write.
            match self.store.next_due(self.queue).await? {
                Some(due) if due <= now => {
                    self.store.claim(self.queue, now, self.lease, limit.max(1)).await
                }
                _ => Ok(Vec::new()),
            }
        };
        claimed.await.unwrap_or_else(|error| {
            log_error(&error, "the outbox could not be read; looking again shortly");
            Vec::new()
        })
    }

    /// Commits what became of a message, as long as that is ours to say. A store that is away for a
    /// moment shall not make a duplicate of what has gone out.
    ///
    /// `step` is made anew for each try, with its time. `None` where the lease has ended first.
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
                // The lease ends, and the message is tried again: at worst it arrives twice.
                log_error(&error, "a message could not be settled");
                return None;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Changes the outbox and nothing else.
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
