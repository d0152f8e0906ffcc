//! Claiming and settling messages of one outbox queue.

use std::{pin::pin, time::Duration};

use futures_util::future::{Either, select};
use otp::{Timestamp, Verification, VerificationId};

use super::{Held, held::Hold};
use crate::{
    clock::Clock,
    error_chain::log_error,
    store::{
        AnyStore, CounterKeys, Decision, Message, MessageKey, OutboxChange, Queue, Records, Step,
        Store, TallyKeys,
    },
};

/// Pause between two tries to settle a message or to renew its lease while the store is unavailable.
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
    /// worker begins another one. It is `held` as long.
    pub async fn hold<T>(
        &self,
        message: &mut Message,
        held: &Held,
        attempt: impl Future<Output = T>,
    ) -> T {
        let hold = held.hold(message);
        let mut attempt = pin!(attempt);
        let mut pause = self.lease / 2;
        let done = loop {
            match select(attempt.as_mut(), pin!(tokio::time::sleep(pause))).await {
                Either::Left((done, _)) => break done,
                Either::Right(_) => {}
            }
            match select(attempt.as_mut(), pin!(self.renew(message.key, &hold))).await {
                // Wait for the renewal even if the try is done: if it commits, the lease has another end than we know.
                Either::Left((done, renewal)) => {
                    renewal.await;
                    break done;
                }
                Either::Right((is_renewed, _)) => {
                    pause = if is_renewed { self.lease / 2 } else { PAUSE };
                }
            }
        };
        message.leased_until = hold.leased_until();
        done
    }

    /// Renews a lease; returns whether the store has taken that.
    async fn renew(&self, key: MessageKey, hold: &Hold<'_>) -> bool {
        let (now, leased_until) = (self.clock.now(), hold.leased_until());
        let until = now + self.lease;
        let change = move |records: &mut Records, _| {
            records.outbox.push(OutboxChange::Renew { key, leased_until, until });
        };
        let (verification, tallies) = (key.verification, |_: &_| TallyKeys::default());
        match self.store.apply(Settle { verification, now, tallies, change }).await {
            Ok(()) => {
                hold.renewed(leased_until, until);
                true
            }
            Err(error) => {
                log_error(&error, "renewing the lease of an outbox message failed; retrying");
                false
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
