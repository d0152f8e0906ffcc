//! The store of verifications, counters and the outbox.
//!
//! [`Store`] is made of atomic operations. The rules themselves are never written again in
//! SQL: a [`Step`] is a pure function over [`Records`], and a store runs it atomically and makes
//! its changes durable before it answers.

mod batch;
mod postgres;
mod pseudonyms;
mod sqlite;
mod step;
mod store_key;

#[cfg(test)]
mod contract;

use std::{sync::Arc, time::Duration};

use otp::{Timestamp, Verification, VerificationId};

pub use self::{
    postgres::{Inspected, PostgresError, PostgresProblem, PostgresSettings, PostgresStore},
    pseudonyms::Pseudonyms,
    sqlite::{OpenError, OpenProblem, SqliteStore},
    step::{
        CallerKey, CounterKey, CounterKeys, Decision, Observer, Records, SavedAnswer, Step,
        TallyKeys,
    },
    store_key::StoreKeyError,
};

/// Durable, atomic storage for everything that must not be lost or raced for.
///
/// The contract, checked for every back end by one suite:
/// - The changes of a step that [`Store::apply`] has answered survive `kill -9` and power loss.
/// - Steps on one verification, and steps that share counters, run one after another: each sees
///   all changes of the one before it.
/// - A step that returns [`Decision::Abort`] leaves no trace but in tallies and alerts; one that
///   returns [`Decision::Commit`] is kept whole, refusals included.
/// - Tallies may be behind by the steps that run at the same time.
/// - A step that cannot be committed leaves no trace, and its caller gets an error, never an
///   answer.
/// - The [`Observer`] sees each change of a verification and all alerts, and its additions are committed with
///   them.
/// - A message is claimed by one caller at a time, until it is settled or its lease runs out.
/// - Verifications are encrypted where they are kept.
/// - The [`Pseudonyms`] are the same for the whole life of the store.
///
/// Every method fails with [`StoreError`] where the store is away, overloaded or unreadable.
pub trait Store: Clone + Send + Sync + 'static {
    /// The same store, whose changes `observer` is told of.
    #[must_use]
    fn observed_by(self, observer: Arc<dyn Observer>) -> Self;

    /// Names for the counters and saved answers of this store.
    fn pseudonyms(&self) -> Arc<Pseudonyms>;

    /// Looks a verification up. Changes nothing.
    fn read(&self, id: VerificationId) -> impl StoreFuture<Option<Verification>>;

    /// Runs `step` over the records that it names and commits its changes, all or nothing.
    fn apply<S: Step>(&self, step: S) -> impl StoreFuture<S::Output>;

    /// Leases up to `limit` messages of one queue that are due at `now`, the longest waiting first.
    /// Each returns to the queue by itself after `lease`, unless it is settled before.
    fn claim(
        &self,
        queue: Queue,
        now: Timestamp,
        lease: Duration,
        limit: usize,
    ) -> impl StoreFuture<Vec<Message>>;

    /// Time at which the next message of a queue will be due, leased ones included.
    fn next_due(&self, queue: Queue) -> impl StoreFuture<Option<Timestamp>>;

    /// Drops verifications opened before `now - retention`, and counters, saved answers and
    /// messages whose time is over, a bounded number of each. Also remembers `now` for
    /// [`Store::latest_time`].
    fn sweep(&self, now: Timestamp, retention: Duration) -> impl StoreFuture<Swept>;

    /// The latest time that this store has seen, so that a clock that was set back between two
    /// starts does not revive what has expired.
    fn latest_time(&self) -> impl StoreFuture<Timestamp>;

    /// Remembers `now` as the latest time, at the start of a server.
    ///
    /// If the store has seen a later time, that one was wrong, and everything that it is compared with has to go
    /// back with it: verifications and codes count as expired, all of them, and are dropped. Events and
    /// saved answers keep their distance from the latest time. The counters' time does not go back: it
    /// is ahead of the clock's from then on ([`Records::counters_lead`]), so no budget is refilled and no
    /// limit is stuck (S37).
    fn resume(&self, now: Timestamp) -> impl StoreFuture<()>;

    /// Succeeds if a write would go through.
    fn ping(&self) -> impl StoreFuture<()>;
}

/// Future of a result of the store.
pub trait StoreFuture<T>: Future<Output = Result<T, StoreError>> + Send {}

impl<T, F: Future<Output = Result<T, StoreError>> + Send> StoreFuture<T> for F {}

/// The store of a running server: one of the back ends, chosen by `startup`.
#[derive(Clone, Debug)]
pub enum AnyStore {
    /// One file beside the binary.
    Sqlite(SqliteStore),
    /// A database that many servers share.
    Postgres(PostgresStore),
}

/// Evaluates an expression on whichever back end there is.
macro_rules! on_back_end {
    ($any:ident, $store:ident => $value:expr) => {
        match $any {
            AnyStore::Sqlite($store) => $value,
            AnyStore::Postgres($store) => $value,
        }
    };
}

impl AnyStore {
    /// The time of the database's clock; `None` where that is this machine's.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn time(&self) -> Result<Option<Timestamp>, StoreError> {
        match self {
            Self::Sqlite(_) => Ok(None),
            Self::Postgres(store) => store.time().await.map(Some),
        }
    }
}

