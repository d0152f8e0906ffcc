//! The embedded store: one SQLite file beside the binary.
//!
//! One thread writes, in groups (see [`connection_thread`]); others read. In WAL mode readers and the
//! writer do not block each other, and `synchronous=FULL` flushes the log at every commit, so every
//! answered change is on the disk. Locks keep a second server away from the file (see [`OwnedFile`]): leases and
//! the group commit assume one owner.

mod connection_thread;
mod file;
mod key_row;
mod memory;
mod open_error;
mod rows;
mod schema;

use std::{
    io::ErrorKind,
    os::unix::fs::MetadataExt,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use otp::{Timestamp, Verification, VerificationId};
use rusqlite::{Connection, OpenFlags, config::DbConfig, params};

pub use self::open_error::{OpenError, OpenProblem};
use self::{
    connection_thread::{Access, ConnectionThread},
    file::OwnedFile,
    memory::{Database, Memory},
    schema::Kind,
};
use super::{Message, Observer, Pseudonyms, Queue, Step, Store, StoreError, Swept, batch};
use crate::keyring::Keyring;

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
    /// Key after which the next sweep of the counters goes on; digests have no useful order.
    sweep_from: Arc<Mutex<Vec<u8>>>,
    observer: Option<Arc<dyn Observer>>,
    /// Milliseconds by which the counters' time is ahead of the clock's.
    counters_lead: Arc<AtomicU64>,
    memory: Arc<Memory>,
    pseudonyms: Arc<Pseudonyms>,
}

impl SqliteStore {
    /// Opens the database at `path`, creating it and its folder where they do not exist, and makes
    /// all messages due that an earlier process had leased and not settled. Its key is opened with any
    /// of the master secrets, and kept for exactly these.
    ///
    /// # Errors
    /// Any [`OpenError`].
    pub fn open(path: &Path, keyring: &Keyring) -> Result<Self, OpenError> {
        Self::open_with(path, keyring, connection_thread::BATCH)
    }

    /// Like [`SqliteStore::open`], with at most `batch` requests in one commit, so that a benchmark can
    /// compare the group commit with single ones.
    ///
    /// # Errors
    /// Any [`OpenError`].
    pub fn open_with(path: &Path, keyring: &Keyring, batch: usize) -> Result<Self, OpenError> {
        let opened = Self::set_up(path, keyring, batch);
        opened.map_err(|reason| OpenError { path: path.to_owned(), reason })
    }

