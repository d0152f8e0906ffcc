//! The webhook worker: posts the events of the outbox, with retries.
//!
//! It is woken after a commit, and polls the outbox for retries and deadlines that are due and for events
//! whose lease has ended. Events that cannot be posted at once are requeued, which does not count as a
//! try.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::future::join_all;
use otp::Timestamp;
use rand::{TryRng, rngs::SysRng};
use tokio::{sync::OwnedSemaphorePermit, task::JoinSet, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::{
    Endpoint, EventRecorder, Receiver, WebhookSender,
    event::QueuedEvent,
    expiry,
    payload::Data,
    schedule,
    sender::{Answer, Post},
};
use crate::{
    clock::Clock,
    error_chain::log_error,
    outbox::{LeasedQueue, public_id},
    store::{AnyStore, Message, OutboxChange, Queue, Records, TallyKeys},
};

/// Events claimed at once.
const BATCH: usize = 64;
/// Interval between polls of the outbox.
const POLL: Duration = Duration::from_millis(500);
/// Lease of an event beyond the time of two requests.
const MARGIN: Duration = Duration::from_secs(30);

/// Posts the events of the outbox.
#[derive(Debug)]
pub struct WebhookWorker {
    /// The store with the outbox.
    pub store: AnyStore,
    /// The recorder of the events, which wakes the worker.
    pub recorder: Arc<EventRecorder>,
    /// The HTTP client.
    pub sender: WebhookSender,
    /// The receivers.
    pub endpoints: HashMap<Receiver, Endpoint>,
    /// The clock.
    pub clock: Clock,
}

/// Next action for a claimed message.
enum Next {
    /// Post the event when a request is permitted.
    Post { body: String, receiver: Receiver, permit: OwnedSemaphorePermit },
    /// Check the verification at its deadline.
    CheckExpiry(Box<Data>),
    /// Requeue the event, which is not a try.
    Requeue { until: Timestamp },
    /// Remove the message.
    Discard,
}

impl WebhookWorker {
    /// Runs until `stop` is cancelled, then waits for the requests in flight.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut posts = JoinSet::new();
        let mut poll = tokio::time::interval(POLL);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                _ = poll.tick() => {}
                () = self.recorder.woken() => {}
            }
            // After a full batch there may be more.
            while self.work(&mut posts).await == BATCH && !stop.is_cancelled() {}
            while posts.try_join_next().is_some() {}
        }
        while posts.join_next().await.is_some() {}
    }

    /// Claims a batch of messages that are due and waits until they are settled; returns how many.
    pub async fn deliver_due(self: &Arc<Self>) -> usize {
        let mut posts = JoinSet::new();
        let count = self.work(&mut posts).await;
        posts.join_all().await;
        count
    }

    /// Claims a batch, spawns the requests that can be made now and settles the other messages; returns the
    /// size of the batch.
    async fn work(self: &Arc<Self>, posts: &mut JoinSet<()>) -> usize {
        let messages = self.queue().claim(BATCH).await;
        let count = messages.len();
        let mut others = Vec::new();
        for message in messages {
            match self.next(&message) {
                Next::Post { body, receiver, permit } => {
                    let worker = self.clone();
                    posts.spawn(async move {
                        worker.post(&message, &receiver, body).await;
                        drop(permit);
                    });
                }
                other => others.push(self.settle_without_post(message, other)),
            }
        }
        // Concurrently, so that the store can commit them together.
        join_all(others).await;
        count
    }

    fn queue(&self) -> LeasedQueue<'_> {
        let lease = 2 * self.sender.timeout() + MARGIN;
        LeasedQueue { store: &self.store, clock: &self.clock, queue: Queue::Events, lease }
    }

    fn next(&self, message: &Message) -> Next {
        let now = self.clock.now();
        let queued = match QueuedEvent::open(message, self.recorder.sealer()) {
            Ok(queued) => queued,
            Err(error) => {
                log_error(&error, "discarding an unreadable webhook event");
                return Next::Discard;
            }
        };
        let receiver = queued.receiver();
        let Some(endpoint) = self.endpoints.get(&receiver) else {
            tracing::warn!(%receiver, "discarding an event: the receiver has no webhook");
            return Next::Discard;
        };
        let body = match queued {
            QueuedEvent::Deadline(data) => return Next::CheckExpiry(data),
            QueuedEvent::Event { body, .. } | QueuedEvent::Alert { body } => body,
        };
        if message.expires_at <= now {
            tracing::warn!(%receiver, tries = message.tries, "discarding an event: it is too old");
            return Next::Discard;
        }
        if let Some(until) = endpoint.open_until(now) {
            return Next::Requeue { until };
        }
        match endpoint.reserve(now) {
            Ok(permit) => Next::Post { body, receiver, permit },
            Err(until) => Next::Requeue { until },
        }
    }

    async fn settle_without_post(&self, message: Message, next: Next) {
        match next {
            Next::CheckExpiry(data) => self.check_expiry(&message, *data).await,
            Next::Requeue { until } => self.retry(&message, until, message.tries).await,
            Next::Discard | Next::Post { .. } => self.remove(&message).await,
        }
    }

    /// Posts an event when a request is permitted, and settles it.
    async fn post(&self, message: &Message, receiver: &Receiver, body: String) {
        let Some(endpoint) = self.endpoints.get(receiver) else { return };
        let Ok(_permit) = endpoint.request_permit().await else { return };
        let now = self.clock.now();
        if let Some(until) = endpoint.open_until(now) {
            return self.retry(message, until, message.tries).await;
        }
        if now + self.sender.timeout() > message.leased_until {
            // The lease could end during the request, and then another worker would post it too.
            return self.retry(message, now, message.tries).await;
        }
        let id = format!("msg_{}", public_id(&message.key));
        let Endpoint { url, signer, breaker, .. } = endpoint;
        let tries = message.tries + 1;
        match self.sender.post(Post { url, signer, id: &id, body, now }).await {
            Answer::Accepted => {
                breaker.succeeded();
                tracing::debug!(%receiver, id, tries, "webhook event delivered");
                self.remove(message).await;
            }
            Answer::Gone => {
                breaker.succeeded();
                tracing::warn!(%receiver, id, "discarding an event: the receiver answered 410");
                self.remove(message).await;
            }
            Answer::Failed { reason, not_before } => {
                breaker.failed(now);
                tracing::warn!(%receiver, id, tries, reason, "webhook request failed");
                let now = self.clock.now();
                let wait = schedule::wait_after(tries, jitter());
                let at = wait.map(|wait| (now + wait).max(not_before.unwrap_or_default()));
                if let Some(at) = at.filter(|at| *at < message.expires_at) {
                    return self.retry(message, at, tries).await;
                }
                tracing::warn!(%receiver, id, tries, "discarding an event: no retries are left");
                self.remove(message).await;
            }
        }
    }

    async fn retry(&self, message: &Message, at: Timestamp, tries: u32) {
        let Message { key, leased_until, unanswered, .. } = *message;
        let tried = String::new();
        let change = OutboxChange::Retry { key, leased_until, at, tries, unanswered, tried };
        self.settle(message, change).await;
    }

    async fn remove(&self, message: &Message) {
        self.settle(message, OutboxChange::Remove { key: message.key }).await;
    }

    async fn settle(&self, message: &Message, change: OutboxChange) {
        let change = move |records: &mut Records, _| records.outbox.push(change.clone());
        self.queue().settle(message, |_| TallyKeys::default(), change).await;
    }

    /// Records the expiry event of a verification, or postpones its deadline.
    async fn check_expiry(&self, message: &Message, data: Data) {
        let (deadline, recorder) = (message.clone(), self.recorder.clone());
        let check = move |records: &mut Records, now| {
            expiry::check(&deadline, &data, &recorder, records, now);
        };
        self.queue().settle(message, |_| TallyKeys::default(), check).await;
        self.recorder.wake();
    }
}

/// A uniform number that spreads retries.
fn jitter() -> u32 {
    SysRng.try_next_u32().unwrap_or_default()
}
