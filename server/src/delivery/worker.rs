//! The delivery worker: sends the messages of the outbox, with retries until the code expires.
//!
//! It receives each message when it is committed, and polls the outbox for retries that are due and for
//! messages whose lease has ended. A message is leased while it is tried, so no other worker tries it at
//! the same time, however long the try takes. A crash between sending and settling may send a message twice, and
//! never loses one.

use std::{sync::Arc, time::Duration};

use otp::{
    DeliveryState, Timestamp, Verification,
    alert::Alert,
    verification::{AfterTaken, Taken},
};
use rand::{TryRng, rngs::SysRng};
use tokio::{
    sync::{Notify, mpsc},
    task::JoinSet,
    time::MissedTickBehavior,
};
use tokio_util::sync::CancellationToken;

use super::{
    Dispatcher, Failure, OutgoingMessage, ReceiptAddress, Route, Undelivered,
    envelope::Envelope,
    receipts::receipt_path,
    slots::{IN_FLIGHT, Slots},
    tried::Tried,
};
use crate::{
    clock::Clock,
    derived_keys::DerivedKeys,
    error_chain::log_error,
    origin::Origin,
    outbox::{Backoff, Held, LEAST_LEFT, LeasedQueue, within},
    site::Sites,
    store::{AnyStore, Message, MessageKey, OutboxChange, Queue, Records, TallyKeys},
};