    fn set_up(path: &Path, keyring: &Keyring, batch: usize) -> Result<Self, OpenProblem> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(OpenProblem::Folder)?;
        }
        let file = Arc::new(OwnedFile::lock(path)?);
        let mut connection = connect(path)?;
        known(&connection)?;
        configure(&connection)?;
        schema::migrate(&mut connection, keyring)?;
        let key = key_row::open(&mut connection, keyring)?;
        let due_again = "UPDATE outbox SET due_at = 0, leased = 0 WHERE leased = 1";
        connection.execute(due_again, [])?;
        file.watch().map_err(OpenProblem::Create)?;

        let start = |name: &str, connection, access| {
            ConnectionThread::start(name, connection, file.clone(), access)
                .map_err(OpenProblem::Thread)
        };
        let memory = Arc::new(Memory::new(Arc::new(key.sealer()?)));
        let writes = Access::Write { batch: batch.max(1), memory: memory.clone() };
        let writer = start("store-writer", connection, writes)?;
        let reader = |number| {
            let connection = connect(path)?;
            configure(&connection)?;
            connection.pragma_update(None, "query_only", true)?;
            start(&format!("store-reader-{number}"), connection, Access::Read)
        };
        Ok(Self {
            writer,
            readers: (0..READERS).map(reader).collect::<Result<_, _>>()?,
            next_reader: Arc::default(),
            sweep_from: Arc::default(),
            observer: None,
            counters_lead: Arc::default(),
            memory,
            pseudonyms: Arc::new(key.pseudonyms()),
        })
    }

    /// Looks at the database at `path` and changes nothing, beside a running server too: gives the latest
    /// time that it has seen, `None` where there is no database yet.
    ///
    /// # Errors
    /// Any [`OpenError`] that would keep a server with these master secrets from opening it, except that it
    /// is in use; and [`OpenProblem::Damaged`], which is looked for in all its pages.
    pub fn inspect(path: &Path, keyring: Option<&Keyring>) -> Result<Option<Timestamp>, OpenError> {
        let inspected = look(path).and_then(|found| {
            let Some(connection) = found else { return Ok(None) };
            let check = "PRAGMA quick_check(1)";
            let finding: String = connection.query_row(check, [], |row| row.get(0))?;
            if finding != "ok" {
                return Err(OpenProblem::Damaged(finding));
            }
            key_row::inspect(&connection, keyring)?;
            Ok(Some(rows::latest_time(&connection)?))
        });
        inspected.map_err(|reason| OpenError { path: path.to_owned(), reason })
    }

    /// The latest time that the database at `path` has seen; the earliest there is where there is no database
    /// yet. Changes nothing, so that a start can be refused before it does.
    ///
    /// # Errors
    /// As [`SqliteStore::inspect`], apart from damage and keys.
    pub fn latest_time_of(path: &Path) -> Result<Timestamp, OpenError> {
        let latest = look(path).and_then(|found| {
            let latest = found.map(|connection| rows::latest_time(&connection)).transpose()?;
            Ok(latest.unwrap_or_default())
        });
        latest.map_err(|reason| OpenError { path: path.to_owned(), reason })
    }

    fn counters_lead(&self) -> Duration {
        Duration::from_millis(self.counters_lead.load(Ordering::Relaxed))
    }

    fn reader(&self) -> &ConnectionThread {
        let turn = self.next_reader.fetch_add(1, Ordering::Relaxed);
        &self.readers[turn % self.readers.len()]
    }
}

impl Store for SqliteStore {
    fn observed_by(self, observer: Arc<dyn Observer>) -> Self {
        Self { observer: Some(observer), ..self }
    }

    fn pseudonyms(&self) -> Arc<Pseudonyms> {
        self.pseudonyms.clone()
    }

    async fn read(&self, id: VerificationId) -> Result<Option<Verification>, StoreError> {
        let memory = self.memory.clone();
        self.reader().ask(move |db| rows::verification(db, memory.sealer(), &id)).await
    }

    async fn apply<S: Step>(&self, mut step: S) -> Result<S::Output, StoreError> {
        let (memory, observer) = (self.memory.clone(), self.observer.clone());
        let lead = self.counters_lead();
        let applied = move |connection: &Connection| {
            let mut rows = Database { connection, sealer: memory.sealer() };
            let records = &mut *memory.records();
            batch::apply(&mut step, records, &mut rows, observer.as_deref(), lead)
        };
        let (output, told) = self.writer.ask(applied).await?;
        if let Some(observer) = &self.observer
            && (told.has_added || !told.alerts.is_empty())
        {
            observer.committed(&told.alerts);
        }
        Ok(output)
    }

    async fn claim(
        &self,
        queue: Queue,
        now: Timestamp,
        lease: Duration,
        limit: usize,
    ) -> Result<Vec<Message>, StoreError> {
        let claim = move |db: &Connection| {
            let messages = rows::due(db, queue, now, now + lease, limit)?;
            for message in &messages {
                rows::lease(db, &message.key, message.leased_until)?;
            }
            Ok(messages)
        };
        self.writer.ask(claim).await
    }

    async fn next_due(&self, queue: Queue) -> Result<Option<Timestamp>, StoreError> {
        self.reader().ask(move |db| rows::next_due(db, queue)).await
    }

