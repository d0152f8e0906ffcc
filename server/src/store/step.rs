//! A pure change of stored records, and the one place that runs it.

use std::time::Duration;

use otp::{
    CopyOnWrite, Timestamp, Verification, VerificationId,
    alert::Alert,
    counters::{CallerCounters, RecipientCounters},
    limits::Caller,
    tally::Tallies,
};

use super::OutboxChange;

/// A pure change of the records of one verification.
///
/// A store may run it more than once before it commits, so it does nothing but change the records
/// that it is given.
pub trait Step: Send + 'static {
    /// Answer to the caller, given once the change is durable.
    type Output: Send + 'static;

    /// The verification to change.
    fn verification(&self) -> VerificationId;

    /// Whether it opens the verification, so that there is none to read. Default: no.
    fn opens(&self) -> bool {
        false
    }

    /// Whether it is answered from this verification. Those that its client cannot reach, and those whose time
    /// is over, it treats like one that is not there, and a store may take as long to find them (S9).
    /// Default: yes.
    fn reaches(&self, verification: &Verification) -> bool {
        let _ = verification;
        true
    }

    /// The time at which it is decided.
    fn now(&self) -> Timestamp;

    /// The counters that it needs. Default: none.
    fn counters(&self, verification: Option<&Verification>) -> CounterKeys {
        let _ = verification;
        CounterKeys::default()
    }

    /// Key of the answer that an earlier run may have saved. Default: none.
    fn idempotency_key(&self) -> Option<[u8; 16]> {
        None
    }

    /// Changes the records and says whether the store keeps that.
    fn run(&mut self, records: &mut Records) -> Decision<Self::Output>;
}

/// Whether a step's changes are kept. The caller gets its output in either case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision<T> {
    /// All changes become durable together.
    Commit(T),
    /// None of the changes is kept but those of the tallies, and the alerts: a refusal may be the reason
    /// for one.
    Abort(T),
}

impl<T, E> Decision<Result<T, E>> {
    /// Commits a success and aborts a refusal.
    pub fn commit_success(result: Result<T, E>) -> Self {
        if result.is_ok() { Self::Commit(result) } else { Self::Abort(result) }
    }
}

/// Records that a step reads and changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// The verification; a step that opens one fills it in.
    pub verification: Option<CopyOnWrite<Verification>>,
    /// Counters of the caller, in the order of their keys.
    pub callers: Vec<Caller>,
    /// Counters of the recipient; empty ones that are not kept where the step names no key.
    pub recipient: CopyOnWrite<RecipientCounters>,
    /// Tallies, likewise.
    pub tallies: Tallies,
    /// Alerts for the operator, none at first.
    pub alerts: Vec<Alert>,
    /// Answer that an earlier run has saved under the step's idempotency key.
    pub saved_answer: Option<SavedAnswer>,
    /// Changes to the outbox, empty at first.
    pub outbox: Vec<OutboxChange>,
    /// Span by which the counters' time is ahead of the step's; a step does not change it.
    pub counters_lead: Duration,
}

/// Keys of the counters of a step; `None` where it counts nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CounterKeys {
    /// Keys of the caller's counters.
    pub callers: Vec<CallerKey>,
    /// Key of the recipient's counters.
    pub recipient: Option<CounterKey>,
    /// Names of the tallies.
    pub tallies: TallyKeys,
}

/// Key of the counters of one of a caller's identities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallerKey {
    /// The key.
    pub key: CounterKey,
    /// Key of [`Caller::elsewhere`]; `None` where it is counted under one key only.
    pub elsewhere: Option<CounterKey>,
    /// See [`Caller::times`].
    pub times: u32,
}

/// Names of [`Tallies`]. They hold nothing personal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TallyKeys {
    /// Whether the server's is needed.
    pub server: bool,
    /// Name of the site.
    pub site: Option<String>,
    /// Country, if the site is named.
    pub country: Option<String>,
    /// Prefix, likewise.
    pub prefix: Option<String>,
}