impl Store for AnyStore {
    fn observed_by(self, observer: Arc<dyn Observer>) -> Self {
        match self {
            Self::Sqlite(store) => Self::Sqlite(store.observed_by(observer)),
            Self::Postgres(store) => Self::Postgres(store.observed_by(observer)),
        }
    }

    fn pseudonyms(&self) -> Arc<Pseudonyms> {
        on_back_end!(self, store => store.pseudonyms())
    }

    async fn read(&self, id: VerificationId) -> Result<Option<Verification>, StoreError> {
        on_back_end!(self, store => store.read(id).await)
    }

    async fn apply<S: Step>(&self, step: S) -> Result<S::Output, StoreError> {
        on_back_end!(self, store => store.apply(step).await)
    }

    async fn claim(
        &self,
        queue: Queue,
        now: Timestamp,
        lease: Duration,
        limit: usize,
    ) -> Result<Vec<Message>, StoreError> {
        on_back_end!(self, store => store.claim(queue, now, lease, limit).await)
    }

    async fn next_due(&self, queue: Queue) -> Result<Option<Timestamp>, StoreError> {
        on_back_end!(self, store => store.next_due(queue).await)
    }

    async fn sweep(&self, now: Timestamp, retention: Duration) -> Result<Swept, StoreError> {
        on_back_end!(self, store => store.sweep(now, retention).await)
    }

    async fn latest_time(&self) -> Result<Timestamp, StoreError> {
        on_back_end!(self, store => store.latest_time().await)
    }

    async fn resume(&self, now: Timestamp) -> Result<(), StoreError> {
        on_back_end!(self, store => store.resume(now).await)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        on_back_end!(self, store => store.ping().await)
    }
}

/// Queue of the outbox, claimed by itself so that a flood of one never keeps the other waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Queue {
    /// Codes on their way to people.
    Codes,
    /// Webhook events for relying parties.
    Events,
}

/// Key of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageKey {
    /// The queue that it is in.
    pub queue: Queue,
    /// The verification it belongs to.
    pub verification: VerificationId,
    /// Number of the send, or of the event.
    pub number: u32,
}

/// A message in the outbox.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Its key.
    pub key: MessageKey,
    /// Nothing is sent from this time on, and a sweep may drop it.
    pub expires_at: Timestamp,
    /// Number of times that a provider or receiver was asked to take it.
    pub tries: u32,
    /// Number of tries that were left without an answer.
    pub unanswered: u32,
    /// The worker's record of the tries, which the store does not read; empty at first. Nothing personal.
    pub tried: String,
    /// End of the lease of the worker that holds it; another may claim it from then on.
    pub leased_until: Timestamp,
    /// Content and recipient, encrypted under a key that is not in the store.
    pub sealed: Vec<u8>,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message")
            .field("key", &self.key)
            .field("expires_at", &self.expires_at)
            .field("tries", &self.tries)
            .field("unanswered", &self.unanswered)
            .field("tried", &self.tried)
            .field("leased_until", &self.leased_until)
            .finish_non_exhaustive()
    }
}

/// A change to the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboxChange {
    /// Adds a message that is leased to the caller, who hands it over at once. If the caller dies,
    /// it is due when the lease ends or when the process starts again.
    Enqueue {
        /// The message.
        message: Message,
    },
    /// Adds a message that can be claimed from `at` on. Its lease is ignored, and neither a restart
    /// nor a sweep brings it forward. A message that is there already stays as it is.
    Schedule {
        /// The message.
        message: Message,
        /// Time at which it is due.
        at: Timestamp,
    },
    /// Returns a message to its queue. Does nothing if another worker has claimed it since.
    Retry {
        /// Its key.
        key: MessageKey,
        /// End of the lease under which it is returned.
        leased_until: Timestamp,
        /// Time at which it is due again.
        at: Timestamp,
        /// Number of tries so far.
        tries: u32,
        /// Number of tries that were left without an answer.
        unanswered: u32,
        /// The worker's record of the tries.
        tried: String,
    },
    /// Prolongs the lease of a message. Does nothing if another worker has claimed it since.
    Renew {
        /// Its key.
        key: MessageKey,
        /// End of the lease so far.
        leased_until: Timestamp,
        /// Its new end.
        until: Timestamp,
    },
    /// Removes a message: it was handed over, or never will be.
    Remove {
        /// Its key.
        key: MessageKey,
    },
}

/// Numbers of records that a sweep dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Verifications.
    pub verifications: usize,
    /// Counters.
    pub counters: usize,
    /// Saved answers.
    pub saved_answers: usize,
    /// Messages that nobody settled although their time has long been over.
    pub messages: usize,
    /// The sweep reached its bound, so there may be more.
    pub more: bool,
}

/// Error of a store. Nothing was approved, and nothing counted unless the store failed during the
/// commit itself.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It is away, too slow or overloaded.
    #[error("reaching the store")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A record cannot be read.
    #[error("reading a stored record")]
    Corrupt(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A step panicked; its change was rolled back.
    #[error("running a step over the stored records")]
    Panicked,
}
