//! The delivery worker: sends the messages of the outbox, with retries until the code expires.
//!
//! It receives each message when it is committed, and polls the outbox for retries that are due and for
//! messages whose lease has ended. A message is leased while it is tried, so no other worker tries it at
//! the same time. A crash between sending and settling may send a message twice, and never loses one.

use std::{sync::Arc, time::Duration};

use otp::{DeliveryState, Timestamp, Verification};
use rand::{TryRng, rngs::SysRng};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
    time::MissedTickBehavior,
};
use tokio_util::sync::CancellationToken;

use super::{Dispatcher, Failure, Undelivered, envelope::Envelope};
use crate::{
    clock::Clock,
    derived_keys::DerivedKeys,
    error_chain::log_error,
    origin::Origin,
    outbox::{Backoff, LeasedQueue},
    site::Sites,
    store::{AnyStore, Message, OutboxChange, Queue, Records, TallyKeys},
};

/// Messages tried concurrently; more wait in the channel or in the outbox.
const IN_FLIGHT: usize = 64;
/// Interval between polls of the outbox.
const POLL: Duration = Duration::from_millis(500);
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
                    worker.attempt(message).await;
                    drop(permit);
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
    pub async fn attempt(&self, message: Message) {
        let now = self.clock.now();
        if now + self.dispatcher.timeout() > message.leased_until {
            // The lease could end during the try, and then another worker would try it too.
            if now < message.leased_until {
                let Message { tries, unanswered, .. } = message;
                let requeue = Settlement::Retry { at: now, unanswered };
                self.settle(&message, tries, requeue).await;
            }
            return;
        }
        let DerivedKeys { sealer, links, .. } = &self.keys;
        let (tries, settlement) = match Envelope::open(&message.key, &message.sealed, sealer) {
            _ if message.expires_at <= now => (message.tries, Settlement::given_up(&message)),
            Err(error) => {
                log_error(&error, "discarding an unreadable outbox message");
                (message.tries, Settlement::given_up(&message))
            }
            Ok(envelope) if envelope.is_test() => (message.tries + 1, Settlement::Sent),
            Ok(envelope) => {
                let outgoing =
                    envelope.into_message(&message.key, &self.sites, &self.origin, links);
                let delivery = self.dispatcher.deliver(&outgoing, message.tries, now);
                // A slow provider is cut off when the code expires.
                let time_left = message.expires_at.since(now);
                let result = tokio::time::timeout(time_left, delivery).await;
                let cut_off = Settlement::GivenUp { is_unsent: false };
                let settlement =
                    result.map_or(cut_off, |result| self.settlement(&message, result.map(|_| ())));
                (message.tries + 1, settlement)
            }
        };
        self.settle(&message, tries, settlement).await;
    }

    /// Records the result of a try with the verification and in the outbox.
    async fn settle(&self, message: &Message, tries: u32, settled: Settlement) {
        let Message { key, leased_until, .. } = *message;
        let tallies =
            if settled.is_unsent() { tallies_of_text } else { |_: &_| TallyKeys::default() };
        let change = move |records: &mut Records, now| {
            records.outbox.push(match settled {
                Settlement::Retry { at, unanswered } => {
                    OutboxChange::Retry { key, leased_until, at, tries, unanswered }
                }
                Settlement::Sent | Settlement::Refused { .. } | Settlement::GivenUp { .. } => {
                    OutboxChange::Remove { key }
                }
            });
            let Some(verification) = &mut records.verification else { return };
            verification.record_delivery(key.number, settled.delivery(), tries);
            if settled.is_unsent()
                && let Some(counted) = verification.record_unsent(key.number)
            {
                // It shows nothing about the destination. The ceilings go on counting its texts.
                records.tallies.take_back(counted + records.counters_lead);
            }
            if let Settlement::Refused { .. } = settled {
                verification.record_refusal(now);
            }
        };
        self.queue().settle(message, tallies, change).await;
    }

    fn settlement(&self, message: &Message, result: Result<(), Undelivered>) -> Settlement {
        let Err(undelivered) = result else { return Settlement::Sent };
        let unanswered = message.unanswered + u32::from(undelivered.kind == Failure::Ambiguous);
        let jitter = SysRng.try_next_u32().unwrap_or_default();
        let at = self.clock.now() + self.backoff.wait(message.tries + 1, jitter);
        let is_unsent = unanswered == 0;
        match undelivered.kind {
            Failure::Permanent => Settlement::Refused { is_unsent },
            _ if unanswered >= UNANSWERED || at >= message.expires_at => {
                Settlement::GivenUp { is_unsent }
            }
            _ => Settlement::Retry { at, unanswered },
        }
    }
}

/// Tallies in which the verification of a text counts as one without approval. Test recipients count in none.
fn tallies_of_text(verification: &Verification) -> TallyKeys {
    let phone = verification.recipient().phone().filter(|_| !verification.details().test_mode);
    phone.map_or_else(TallyKeys::default, |phone| TallyKeys {
        server: false,
        site: Some(verification.site().to_owned()),
        country: verification.details().country.clone(),
        prefix: Some(phone.prefix().to_owned()),
    })
}

/// Result of a try. A message is given up when no time or no try is left, or when it cannot be read. It is unsent
/// if no try of it may have handed it over.
#[derive(Clone, Copy, Debug)]
enum Settlement {
    Sent,
    Retry { at: Timestamp, unanswered: u32 },
    Refused { is_unsent: bool },
    GivenUp { is_unsent: bool },
}

impl Settlement {
    /// Without a further try.
    fn given_up(message: &Message) -> Self {
        Self::GivenUp { is_unsent: message.unanswered == 0 }
    }

    fn is_unsent(self) -> bool {
        matches!(self, Self::Refused { is_unsent: true } | Self::GivenUp { is_unsent: true })
    }

    /// The progress of the message after it.
    fn delivery(self) -> DeliveryState {
        match self {
            Self::Sent => DeliveryState::Sent,
            Self::Retry { .. } => DeliveryState::Accepted,
            Self::Refused { .. } | Self::GivenUp { .. } => DeliveryState::Undelivered,
        }
    }
}
