//! The delivery worker: sends the messages of the outbox, with retries until the code expires.
//!
//! It receives each message when it is committed, and polls the outbox for retries that are due and for
//! messages whose lease has ended. A message is leased while it is tried, so no other worker tries it at
//! the same time, however long the try takes. A crash between sending and settling may send a message twice, and
//! never loses one.

use std::{pin::pin, sync::Arc, time::Duration};

use otp::{DeliveryState, Timestamp};
use rand::{TryRng, rngs::SysRng};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
    time::{MissedTickBehavior, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{Dispatcher, Failure, Undelivered, cut_off::until_cut_off, envelope::Envelope};
use crate::{
    clock::Clock,
    derived_keys::DerivedKeys,
    error_chain::log_error,
    origin::Origin,
    outbox::{Backoff, LeasedQueue, within},
    site::Sites,
    store::{AnyStore, Message, OutboxChange, Queue, Records},
};

/// Messages tried concurrently; more wait in the channel or in the outbox.
const IN_FLIGHT: usize = 64;
/// Interval between polls of the outbox.
const POLL: Duration = Duration::from_millis(500);
/// Time after which a try gives its place to another one, so that a provider that takes minutes does not keep
/// the messages of others waiting.
const PLACE: Duration = Duration::from_secs(15);
/// Ambiguous tries of a message. The second may already be a duplicate, so there is no third (S25).
const UNANSWERED: u32 = 2;

/// Sends the codes of the outbox.
#[derive(Debug)]
pub struct DeliveryWorker {
    /// The store with the outbox.
    pub store: AnyStore,
    /// The providers.
    pub dispatcher: Dispatcher,
    /// Keys that decrypt the messages and sign their links.
    pub keys: DerivedKeys,
    /// The clock.
    pub clock: Clock,
    /// Waits between tries.
    pub backoff: Backoff,
    /// Lease of a claimed message.
    pub lease: Duration,
    /// The sites, for the names in their messages.
    pub sites: Arc<Sites>,
    /// Public origin of the pages.
    pub origin: Origin,
    /// Cancelled when the server ends. Tries in flight are cut off then, and requeued as what is known of them.
    pub server_ends: CancellationToken,
}

impl DeliveryWorker {
    /// Runs until `stop` is cancelled, then waits for the tries in flight.
    pub async fn run(
        self: Arc<Self>,
        mut committed: mpsc::Receiver<Message>,
        stop: CancellationToken,
    ) {
        let free = Arc::new(Semaphore::new(IN_FLIGHT));
        let mut tries = JoinSet::new();
        let mut poll = tokio::time::interval(POLL);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // Nothing is received before there is room to try it: messages in the channel are leased.
            let Ok(permit) = free.clone().acquire_owned().await else { break };
            let messages = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                // Ahead of new messages, or a flood of those would starve retries.
                _ = poll.tick() => self.queue().claim(free.available_permits()).await,
                Some(message) = committed.recv() => vec![message],
            };
            drop(permit);
            for message in messages {
                let Ok(permit) = free.clone().acquire_owned().await else { break };
                let worker = self.clone();
                tries.spawn(async move {
                    let mut attempt = pin!(worker.attempt(message));
                    if timeout(PLACE, &mut attempt).await.is_err() {
                        drop(permit);
                        attempt.await;
                    }
                });
            }
            while tries.try_join_next().is_some() {}
        }
        while tries.join_next().await.is_some() {}
    }

    /// Claims and tries the messages that are due; returns how many.
    pub async fn deliver_due(&self) -> usize {
        let messages = self.queue().claim(IN_FLIGHT).await;
        let count = messages.len();
        for message in messages {
            self.attempt(message).await;
        }
        count
    }

    fn queue(&self) -> LeasedQueue<'_> {
        let Self { store, clock, lease, .. } = self;
        LeasedQueue { store, clock, queue: Queue::Codes, lease: *lease }
    }

    /// Tries one message and settles it.
    pub async fn attempt(&self, mut message: Message) {
        let now = self.clock.now();
        if now + self.lease / 2 > message.leased_until {
            // The lease could end before it is renewed, and then another worker would try it too.
            if now < message.leased_until {
                let Message { tries, unanswered, .. } = message;
                let requeue = Settlement::Retry { at: now, unanswered };
                self.settle(&message, tries, requeue).await;
            }
            return;
        }
        let DerivedKeys { sealer, links, .. } = &self.keys;
        let (tries, settlement) = match Envelope::open(&message.key, &message.sealed, sealer) {
            _ if message.expires_at <= now => (message.tries, Settlement::GivenUp),
            Err(error) => {
                log_error(&error, "discarding an unreadable outbox message");
                (message.tries, Settlement::GivenUp)
            }
            Ok(envelope) if envelope.is_test() => (message.tries + 1, Settlement::Sent),
            Ok(envelope) => {
                let outgoing =
                    envelope.into_message(&message.key, &self.sites, &self.origin, links);
                let delivery = self.dispatcher.deliver(&outgoing, message.tries, now);
                let left = message.expires_at.since(now);
                let attempt = until_cut_off(delivery, &outgoing.hand_over, left, &self.server_ends);
                let result = self.queue().hold(&mut message, attempt).await;
                (message.tries + 1, self.settlement(&message, result.map(|_| ())))
            }
        };
        self.settle(&message, tries, settlement).await;
    }

    /// Records the result of a try with the verification and in the outbox.
    async fn settle(&self, message: &Message, tries: u32, settled: Settlement) {
        let Message { key, leased_until, .. } = *message;
        let change = move |records: &mut Records, now| {
            records.outbox.push(match settled {
                Settlement::Retry { at, unanswered } => {
                    OutboxChange::Retry { key, leased_until, at, tries, unanswered }
                }
                Settlement::Sent
                | Settlement::Unknown
                | Settlement::Refused
                | Settlement::GivenUp => OutboxChange::Remove { key },
            });
            let Some(verification) = &mut records.verification else { return };
            verification.record_delivery(key.number, settled.delivery(), tries);
            if let Settlement::Refused = settled {
                verification.record_refusal(now);
            }
        };
        self.queue().settle(message, change).await;
    }

    fn settlement(&self, message: &Message, result: Result<(), Undelivered>) -> Settlement {
        let Err(undelivered) = result else { return Settlement::Sent };
        let unanswered = message.unanswered + u32::from(undelivered.kind == Failure::Ambiguous);
        let now = self.clock.now();
        let jitter = SysRng.try_next_u32().unwrap_or_default();
        let wait = self.backoff.wait(message.tries + 1, jitter);
        let at = within(wait, message.expires_at.since(now))
            .map(|wait| (now + wait).max(undelivered.not_before.unwrap_or_default()))
            .filter(|at| *at < message.expires_at);
        match (undelivered.kind, at) {
            (Failure::Transient | Failure::Account, Some(at)) => {
                Settlement::Retry { at, unanswered }
            }
            (Failure::Ambiguous, Some(at)) if unanswered < UNANSWERED => {
                tracing::warn!(unanswered, "a message is sent again that may have arrived");
                Settlement::Retry { at, unanswered }
            }
            _ if unanswered > 0 => Settlement::Unknown,
            (Failure::Permanent, _) => Settlement::Refused,
            _ => Settlement::GivenUp,
        }
    }
}

/// Result of a try. A message is given up when no time or no try is left, or when it cannot be read.
#[derive(Clone, Copy, Debug)]
enum Settlement {
    Sent,
    Retry {
        at: Timestamp,
        unanswered: u32,
    },
    /// It may have arrived, and is not sent again.
    Unknown,
    Refused,
    GivenUp,
}

impl Settlement {
    /// The progress of the message after it.
    fn delivery(self) -> DeliveryState {
        match self {
            // A message of unknown fate was handed over, and is not shown as undelivered.
            Self::Sent | Self::Unknown => DeliveryState::Sent,
            Self::Retry { .. } => DeliveryState::Accepted,
            Self::Refused | Self::GivenUp => DeliveryState::Undelivered,
        }
    }
}
