//! Where verifications, budgets and the outbox live.
//!
//! [`Store`] is written in verbs that cannot race. The rules themselves are never written again in
//! SQL: a [`Step`] is a pure function over [`Records`], and a store's only art is to run it
//! atomically and to make what it did durable before it answers.

mod sqlite;

#[cfg(test)]
mod contract;

use std::{future::Future, time::Duration};

use otp::{Timestamp, Verification, VerificationId, quota::Counters};

pub use self::sqlite::{OpenError, SqliteStore};

/// A durable, atomic home for everything that must not be lost or raced for.
///
/// The contract, checked for every back end by one suite:
/// - What [`Store::apply`] has answered survives `kill -9` and power loss.
/// - Steps on one verification, and steps that share an account, run one after another: each sees
///   all that the one before it did.
/// - A step that fails to commit leaves no trace, and its caller gets an error: never an answer.
/// - A message is claimed by one caller at a time, until it is settled or its lease runs out.
pub trait Store: Clone + Send + Sync + 'static {
    /// Looks a verification up. Changes nothing.
    fn read(&self, id: VerificationId) -> Answer<'_, Option<Verification>>;

    /// Runs `step` over the records it names and commits what it changed, all or nothing.
    fn apply<S: Step>(&self, step: S) -> Answer<'_, S::Output>;

    /// Leases up to `limit` messages of one queue that are due at `now`, the longest waiting first.
    /// Each comes back to the queue by itself after `lease`, unless it is settled before.
    fn claim(
        &self,
        queue: Queue,
        now: Timestamp,
        lease: Duration,
        limit: usize,
    ) -> Answer<'_, Vec<Message>>;

    /// When the next message of a queue will be due, leased ones included.
    fn next_due(&self, queue: Queue) -> Answer<'_, Option<Timestamp>>;

    /// Drops verifications opened before `now - retention`, and counters, saved answers and messages
    /// whose time is over, a bounded number of each. Also remembers `now` for [`Store::latest_time`].
    fn sweep(&self, now: Timestamp, retention: Duration) -> Answer<'_, Swept>;

    /// The latest time that this store has seen, so that a clock that was set back between two
    /// starts does not revive what has expired.
    fn latest_time(&self) -> Answer<'_, Timestamp>;

    /// Whether a write would go through.
    fn ping(&self) -> Answer<'_, ()>;
}

/// What every verb answers with.
pub type Answer<'a, T> = std::pin::Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A pure change. It may be run more than once before it commits, so it does nothing but change the
/// records it is given.
pub trait Step: Send + 'static {
    /// What the caller learns, once the change is durable.
    type Output: Send + 'static;

    /// The verification it is about.
    fn verification(&self) -> VerificationId;

    /// The counters it counts in, in the order in which [`Records::counters`] holds them.
    fn counters(&self, verification: Option<&Verification>) -> Vec<CounterKey>;

    /// Under which name the answer of an earlier run may be kept, if it may.
    fn idempotency_key(&self) -> Option<[u8; 16]> {
        None
    }

    /// Makes the change.
    fn run(&mut self, records: &mut Records) -> Self::Output;
}

/// What a step may read and change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Records {
    /// The verification; a step that opens one fills it in.
    pub verification: Option<Verification>,
    /// The counters that the step asked for, in its order.
    pub counters: Vec<Counters>,
    /// What is to happen to the outbox.
    pub outbox: Vec<OutboxChange>,
    /// What an earlier run has kept under the step's [`Step::idempotency_key`].
    pub saved_answer: Option<SavedAnswer>,
}

/// What is kept of a request, so that sending it again does nothing again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedAnswer {
    /// What it was answered with, encrypted.
    pub sealed: Vec<u8>,
    /// From when on it no longer counts.
    pub expires_at: Timestamp,
}

/// The key of an account: a keyed digest of what is counted, so that the store holds no address
/// beyond the life of the verification it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CounterKey {
    /// The digest.
    pub digest: [u8; 16],
    /// From when on what is counted under it no longer matters.
    pub expires_at: Timestamp,
}

/// Messages of one kind. Each kind lies and is claimed by itself, so that a flood of one never
/// keeps the other waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Queue {
    /// Codes on their way to people.
    Codes,
    /// What relying parties are told.
    Events,
}

/// Names one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageKey {
    /// What kind of message it is.
    pub queue: Queue,
    /// The verification it belongs to.
    pub verification: VerificationId,
    /// Which of its kind it is: the number of the send, or of the event.
    pub number: u32,
}

/// A message in the outbox.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Which it is.
    pub key: MessageKey,
    /// Nothing is sent from this time on, and a sweep may drop it.
    pub expires_at: Timestamp,
    /// How many times somebody was asked to take it.
    pub tries: u32,
    /// After how many of these it is not known whether they took it.
    pub unanswered: u32,
    /// Until when it belongs to whoever holds it; from then on it may be handed to another.
    pub leased_until: Timestamp,
    /// What it says and to whom, encrypted under a key that is not in the store.
    pub sealed: Vec<u8>,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message")
            .field("key", &self.key)
            .field("expires_at", &self.expires_at)
            .field("tries", &self.tries)
            .field("unanswered", &self.unanswered)
            .field("leased_until", &self.leased_until)
            .finish_non_exhaustive()
    }
}

/// A change to the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboxChange {
    /// Takes a message in. It is leased to the caller, who hands it over at once; should the caller
    /// die, it is due when the lease ends, or when the process starts again.
    Enqueue {
        /// The message.
        message: Message,
    },
    /// Takes a message in that is nobody's until it is claimed, from `at` on. What it says of a
    /// lease counts for nothing, and neither a restart nor a sweep brings it forward. One that is
    /// there already stays as it is.
    Schedule {
        /// The message.
        message: Message,
        /// When it is due.
        at: Timestamp,
    },
    /// Gives a message back, to be claimed again later. Does nothing where it is another's by now.
    Retry {
        /// Which.
        key: MessageKey,
        /// Until when it was leased to who gives it back, by which their lease is known.
        leased_until: Timestamp,
        /// When it is due again.
        at: Timestamp,
        /// How many tries it has had.
        tries: u32,
        /// How many of these were left without an answer.
        unanswered: u32,
    },
    /// Takes a message out: it was handed over, or never will be.
    Remove {
        /// Which.
        key: MessageKey,
    },
}

/// What a sweep dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Verifications.
    pub verifications: usize,
    /// Accounts.
    pub counters: usize,
    /// Answers kept for requests that might have been sent again.
    pub saved_answers: usize,
    /// Messages nobody settled although their time has long been over.
    pub messages: usize,
    /// It has dropped as much as one sweep does, and there may be more.
    pub more: bool,
}

/// Why a store did not answer. Whatever was asked was not approved, and was not counted unless the
/// store gave out while committing it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It is away, too slow or overloaded.
    #[error("reaching the store")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It holds something that cannot be read.
    #[error("reading a stored record")]
    Corrupt(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A step panicked; its change was rolled back.
    #[error("running a step over the stored records")]
    Panicked,
}
