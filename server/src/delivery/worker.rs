//! The outbox worker: takes committed messages to the dispatcher until they are taken or pointless.
//!
//! It is woken with each message as it is committed, and looks into the outbox now and then for
//! what came back: messages whose retry is due, and those whose worker died. A message is leased
//! while it is tried, so nobody else tries it at the same time; a crash between the hand-over and
//! the settling costs a duplicate at most, never a message.

use std::{sync::Arc, time::Duration};

use otp::{DeliveryState, Timestamp, VerificationId};
use rand::{TryRng, rngs::SysRng};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
    time::MissedTickBehavior,
};
use tokio_util::sync::CancellationToken;

use super::{Dispatcher, Failure, Senders, Undelivered, envelope::Envelope};
use crate::{
    clock::Clock,
    derived_keys::Sealer,
    error_chain::log_error,
    outbox::{Backoff, LeasedQueue},
    store::{Decision, Message, MessageKey, OutboxChange, Queue, Records, Step, Store},
};

/// Messages tried at the same time; more wait in the channel or in the outbox.
const IN_FLIGHT: usize = 64;
/// How often the outbox is asked for what came back.
const LOOK: Duration = Duration::from_millis(500);
/// A second answerless try may already be a duplicate, so there is no third (S25).
const UNANSWERED: u32 = 2;

/// What a worker works with.
#[derive(Debug)]
pub struct DeliveryWorker<S> {
    /// Where the messages are kept.
    pub store: S,
    /// Who carries them.
    pub dispatcher: Dispatcher,
    /// Opens what the outbox keeps.
    pub sealer: Arc<Sealer>,
    /// The time.
    pub clock: Clock,
    /// When a message that was not taken is tried again.
    pub backoff: Backoff,
    /// How long a message that was claimed from the outbox is leased.
    pub lease: Duration,
    /// The name of each site, as its messages show it.
    pub brands: Senders,
    /// The host of the page on which codes are typed.
    pub origin_host: String,
}

impl<S: Store> DeliveryWorker<S> {
    /// Works until `stop` is cancelled, then finishes what is being tried and returns.
    pub async fn run(
        self: Arc<Self>,
        mut committed: mpsc::Receiver<Message>,
        stop: CancellationToken,
    ) {
        let free = Arc::new(Semaphore::new(IN_FLIGHT));
        let mut tries = JoinSet::new();
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // One at a time until there is room: what waits in the channel is leased to us.
            let Ok(permit) = free.clone().acquire_owned().await else { break };
            let messages = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                // Ahead of what is new, or a flood of that would starve what came back.
                _ = look.tick() => self.queue().claim(free.available_permits()).await,
                Some(message) = committed.recv() => vec![message],
            };
            drop(permit);
            for message in messages {
                let Ok(permit) = free.clone().acquire_owned().await else { break };
                let worker = self.clone();
                tries.spawn(async move {
                    worker.attempt(message).await;
                    drop(permit);
                });
            }
            while tries.try_join_next().is_some() {}
        }
        while tries.join_next().await.is_some() {}
    }

    /// Claims and tries everything that is due. Gives the number of messages.
    pub async fn deliver_due(&self) -> usize {
        let messages = self.queue().claim(IN_FLIGHT).await;
        let count = messages.len();
        for message in messages {
            self.attempt(message).await;
        }
        count
    }

    fn queue(&self) -> LeasedQueue<'_, S> {
        let Self { store, clock, lease, .. } = self;
        LeasedQueue { store, clock, queue: Queue::Codes, lease: *lease }
    }

    /// Tries one message and settles it.
    pub async fn attempt(&self, message: Message) {
        let now = self.clock.now();
        if now + self.dispatcher.patience() > message.leased_until {
            // It has waited too long with us: the lease could end while it is tried, and then
            // somebody else would try it too.
            if now < message.leased_until {
                let Message { tries, unanswered, .. } = message;
                let give_back = Settlement::Retry { at: now, unanswered };
                self.settle(&message, tries, give_back).await;
            }
            return;
        }
        let (tries, settlement) = match Envelope::open(&message.key, &message.sealed, &self.sealer)
        {
            _ if message.expires_at <= now => (message.tries, Settlement::undelivered(false)),
            Err(error) => {
                log_error(&error, "a message of the outbox cannot be read and is given up");
                (message.tries, Settlement::undelivered(false))
            }
            Ok(envelope) => {
                let outgoing = envelope.into_letter(&message.key, &self.brands, &self.origin_host);
                let delivery = self.dispatcher.deliver(&outgoing, message.tries, now);
                // A provider that takes its time is cut off when the code expires.
                let time_left = message.expires_at.since(now);
                let result = tokio::time::timeout(time_left, delivery).await;
                let settlement = result.map_or(Settlement::undelivered(false), |result| {
                    self.judge(&message, result.map(|_| ()))
                });
                (message.tries + 1, settlement)
            }
        };
        self.settle(&message, tries, settlement).await;
    }

    /// Records what became of a message.
    async fn settle(&self, message: &Message, tries: u32, settled: Settlement) {
        let Message { key, leased_until, .. } = *message;
        let step = |now| Settle { key, leased_until, tries, settled, now };
        self.queue().settle(leased_until, step).await;
    }

    fn judge(&self, message: &Message, result: Result<(), Undelivered>) -> Settlement {
        let Err(undelivered) = result else { return Settlement::Sent };
        let unanswered = message.unanswered + u32::from(undelivered.kind == Failure::Ambiguous);
        let jitter = SysRng.try_next_u32().unwrap_or_default();
        let at = self.clock.now() + self.backoff.wait(message.tries + 1, jitter);
        match undelivered.kind {
            Failure::Permanent => Settlement::undelivered(true),
            _ if unanswered >= UNANSWERED || at >= message.expires_at => {
                Settlement::undelivered(false)
            }
            _ => Settlement::Retry { at, unanswered },
        }
    }
}

/// What becomes of a message after a try.
#[derive(Clone, Copy, Debug)]
enum Settlement {
    Sent,
    Retry { at: Timestamp, unanswered: u32 },
    Undelivered { refused: bool },
}

impl Settlement {
    fn undelivered(refused: bool) -> Self {
        Self::Undelivered { refused }
    }
}

/// Records a settlement with the verification and the outbox, both or neither.
struct Settle {
    key: MessageKey,
    leased_until: Timestamp,
    tries: u32,
    settled: Settlement,
    now: Timestamp,
}

impl Step for Settle {
    type Output = ();

    fn verification(&self) -> VerificationId {
        self.key.verification
    }

    fn now(&self) -> Timestamp {
        self.now
    }

    fn run(&mut self, records: &mut Records) -> Decision<()> {
        self.settle(records);
        Decision::Commit(())
    }
}

impl Settle {
    fn settle(&self, records: &mut Records) {
        let Self { key, leased_until, tries, settled, now } = *self;
        records.outbox.push(match settled {
            Settlement::Retry { at, unanswered } => {
                OutboxChange::Retry { key, leased_until, at, tries, unanswered }
            }
            Settlement::Sent | Settlement::Undelivered { .. } => OutboxChange::Remove { key },
        });
        let Some(verification) = &mut records.verification else { return };
        let delivery = match settled {
            Settlement::Sent => DeliveryState::Sent,
            Settlement::Retry { .. } => DeliveryState::Accepted,
            Settlement::Undelivered { .. } => DeliveryState::Undelivered,
        };
        verification.record_delivery(key.number, delivery, tries);
        if let Settlement::Undelivered { refused: true } = settled {
            verification.record_refusal(now);
        }
    }
}
