//! A step that waits for its batch, with its type erased.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use otp::{Verification, VerificationId};
use tokio::sync::oneshot;

use super::rows::BatchRows;
use crate::store::{
    CounterKeys, Observer, Step, StoreError,
    batch::{self, Kept},
    step::Told,
};

/// A step of any type.
pub(super) trait Job: Send {
    /// Whether its caller has given up.
    fn is_abandoned(&self) -> bool;

    /// The verification to read; `None` for a step that opens it.
    fn verification(&self) -> Option<VerificationId>;

    fn idempotency_key(&self) -> Option<[u8; 16]>;

    fn counters(&self, verification: Option<&Verification>) -> CounterKeys;

    /// Runs the step over the rows that were read. One that fails leaves no trace and fails alone.
    fn run(&mut self, kept: &mut Kept, rows: &mut BatchRows, counters_lead: Duration);

    /// Whether it has to run in a later batch, since a step before it in this one has changed the rows it needs.
    fn is_deferred(&self) -> bool;

    /// Answers the caller: with the result of the step, or with the reason why its batch was not committed.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

/// A step with its caller.
pub(super) struct Waiting<S: Step> {
    step: S,
    observer: Option<Arc<dyn Observer>>,
    reply: oneshot::Sender<Result<(S::Output, Told), StoreError>>,
    result: Option<Result<(S::Output, Told), StoreError>>,
    is_deferred: bool,
}

/// Receives the result of a step.
pub(super) type Answer<S> = oneshot::Receiver<Result<(<S as Step>::Output, Told), StoreError>>;

impl<S: Step> Waiting<S> {
    pub(super) fn new(step: S, observer: Option<Arc<dyn Observer>>) -> (Box<Self>, Answer<S>) {
        let (reply, answer) = oneshot::channel();
        (Box::new(Self { step, observer, reply, result: None, is_deferred: false }), answer)
    }
}

impl<S: Step> Job for Waiting<S> {
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn verification(&self) -> Option<VerificationId> {
        (!self.step.opens()).then(|| self.step.verification())
    }

    fn idempotency_key(&self) -> Option<[u8; 16]> {
        self.step.idempotency_key()
    }

    fn counters(&self, verification: Option<&Verification>) -> CounterKeys {
        // A panic in a step must not take the store down; `run` reports it.
        catch_unwind(AssertUnwindSafe(|| self.step.counters(verification))).unwrap_or_default()
    }

    fn run(&mut self, kept: &mut Kept, rows: &mut BatchRows, counters_lead: Duration) {
        let Self { step, observer, .. } = self;
        rows.is_incomplete = false;
        let result = catch_unwind(AssertUnwindSafe(|| {
            batch::apply(step, kept, rows, observer.as_deref(), counters_lead)
        }));
        self.is_deferred = rows.is_incomplete;
        self.result = Some(result.unwrap_or(Err(StoreError::Panicked)));
    }

    fn is_deferred(&self) -> bool {
        self.is_deferred
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let not_run = || Err(StoreError::Unavailable("the step was not run".into()));
        let Self { reply, result, .. } = *self;
        let answer = committed.and_then(|()| result.unwrap_or_else(not_run));
        // The caller may have given up.
        let _ = reply.send(answer);
    }
}
