//! The embedded store: one SQLite file beside the binary.
//!
//! One thread writes, in groups (see [`worker`]); others read. WAL keeps readers and the writer out
//! of each other's way, and `synchronous=FULL` flushes the log at every commit, so what was answered
//! is on the disk. A lock beside the file keeps a second server away from it: leases and the group
//! commit assume one owner.

mod connection_thread;
mod rows;
mod schema;

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use otp::{Timestamp, Verification, VerificationId};
use rusqlite::{Connection, OptionalExtension, params};

use self::connection_thread::{Access, ConnectionThread};
use super::{
    Answer, CounterKey, Message, OutboxChange, Queue, Records, Step, Store, StoreError, Swept,
};

/// Threads that read. Reading a row that is in memory takes microseconds.
const READERS: usize = 2;
/// Rows of each table that one sweep looks at, so that it never holds the writer for long.
const SWEEP: i64 = 500;

/// A store in one SQLite file.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    writer: ConnectionThread,
    readers: Arc<[ConnectionThread]>,
    next_reader: Arc<AtomicUsize>,
    /// Where the next sweep of the counters goes on: their keys are digests in no useful order.
    sweep_from: Arc<Mutex<Vec<u8>>>,
    /// Held as long as the store lives.
    _lock: Arc<File>,
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder or the lock could not be made.
    #[error("creating {}", path.display())]
    Create {
        /// What could not be made.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another process has it open.
    #[error("{} is in use by another process", path.display())]
    InUse {
        /// The database.
        path: PathBuf,
    },
    /// SQLite could not open or set it up.
    #[error("opening the database {}", path.display())]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// It was written by a newer version of this program.
    #[error("{} has schema version {found}, which is newer than this program", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// A thread could not be started.
    #[error("starting a thread of the store")]
    Thread(#[source] std::io::Error),
}

impl SqliteStore {
    /// Opens the database at `path`, creating it and its folder where they do not exist, and makes
    /// all messages due that an earlier process had leased and not settled.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::open_with(path, connection_thread::BATCH)
    }

    /// Like [`SqliteStore::open`], with at most `batch` requests in one commit: one shows, in a
    /// benchmark, what the group commit is worth.
    pub fn open_with(path: &Path, batch: usize) -> Result<Self, OpenError> {
        let sqlite = |source| OpenError::Sqlite { path: path.to_owned(), source };
        let create = |path: &Path, source| OpenError::Create { path: path.to_owned(), source };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|source| create(folder, source))?;
        }
        let lock = lock(path)?;
        keep_private(path).map_err(|source| create(path, source))?;

        let mut connection = Connection::open(path).map_err(sqlite)?;
        configure(&connection).map_err(sqlite)?;
        if let Err(found) = schema::migrate(&mut connection).map_err(sqlite)? {
            return Err(OpenError::Newer { path: path.to_owned(), found });
        }
        let due_again = "UPDATE outbox SET due_at = 0, leased = 0 WHERE leased = 1";
        connection.execute(due_again, []).map_err(sqlite)?;

        let writer = ConnectionThread::start(
            "store-writer",
            connection,
            Access::Write { batch: batch.max(1) },
        );
        let reader = |number| {
            let connection = Connection::open(path).map_err(sqlite)?;
            configure(&connection).map_err(sqlite)?;
            connection.pragma_update(None, "query_only", true).map_err(sqlite)?;
            ConnectionThread::start(&format!("store-reader-{number}"), connection, Access::Read)
                .map_err(OpenError::Thread)
        };
        Ok(Self {
            writer: writer.map_err(OpenError::Thread)?,
            readers: (0..READERS).map(reader).collect::<Result<_, _>>()?,
            next_reader: Arc::default(),
            sweep_from: Arc::default(),
            _lock: Arc::new(lock),
        })
    }

    fn reader(&self) -> &ConnectionThread {
        let turn = self.next_reader.fetch_add(1, Ordering::Relaxed);
        &self.readers[turn % self.readers.len()]
    }
}

impl Store for SqliteStore {
    fn read(&self, id: VerificationId) -> Answer<'_, Option<Verification>> {
        Box::pin(self.reader().ask(move |db| rows::verification(db, &id)))
    }

    fn apply<S: Step>(&self, mut step: S) -> Answer<'_, S::Output> {
        Box::pin(self.writer.ask(move |db| apply(db, &mut step)))
    }

    fn claim(
        &self,
        queue: Queue,
        now: Timestamp,
        lease: Duration,
        limit: usize,
    ) -> Answer<'_, Vec<Message>> {
        Box::pin(self.writer.ask(move |db| {
            let messages = rows::due(db, queue, now, now + lease, limit)?;
            for message in &messages {
                rows::lease(db, &message.key, message.leased_until)?;
            }
            Ok(messages)
        }))
    }

    fn next_due(&self, queue: Queue) -> Answer<'_, Option<Timestamp>> {
        Box::pin(self.reader().ask(move |db| {
            let due: Option<i64> = db
                .prepare_cached("SELECT min(due_at) FROM outbox WHERE queue = ?1")
                .and_then(|mut statement| {
                    statement.query_row([rows::number_of(queue)], |row| row.get(0))
                })
                .map_err(unavailable)?;
            Ok(due.map(rows::timestamp))
        }))
    }

    fn sweep(&self, now: Timestamp, retention: Duration) -> Answer<'_, Swept> {
        let from = self.sweep_from.clone();
        Box::pin(self.writer.ask(move |db| {
            let mut from = from.lock().unwrap_or_else(PoisonError::into_inner);
            sweep(db, now, retention, &mut from)
        }))
    }

    fn latest_time(&self) -> Answer<'_, Timestamp> {
        Box::pin(self.reader().ask(|db| {
            let swept: i64 = db
                .query_row("SELECT latest FROM clock", [], |row| row.get(0))
                .map_err(unavailable)?;
            // Ids begin with the time they were made, so the greatest tells the time of the newest.
            let newest: Option<[u8; 24]> = db
                .query_row("SELECT id FROM verification ORDER BY id DESC LIMIT 1", [], |row| {
                    row.get(0)
                })
                .optional()
                .map_err(unavailable)?;
            let opened = newest.and_then(|id| VerificationId::from_bytes(&id).ok());
            let opened = opened.map_or(Timestamp::default(), |id| id.created_at());
            Ok(rows::timestamp(swept).max(opened))
        }))
    }

    fn ping(&self) -> Answer<'_, ()> {
        // It needs the writer, the lock, and room on the disk, like any other write.
        Box::pin(
            self.writer
                .ask(|db| rows::execute(db, "UPDATE clock SET pings = pings + 1", params![])),
        )
    }
}