    async fn sweep(&self, now: Timestamp, retention: Duration) -> Result<Swept, StoreError> {
        let (from, lead) = (self.sweep_from.clone(), self.counters_lead());
        let memory = self.memory.clone();
        let sweep = move |db: &Connection| {
            // Deleted records are not to be found in memory afterwards, nor written again.
            memory.write(db)?;
            memory.forget();
            let mut from = from.lock().unwrap_or_else(PoisonError::into_inner);
            sweep(db, now, retention, now + lead, &mut from)
        };
        self.writer.ask(sweep).await
    }

    async fn latest_time(&self) -> Result<Timestamp, StoreError> {
        self.reader().ask(rows::latest_time).await
    }

    async fn resume(&self, now: Timestamp) -> Result<(), StoreError> {
        let memory = self.memory.clone();
        let resume = move |db: &Connection| {
            memory.write(db)?;
            memory.forget();
            rows::resume(db, now)
        };
        let lead = self.writer.ask(resume).await?;
        self.counters_lead.store(lead, Ordering::Relaxed);
        Ok(())
    }

    async fn ping(&self) -> Result<(), StoreError> {
        // It needs the writer, the lock, and room on the disk, like any other write.
        let ping = "UPDATE clock SET pings = pings + 1";
        self.writer.ask(move |db| rows::execute(db, ping, params![])).await
    }
}

fn sweep(
    db: &Connection,
    now: Timestamp,
    retention: Duration,
    counters_time: Timestamp,
    counters_from: &mut Vec<u8>,
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

    let last =
        "SELECT max(key) FROM (SELECT key FROM counters WHERE key > ?1 ORDER BY key LIMIT ?2)";
    let up_to: Option<Option<Vec<u8>>> =
        rows::first(db, last, params![*counters_from, SWEEP], |row| row.get(0))?;
    let up_to = up_to.flatten();
    let counters = match &up_to {
        Some(up_to) => rows::changes(
            db,
            "DELETE FROM counters WHERE key > ?1 AND key <= ?2 AND expires_at <= ?3",
            params![*counters_from, up_to, rows::millis(counters_time)],
        )?,
        None => 0,
    };
    let time = rows::millis(counters_time);
    rows::execute(db, "DELETE FROM tally WHERE expires_at <= ?1", params![time])?;
    // Past the last key the next sweep starts again at the first.
    *counters_from = up_to.unwrap_or_default();
    let bound = usize::try_from(SWEEP).unwrap_or(usize::MAX);
    let more = [verifications, saved_answers, messages].into_iter().any(|dropped| dropped >= bound);
    Ok(Swept { verifications, counters, saved_answers, messages, more })
}

/// Opens a database of ours that is there, for looking only; `None` where there is none yet.
fn look(path: &Path) -> Result<Option<Connection>, OpenProblem> {
    match path.metadata() {
        Ok(file) if file.nlink() > 1 => return Err(OpenProblem::Linked(file.nlink())),
        Ok(_) => {}
        // A link that leads nowhere is none that SQLite makes a database for.
        Err(error) if error.kind() == ErrorKind::NotFound && !path.is_symlink() => return Ok(None),
        Err(error) => return Err(OpenProblem::Create(error)),
    }
    let connection = connect(path)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.busy_timeout(connection_thread::BUSY)?;
    Ok((known(&connection)? == Kind::Ours).then_some(connection))
}

/// Opens a file that is there. Closing the connection writes nothing, so that another program's database
/// stays as it is.
fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(connection)
}

/// Kind of a database that this program may use.
fn known(connection: &Connection) -> Result<Kind, OpenProblem> {
    match schema::kind(connection)? {
        kind @ (Kind::Empty | Kind::Ours) => Ok(kind),
        Kind::Newer(found) => Err(OpenProblem::Newer(found)),
        Kind::Foreign => Err(OpenProblem::Foreign),
    }
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    connection.busy_timeout(connection_thread::BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // A row that was deleted is not to be read out of the file, not even with the master secrets.
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(())
}

fn unavailable(error: rusqlite::Error) -> StoreError {
    StoreError::Unavailable(error.into())
}
