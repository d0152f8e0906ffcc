//! The events worker: takes events to their receivers until they are taken or too old.
//!
//! It is woken when something was committed, and looks into the outbox now and then for what came
//! back: events whose next try is due, deadlines, and what an earlier process has left behind. What
//! cannot be posted at once goes back to the outbox, and that is no try.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::future::join_all;
use otp::Timestamp;
use rand::{TryRng, rngs::SysRng};
use tokio::{sync::OwnedSemaphorePermit, task::JoinSet, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::{
    Endpoint, EventRecorder, WebhookSender,
    event::QueuedEvent,
    expiry::Lapse,
    payload::Data,
    schedule,
    sender::{Answer, Post},
};
use crate::{
    clock::Clock,
    error_chain::log_error,
    outbox::{ChangeOutbox, LeasedQueue, public_id},
    store::{Message, Observer, OutboxChange, Queue, Store},
};

/// Events claimed at once.
const BATCH: usize = 64;
/// How often the outbox is asked for what came back.
const LOOK: Duration = Duration::from_millis(500);
/// What a lease lasts beyond one request.
const MARGIN: Duration = Duration::from_secs(30);

/// What a worker works with.
#[derive(Debug)]
pub struct WebhookWorker<S> {
    /// Where the events are kept.
    pub store: S,
    /// Who has put them there.
    pub recorder: Arc<EventRecorder>,
    /// Who posts them.
    pub sender: WebhookSender,
    /// The receivers, by the name of their site.
    pub endpoints: HashMap<String, Endpoint>,
    /// The time.
    pub clock: Clock,
}

/// What is done next with a notice that was claimed.
enum Next {
    /// It is posted as soon as there is a place.
    Post { body: String, site: String, room: OwnedSemaphorePermit },
    /// Its time has come, and the verification is looked at.
    Look(Box<Data>),
    /// It waits, and that is no try.
    Wait { until: Timestamp },
    /// It is given up.
    GiveUp,
}

impl<S: Store> WebhookWorker<S> {
    /// Works until `stop` is cancelled, then finishes what is being posted and returns.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut posts = JoinSet::new();
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                _ = look.tick() => {}
                () = self.recorder.woken() => {}
            }
            // Where a batch was full there may be more.
            while self.work(&mut posts).await == BATCH && !stop.is_cancelled() {}
            while posts.try_join_next().is_some() {}
        }
        while posts.join_next().await.is_some() {}
    }

    /// Claims everything that is due, and waits until it was posted. Gives the number of events and
    /// deadlines.
    pub async fn deliver_due(self: &Arc<Self>) -> usize {
        let mut posts = JoinSet::new();
        let count = self.work(&mut posts).await;
        posts.join_all().await;
        count
    }

    /// Claims a batch, starts to post what can be posted now, and puts the rest off. Gives the
    /// number of messages.
    async fn work(self: &Arc<Self>, posts: &mut JoinSet<()>) -> usize {
        let messages = self.queue().claim(BATCH).await;
        let count = messages.len();
        let mut others = Vec::new();
        for message in messages {
            match self.next(&message) {
                Next::Post { body, site, room } => {
                    let worker = self.clone();
                    posts.spawn(async move {
                        worker.post(&message, &site, body).await;
                        drop(room);
                    });
                }
                other => others.push(self.put_off(message, other)),
            }
        }
        // All together, in as few commits as the store can make of it.
        join_all(others).await;
        count
    }

    fn queue(&self) -> LeasedQueue<'_, S> {
        let lease = 2 * self.sender.patience() + MARGIN;
        LeasedQueue { store: &self.store, clock: &self.clock, queue: Queue::Events, lease }
    }

    fn next(&self, message: &Message) -> Next {
        let now = self.clock.now();
        let notice = match QueuedEvent::open(message, self.recorder.sealer()) {
            Ok(notice) => notice,
            Err(error) => {
                log_error(&error, "an event of the outbox cannot be read and is given up");
                return Next::GiveUp;
            }
        };
        let Some(endpoint) = self.endpoints.get(notice.site()) else {
            tracing::warn!(site = notice.site(), "the site has no webhook: an event is given up");
            return Next::GiveUp;
        };
        let (site, body) = match notice {
            QueuedEvent::Deadline(data) => return Next::Look(data),
            QueuedEvent::Event { site, body } => (site, body),
        };
        if message.expires_at <= now {
            tracing::warn!(site, tries = message.tries, "an event has grown too old");
            return Next::GiveUp;
        }
        if let Some(until) = endpoint.rest(now) {
            return Next::Wait { until };
        }
        match endpoint.room(now) {
            Ok(room) => Next::Post { body, site, room },
            Err(until) => Next::Wait { until },
        }
    }

    async fn put_off(&self, message: Message, next: Next) {
        match next {
            Next::Look(data) => self.lapse(&message, *data).await,
            Next::Wait { until } => self.retry(&message, until, message.tries).await,
            Next::GiveUp | Next::Post { .. } => self.remove(&message).await,
        }
    }

    /// Posts one event as soon as there is a place, and settles it.
    async fn post(&self, message: &Message, site: &str, body: String) {
        let Some(endpoint) = self.endpoints.get(site) else { return };
        let Ok(_place) = endpoint.place().await else { return };
        let now = self.clock.now();
        if let Some(until) = endpoint.rest(now) {
            return self.retry(message, until, message.tries).await;
        }
        if now + self.sender.patience() > message.leased_until {
            // It has waited too long: the lease could end while it is posted, and then it would be
            // posted twice at the same time.
            return self.retry(message, now, message.tries).await;
        }
        let id = format!("msg_{}", public_id(&message.key));
        let Endpoint { url, signer, breaker, .. } = endpoint;
        let tries = message.tries + 1;
        match self.sender.post(Post { url, signer, id: &id, body, now }).await {
            Answer::Taken => {
                breaker.succeeded();
                tracing::debug!(site, id, tries, "an event was taken");
                self.remove(message).await;
            }
            Answer::Gone => {
                breaker.succeeded();
                tracing::warn!(site, id, "the receiver is gone: an event is given up");
                self.remove(message).await;
            }
            Answer::Failed { reason, not_before } => {
                breaker.failed(now);
                tracing::warn!(site, id, tries, reason, "an event was not taken");
                let now = self.clock.now();
                let wait = schedule::wait_after(tries, chance());
                let at = wait.map(|wait| (now + wait).max(not_before.unwrap_or_default()));
                if let Some(at) = at.filter(|at| *at < message.expires_at) {
                    return self.retry(message, at, tries).await;
                }
                tracing::warn!(site, id, tries, "an event is given up");
                self.remove(message).await;
            }
        }
    }

    async fn retry(&self, message: &Message, at: Timestamp, tries: u32) {
        let Message { key, leased_until, unanswered, .. } = *message;
        let change = OutboxChange::Retry { key, leased_until, at, tries, unanswered };
        self.settle(message, change).await;
    }

    async fn remove(&self, message: &Message) {
        self.settle(message, OutboxChange::Remove { key: message.key }).await;
    }

    async fn settle(&self, message: &Message, change: OutboxChange) {
        let verification = message.key.verification;
        let step = |now| ChangeOutbox { verification, change: change.clone(), now };
        self.queue().settle(message.leased_until, step).await;
    }

    /// Tells of a verification that time has ended, or looks again at its new deadline.
    async fn lapse(&self, message: &Message, data: Data) {
        let Message { key, leased_until, .. } = *message;
        let recorder = &self.recorder;
        let step = |now| {
            let (recorder, data) = (recorder.clone(), data.clone());
            Lapse { key, leased_until, data, recorder, now }
        };
        self.queue().settle(leased_until, step).await;
        self.recorder.committed();
    }
}

/// A uniform number, so that what was held up together does not come back together.
fn chance() -> u32 {
    SysRng.try_next_u32().unwrap_or_default()
}