/// A keyed digest of the counted identity, so that the store holds no address beyond the life of
/// the verification that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CounterKey {
    /// The digest.
    pub digest: [u8; 16],
    /// Span after the step's time for which no sweep drops the counters; longer while they hold something
    /// that is needed longer ([`KnownClients`](otp::known::KnownClients)).
    pub kept_for: Duration,
}

/// The answer to a request that carries an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedAnswer {
    /// The answer, encrypted.
    pub sealed: Vec<u8>,
    /// It no longer counts from this time on.
    pub expires_at: Timestamp,
}

/// Told of each change of a verification inside the transaction that makes it, to add what else
/// has to be committed with it.
pub trait Observer: std::fmt::Debug + Send + Sync + 'static {
    /// Adds to the verification and to the outbox what the change from `before` calls for.
    fn changed(
        &self,
        before: Option<&Verification>,
        after: &mut Verification,
        now: Timestamp,
        outbox: &mut Vec<OutboxChange>,
    );

    /// Adds to the outbox what the alerts of a step call for.
    fn alerted(
        &self,
        alerts: &[Alert],
        verification: VerificationId,
        now: Timestamp,
        outbox: &mut Vec<OutboxChange>,
    );

    /// Called once its additions to the outbox and the step with these alerts are committed, if there are any.
    fn committed(&self, alerts: &[Alert]);
}

/// The rows that a back end has to write after a step: only those that the step changed.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) verification: Option<CopyOnWrite<Verification>>,
    /// In the order of their keys.
    pub(super) callers: Vec<Option<CopyOnWrite<CallerCounters>>>,
    pub(super) recipient: Option<CopyOnWrite<RecipientCounters>>,
    pub(super) tallies: Tallies,
    pub(super) saved_answer: Option<SavedAnswer>,
    pub(super) outbox: Vec<OutboxChange>,
    pub(super) told: Told,
}

/// News for the observer after the commit.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// It has added to the outbox.
    pub(super) has_added: bool,
    pub(super) alerts: Vec<Alert>,
}

/// Runs a step over the records that a back end has read.
pub(super) fn run<S: Step>(
    step: &mut S,
    before: &Records,
    observer: Option<&dyn Observer>,
) -> (S::Output, Changes) {
    let mut after = before.clone();
    let (output, mut changes) = match step.run(&mut after) {
        Decision::Commit(output) => (output, committed(step, before, &mut after, observer)),
        Decision::Abort(output) => (output, Changes::default()),
    };
    if let Some(observer) = observer.filter(|_| !after.alerts.is_empty()) {
        let asked = changes.outbox.len();
        observer.alerted(&after.alerts, step.verification(), step.now(), &mut changes.outbox);
        changes.told.has_added |= changes.outbox.len() > asked;
    }
    changes.told.alerts = after.alerts;
    changes.tallies = after.tallies;
    (output, changes)
}

fn committed<S: Step>(
    step: &S,
    before: &Records,
    after: &mut Records,
    observer: Option<&dyn Observer>,
) -> Changes {
    let mut verification = after.verification.take();
    if verification == before.verification {
        verification = None;
    }
    let mut outbox = std::mem::take(&mut after.outbox);
    let asked = outbox.len();
    if let (Some(observer), Some(after)) = (observer, &mut verification) {
        observer.changed(before.verification.as_deref(), after, step.now(), &mut outbox);
    }
    let callers = after.callers.drain(..).zip(&before.callers);
    let changed = |(after, before): (Caller, &Caller)| {
        (after.counters != before.counters).then_some(after.counters)
    };
    let saved_answer = after.saved_answer.take();
    Changes {
        verification,
        callers: callers.map(changed).collect(),
        recipient: (after.recipient != before.recipient)
            .then(|| std::mem::take(&mut after.recipient)),
        tallies: Tallies::default(),
        saved_answer: saved_answer.filter(|answer| Some(answer) != before.saved_answer.as_ref()),
        told: Told { has_added: outbox.len() > asked, alerts: Vec::new() },
        outbox,
    }
}