/// Interval between polls of the outbox.
const POLL: Duration = Duration::from_millis(500);

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
    /// The messages in flight.
    pub held: Held,
    /// The sites, for the names in their messages.
    pub sites: Arc<Sites>,
    /// Public origin of the pages.
    pub origin: Origin,
    /// Whether providers are asked for receipts.
    pub receipts: bool,
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
        let slots = Arc::new(Slots::new());
        let mut tries = JoinSet::new();
        // Wakes the loop when a message can go to its next provider at once.
        let due = Arc::new(Notify::new());
        let mut poll = tokio::time::interval(POLL);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // Nothing is received before there is room to try it: messages in the channel are leased.
            let Some(slot) = slots.free().await else { break };
            let messages = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                // Ahead of new messages, or a flood of those would starve retries.
                _ = poll.tick() => self.claim(slots.count()).await,
                () = due.notified() => self.claim(slots.count()).await,
                Some(message) = committed.recv() => vec![message],
            };
            drop(slot);
            for message in messages {
                let Some(slot) = slots.free().await else { break };
                let (worker, slots, due) = (self.clone(), slots.clone(), due.clone());
                tries.spawn(async move {
                    if slots.run(slot, worker.attempt(message)).await {
                        due.notify_one();
                    }
                });
            }
            while tries.try_join_next().is_some() {}
        }
        while tries.join_next().await.is_some() {}
    }

    /// Claims and tries the messages that are due; returns how many.
    pub async fn deliver_due(&self) -> usize {
        let messages = self.claim(IN_FLIGHT).await;
        let count = messages.len();
        for message in messages {
            self.attempt(message).await;
        }
        count
    }

    /// Claims messages that are due and not in flight.
    async fn claim(&self, limit: usize) -> Vec<Message> {
        self.held.without(self.queue().claim(limit).await)
    }

    fn queue(&self) -> LeasedQueue<'_> {
        let Self { store, clock, lease, .. } = self;
        LeasedQueue { store, clock, queue: Queue::Codes, lease: *lease }
    }

    /// Tries one message by one provider and settles it. Returns whether it is due again at once.
    pub async fn attempt(&self, mut message: Message) -> bool {
        let now = self.clock.now();
        if now + self.lease / 2 > message.leased_until {
            // The lease could end before it is renewed, and then another worker would try it too.
            if now < message.leased_until {
                let tried = Tried::parse(&message.tried);
                let requeue = Settlement::Retry { at: now, tried };
                self.settle(&message, message.tries, requeue, None).await;
            }
            return false;
        }
        let DerivedKeys { sealer, links, .. } = &self.keys;
        let mut alert = None;
        let (tries, settlement) = match Envelope::open(&message.key, &message.sealed, sealer) {
            _ if message.expires_at <= now => {
                (message.tries, Settlement::of_late(Tried::parse(&message.tried)))
            }
            Err(error) => {
                log_error(&error, "discarding an unreadable outbox message");
                (message.tries, Settlement::of_late(Tried::parse(&message.tried)))
            }
            Ok(envelope) if envelope.is_test() => (message.tries + 1, Settlement::Pretended),
            Ok(mut envelope) => {
                let avoided = envelope.take_avoided();
                let outgoing =
                    envelope.into_message(&message.key, &self.sites, &self.origin, links);
                let asked = self.ask_one(&mut message, outgoing, &avoided, &mut alert).await;
                (message.tries + 1, asked)
            }
        };
        let is_due = matches!(settlement, Settlement::Retry { at, .. } if at <= self.clock.now());
        self.settle(&message, tries, settlement, alert).await;
        is_due
    }

    /// Asks the provider whose turn it is.
    async fn ask_one(
        &self,
        message: &mut Message,
        mut outgoing: OutgoingMessage,
        avoided: &[String],
        alert: &mut Option<Alert>,
    ) -> Settlement {
        let now = self.clock.now();
        let mut tried = Tried::parse(&message.tried);
        let Some(route) = self.dispatcher.next(&outgoing, avoided, &tried, now) else {
            tracing::warn!(to = %outgoing.to, "no provider is left for a message");
            return Settlement::of_undelivered(tried);
        };
        outgoing.receipts = self.address_for(route, &message.key);
        let outgoing = &outgoing;
        let next = |tried: &Tried, now| self.dispatcher.next(outgoing, avoided, tried, now);
        // A slow provider is cut off when the code expires, or while there is time for another one.
        let left = message.expires_at.since(now);
        let left = self.dispatcher.patience(outgoing, route, &tried, left);
        let attempt = route.deliver_within(outgoing, &self.clock, left, &self.server_ends);
        let result = self.queue().hold(message, &self.held, Box::pin(attempt)).await;
        let failure = result.as_ref().err().map(|failed| failed.undelivered.kind);
        if failure.is_none_or(Failure::may_have_sent) && tried.unanswered() > 0 {
            let (provider, unanswered) = (route.name(), tried.unanswered());
            tracing::warn!(provider, unanswered, to = %outgoing.to, "possible duplicates sent");
        }
        let failed = match result {
            Err(failed) => failed,
            Ok(receipt) => {
                // Should it not arrive, the message is due for the others.
                let provider = route.name().to_owned();
                tried.add(&provider, Failure::Returned, None);
                let (reference, gives_receipts) = (receipt.reference, outgoing.receipts.is_some());
                return Settlement::Taken(Taken { provider, reference, gives_receipts }, tried);
            }
        };
        let Undelivered { kind, reason, not_before, .. } = failed.undelivered;
        let now = self.clock.now();
        let jitter = SysRng.try_next_u32().unwrap_or_default();
        let wait = self.backoff.wait(message.tries + 1, jitter);
        let retry = within(wait, message.expires_at.since(now)).map(|wait| now + wait);
        tried.add(route.name(), kind, not_before.filter(|time| retry < Some(*time)));
        if failed.is_newly_refused {
            let provider = route.name().to_owned();
            *alert = Some(Alert::ProviderRefused { provider, reason });
        }
        let at = match next(&tried, now) {
            None => return Settlement::of_undelivered(tried),
            Some(next) if !tried.contains(next.name()) => Some(now),
            Some(next) => retry
                .map(|at| at.max(tried.not_before(next.name()).unwrap_or_default()))
                .filter(|at| *at + LEAST_LEFT <= message.expires_at),
        };
        match at.filter(|at| *at < message.expires_at) {
            Some(at) => Settlement::Retry { at, tried },
            None => Settlement::of_late(tried),
        }
    }

    /// Address for the receipts of a provider about a message.
    fn address_for(&self, route: &Route, key: &MessageKey) -> Option<ReceiptAddress> {
        let MessageKey { verification, number, .. } = *key;
        let keys = self.receipts.then_some(&self.keys.receipts)?;
        let keys = Some(keys).filter(|_| route.gives_receipts())?;
        let reference = keys.reference(route.name(), verification, number)?;
        let url = format!("{}{}", self.origin, receipt_path(route.name(), &reference));
        Some(ReceiptAddress { url, reference })
    }

    /// Records the result of a try with the verification and in the outbox.
    async fn settle(
        &self,
        message: &Message,
        tries: u32,
        settled: Settlement,
        alert: Option<Alert>,
    ) {
        let Message { key, leased_until, expires_at, .. } = *message;
        if let Settlement::Unknown { tried } = &settled {
            let unanswered = tried.unanswered();
            tracing::warn!(unanswered, "a message may have been sent, and is not sent again");
        }
        let tallies =
            if settled.is_unsent() { tallies_of_text } else { |_: &_| TallyKeys::default() };
        let change = move |records: &mut Records, now| {
            records.alerts.extend(alert.clone());
            let again = settled.record(records, &key, tries, (now, expires_at));
            records.outbox.push(again.map_or(OutboxChange::Remove { key }, |(at, tried)| {
                let (unanswered, tried) = (tried.unanswered(), tried.to_text());
                OutboxChange::Retry { key, leased_until, at, tries, unanswered, tried }
            }));
        };
        self.queue().settle(message, tallies, change).await;
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

/// Result of a try. A message is given up when no time or no provider is left, or when it cannot be read.
#[derive(Clone, Debug)]
enum Settlement {
    /// It is for a test recipient.
    Pretended,
    /// A provider took it. The tries count if it does not arrive.
    Taken(Taken, Tried),
    Retry {
        at: Timestamp,
        tried: Tried,
    },
    /// It may have arrived, and is not sent again.
    Unknown {
        tried: Tried,
    },
    /// A provider took it, and no other is asked any more.
    Ended,
    /// Every provider has refused it, so the verification fails.
    Refused,
    GivenUp,
}

impl Settlement {
    /// The end of a message that no provider is left for.
    fn of_undelivered(tried: Tried) -> Self {
        match tried.unanswered() {
            0 if tried.was_taken() => Self::Ended,
            0 => Self::Refused,
            // One that was left without an answer may have arrived, and its code is still accepted.
            _ => Self::Unknown { tried },
        }
    }

    /// The end of a message that no time is left for.
    fn of_late(tried: Tried) -> Self {
        match tried.unanswered() {
            0 if tried.was_taken() => Self::Ended,
            0 => Self::GivenUp,
            _ => Self::Unknown { tried },
        }
    }

    /// Whether the message has ended and no try of it can have handed it over.
    fn is_unsent(&self) -> bool {
        matches!(self, Self::Refused | Self::GivenUp)
    }

    /// The progress of the message after it.
    fn delivery(&self) -> DeliveryState {
        match self {
            // A message of unknown fate was handed over, and is not shown as undelivered.
            Self::Pretended | Self::Taken(..) | Self::Unknown { .. } | Self::Ended => {
                DeliveryState::Sent
            }
            Self::Retry { .. } => DeliveryState::Accepted,
            Self::Refused | Self::GivenUp => DeliveryState::Undelivered,
        }
    }

    /// Records it with the verification. Returns the time at which the message is due again, with its tries, if it
    /// is not removed.
    fn record(
        &self,
        records: &mut Records,
        key: &MessageKey,
        tries: u32,
        (now, expires_at): (Timestamp, Timestamp),
    ) -> Option<(Timestamp, Tried)> {
        let Some(verification) = &mut records.verification else {
            return self.retry();
        };
        verification.record_delivery(key.number, self.delivery(), tries);
        if self.is_unsent()
            && let Some(counted) = verification.record_unsent(key.number)
        {
            // It shows nothing about the destination. The ceilings go on counting its texts.
            records.tallies.take_back(counted + records.counters_lead);
        }
        match self {
            Self::Taken(taken, tried) => match verification.record_taken(key.number, taken, now) {
                AfterTaken::Done => return None,
                // For the others at once, or when its time is over.
                AfterTaken::Returned => return Some((now, tried.clone())),
                AfterTaken::Awaits => return Some((expires_at, tried.clone())),
            },
            Self::Refused => verification.record_refusal(now),
            Self::Ended => verification.record_end(key.number, now),
            Self::Retry { tried, .. } | Self::Unknown { tried } => {
                for provider in tried.silent() {
                    verification.record_unanswered(key.number, provider);
                }
            }
            Self::Pretended | Self::GivenUp => {}
        }
        self.retry()
    }

    fn retry(&self) -> Option<(Timestamp, Tried)> {
        let Self::Retry { at, tried } = self else { return None };
        Some((*at, tried.clone()))
    }
}
