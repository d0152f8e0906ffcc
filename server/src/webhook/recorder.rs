//! Putting events into the outbox, in the same commit as the change that they tell of.

use std::{collections::HashSet, sync::Arc};

use otp::{Timestamp, Verification, VerificationId, event, verification::State};
use tokio::sync::Notify;

use super::event as queued;
use crate::{
    derived_keys::Sealer,
    store::{CounterKey, OutboxChange, Records, Step},
};

/// Knows which sites are told of their verifications. Cheap to clone; whoever changes verifications
/// has one.
#[derive(Clone, Debug)]
pub struct EventRecorder(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    sites: HashSet<String>,
    sealer: Arc<Sealer>,
    wake: Notify,
}

impl EventRecorder {
    /// Announces to the sites with these names.
    pub fn new(sites: impl IntoIterator<Item = String>, sealer: Arc<Sealer>) -> Self {
        let sites = sites.into_iter().collect();
        Self(Arc::new(Shared { sites, sealer, wake: Notify::new() }))
    }

    /// A step that does what `step` does and announces it. [`EventRecorder::wake`] is for when it has
    /// been committed.
    pub fn announcing<S: Step>(&self, step: S, now: Timestamp) -> Announced<S> {
        Announced { step, recorder: self.clone(), now }
    }

    /// Wakes the worker, for whom there may be something in the outbox.
    pub fn wake(&self) {
        if !self.0.sites.is_empty() {
            self.0.wake.notify_one();
        }
    }

    /// Waits until somebody has called [`EventRecorder::wake`].
    pub(super) async fn woken(&self) {
        self.0.wake.notified().await;
    }

    pub(super) fn sealer(&self) -> &Sealer {
        &self.0.sealer
    }

    fn serves(&self, verification: &Verification) -> bool {
        self.0.sites.contains(verification.site())
    }

    /// Puts into the outbox what the change from `before` to `after` amounts to.
    fn announce(
        &self,
        before: Option<&Verification>,
        after: &mut Verification,
        now: Timestamp,
        outbox: &mut Vec<OutboxChange>,
    ) {
        let sealer = self.sealer();
        let mut changes = Vec::new();
        for event in event::between(before, after, now) {
            let number = after.number_event();
            changes.push(queued::event(after, (event, number), now, sealer));
        }
        let is_open = after.state(now) == State::Pending;
        match before {
            None if is_open => changes.push(queued::deadline(after, now, sealer)),
            Some(before) if before.state(now) == State::Pending && !is_open => {
                changes.push(Ok(queued::without_deadline(after.id())));
            }
            _ => {}
        }
        for change in changes {
            if let Ok(change) = change {
                outbox.push(change);
            } else {
                // The cryptographic library itself has failed, without which no code is made
                // either. What was asked for is done all the same.
                tracing::error!("an event could not be encrypted and is lost");
            }
        }
    }
}

/// A step that announces what it does.
#[derive(Debug)]
pub struct Announced<S> {
    step: S,
    recorder: EventRecorder,
    now: Timestamp,
}

impl<S: Step> Step for Announced<S> {
    type Output = S::Output;

    fn verification(&self) -> VerificationId {
        self.step.verification()
    }

    fn counters(&self, verification: Option<&Verification>) -> Vec<CounterKey> {
        self.step.counters(verification)
    }

    fn idempotency_key(&self) -> Option<[u8; 16]> {
        self.step.idempotency_key()
    }

    fn run(&mut self, records: &mut Records) -> S::Output {
        let Self { step, recorder, now } = self;
        let before = match &records.verification {
            Some(found) if !recorder.serves(found) => return step.run(records),
            found => found.clone(),
        };
        let output = step.run(records);
        let Records { verification, outbox, .. } = records;
        if let Some(after) = verification.as_mut().filter(|after| recorder.serves(after))
            && before.as_ref() != Some(after)
        {
            recorder.announce(before.as_ref(), after, *now, outbox);
        }
        output
    }
}