/// Runs a step inside the writer's transaction and writes back what it changed.
fn apply<S: Step>(db: &Connection, step: &mut S) -> Result<S::Output, StoreError> {
    let id = step.verification();
    let verification = rows::verification(db, &id)?;
    let keys: Vec<CounterKey> = step.counters(verification.as_ref());
    let counters = keys.iter().map(|key| rows::account(db, key)).collect::<Result<_, _>>()?;
    let idempotency_key = step.idempotency_key();
    let saved_answer =
        idempotency_key.map(|key| rows::saved_answer(db, &key)).transpose()?.flatten();
    let before = Records { verification, counters, outbox: Vec::new(), saved_answer };

    let mut after = before.clone();
    let output = step.run(&mut after);

    if let Some(verification) = &after.verification
        && after.verification != before.verification
    {
        rows::put_verification(db, verification)?;
    }
    for ((key, old), new) in keys.iter().zip(&before.counters).zip(&after.counters) {
        if old != new {
            rows::put_account(db, key, new)?;
        }
    }
    if let (Some(key), Some(saved_answer)) = (idempotency_key, &after.saved_answer)
        && after.saved_answer != before.saved_answer
    {
        rows::put_replay(db, &key, saved_answer)?;
    }
    after.outbox.iter().try_for_each(|change: &OutboxChange| rows::change_outbox(db, change))?;
    Ok(output)
}

fn sweep(
    db: &Connection,
    now: Timestamp,
    retention: Duration,
    accounts_from: &mut Vec<u8>,
) -> Result<Swept, StoreError> {
    let time = rows::millis(now);
    let remember = "UPDATE clock SET latest = ?1 WHERE latest < ?1";
    rows::execute(db, remember, params![time])?;

    let opened_before = VerificationId::first_at(now - retention);
    let verifications = rows::changes(
        db,
        "DELETE FROM verification WHERE id IN
         (SELECT id FROM verification WHERE id < ?1 ORDER BY id LIMIT ?2)",
        params![opened_before.as_bytes(), SWEEP],
    )?;
    // An event may outlive the verification that it tells of, since its receiver may be away. So no
    // more than the oldest of a queue are looked at: what a receiver has not taken can be millions.
    let mut messages = 0;
    for queue in [Queue::Codes, Queue::Events] {
        messages += rows::changes(
            db,
            "DELETE FROM outbox WHERE (queue, verification, number) IN
             (SELECT queue, verification, number FROM
              (SELECT queue, verification, number, expires_at FROM outbox
               WHERE queue = ?1 AND verification < ?2 ORDER BY verification, number LIMIT ?3)
              WHERE expires_at <= ?4)",
            params![rows::number_of(queue), opened_before.as_bytes(), SWEEP, time],
        )?;
    }
    let saved_answers = rows::changes(
        db,
        "DELETE FROM saved_answer WHERE key IN
         (SELECT key FROM saved_answer WHERE expires_at <= ?1 LIMIT ?2)",
        params![time, SWEEP],
    )?;

    let up_to: Option<Vec<u8>> = db
        .prepare_cached(
            "SELECT max(key) FROM (SELECT key FROM account WHERE key > ?1 ORDER BY key LIMIT ?2)",
        )
        .and_then(|mut statement| {
            statement.query_row(params![*accounts_from, SWEEP], |row| row.get(0))
        })
        .map_err(unavailable)?;
    let counters = match &up_to {
        Some(up_to) => rows::changes(
            db,
            "DELETE FROM account WHERE key > ?1 AND key <= ?2 AND expires_at <= ?3",
            params![*accounts_from, up_to, time],
        )?,
        None => 0,
    };
    // Past the last key the next sweep starts again at the first.
    *accounts_from = up_to.unwrap_or_default();
    let bound = usize::try_from(SWEEP).unwrap_or(usize::MAX);
    let more = [verifications, saved_answers, messages].into_iter().any(|dropped| dropped >= bound);
    Ok(Swept { verifications, counters, saved_answers, messages, more })
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(connection_thread::BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(())
}

/// Makes the file, if there is none, such that its owner alone reads it: it holds recipients. The
/// files that SQLite makes beside it take its mode over.
fn keep_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options().create(true).append(true).mode(0o600).open(path).map(|_| ())
}

fn lock(path: &Path) -> Result<File, OpenError> {
    let lock_path = path.with_extension("lock");
    let create = |source| OpenError::Create { path: lock_path.clone(), source };
    let file = File::create(&lock_path).map_err(create)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(create(source)),
    }
}

fn unavailable(error: rusqlite::Error) -> StoreError {
    StoreError::Unavailable(error.into())
}
