//! Claiming and settling messages of one outbox queue.

use std::{pin::pin, time::Duration};

use futures_util::future::{Either, select};
use otp::{Timestamp, Verification, VerificationId};

use crate::{
    clock::Clock,
    error_chain::log_error,
    store::{
        AnyStore, CounterKeys, Decision, Message, MessageKey, OutboxChange, Queue, Records, Step,
        Store, TallyKeys,
    },
};

/// Pause between two tries to settle a message while the store is unavailable.
const PAUSE: Duration = Duration::from_millis(250);

/// One queue of the outbox, as a worker uses it.
#[derive(Debug)]
pub struct LeasedQueue<'a> {
    /// The store with the outbox.
    pub store: &'a AnyStore,
    /// The clock.
    pub clock: &'a Clock,
    /// The queue.
    pub queue: Queue,
    /// Lease of a claimed message.
    pub lease: Duration,
}

impl LeasedQueue<'_> {
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

    /// Runs a try of `message`, and renews its lease meanwhile, so that the try may take any time and no other
    /// worker begins another one.
    pub async fn hold<T>(&self, message: &mut Message, attempt: impl Future<Output = T>) -> T {
        let mut attempt = pin!(attempt);
        loop {
            match select(attempt.as_mut(), pin!(tokio::time::sleep(self.lease / 2))).await {
                Either::Left((done, _)) => return done,
                Either::Right(_) => {}
            }
            // Both to their end: a renewal that is dropped could be committed, and the end of the lease not be
            // known here.
            let renewal = pin!(self.renew(message.key, message.leased_until));
            match select(attempt.as_mut(), renewal).await {
                Either::Left((done, renewal)) => {
                    message.leased_until = renewal.await;
                    return done;
                }
                Either::Right((until, _)) => message.leased_until = until,
            }
        }
    }

    /// The end of the lease after a renewal, which is the old one if the store is unavailable.
    async fn renew(&self, key: MessageKey, leased_until: Timestamp) -> Timestamp {
        let now = self.clock.now();
        let until = now + self.lease;
        let change = move |records: &mut Records, _| {
            records.outbox.push(OutboxChange::Renew { key, leased_until, until });
        };
        let (verification, tallies) = (key.verification, |_: &_| TallyKeys::default());
        match self.store.apply(Settle { verification, now, tallies, change }).await {
            Ok(()) => until,
            Err(error) => {
                log_error(&error, "renewing the lease of an outbox message failed; retrying");
                leased_until
            }
        }
    }

    /// Commits the result of a try of `message`, retrying until the lease ends, so that a short outage
    /// of the store does not send a message twice.
    ///
    /// `change` is a step over the records of the message's verification, and over its `tallies`, at the given time: it
    /// may run more than once.
    pub async fn settle(
        &self,
        message: &Message,
        tallies: fn(&Verification) -> TallyKeys,
        change: impl Fn(&mut Records, Timestamp) + Clone + Send + 'static,
    ) {
        loop {
            let (verification, now) = (message.key.verification, self.clock.now());
            let step = Settle { verification, now, tallies, change: change.clone() };
            let Err(error) = self.store.apply(step).await else { return };
            if self.clock.now() + PAUSE >= message.leased_until {
                // Another worker will try the message again: at worst it arrives twice.
                return log_error(
                    &error,
                    "settling an outbox message failed; it may be sent twice",
                );
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Step that commits the result of a try, or a new lease.
struct Settle<F> {
    verification: VerificationId,
    now: Timestamp,
    tallies: fn(&Verification) -> TallyKeys,
    change: F,
}

impl<F: Fn(&mut Records, Timestamp) + Send + 'static> Step for Settle<F> {
    type Output = ();

    fn verification(&self) -> VerificationId {
        self.verification
    }

    fn now(&self) -> Timestamp {
        self.now
    }

    fn counters(&self, verification: Option<&Verification>) -> CounterKeys {
        let tallies = verification.map(self.tallies).unwrap_or_default();
        CounterKeys { tallies, ..CounterKeys::default() }
    }

    fn run(&mut self, records: &mut Records) -> Decision<()> {
        (self.change)(records, self.now);
        Decision::Commit(())
    }
}
