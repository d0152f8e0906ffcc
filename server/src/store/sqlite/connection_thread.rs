//! A thread that owns a connection, and the group commit.
//!
//! A durable commit costs one flush of the disk, however much it holds. So the writer takes all jobs
//! that have queued up while the last flush ran, runs them in one transaction, and answers them
//! after the one commit. Under load dozens of requests share the cost of a flush; a single caller
//! never waits.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::Duration,
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{file::OwnedFile, memory::Memory};
use crate::store::StoreError;

/// Jobs that may wait. Beyond that the store is overloaded and says so at once.
const QUEUE: usize = 4096;
/// Jobs in one transaction, which bounds the wait of the first one.
pub(super) const BATCH: usize = 256;

/// Wait for further jobs after a batch of several (PostgreSQL calls it `commit_delay`). Callers that
/// are answered together come back together, spread over about this time.
const GATHER: Duration = Duration::from_micros(500);

/// Time after which the store counts as away for a caller (S26 asks for an answer in a second).
const TIMEOUT: Duration = Duration::from_millis(900);
/// Wait for another process that has the file locked: a little less than callers wait, so that they
/// learn the reason.
pub(super) const BUSY: Duration = Duration::from_millis(800);

/// Handle to a connection thread. Dropping the last one ends the thread and waits for it, so that the file
/// is closed and unlocked afterwards.
#[derive(Clone, Debug)]
pub(super) struct ConnectionThread(Arc<Running>);

#[derive(Debug)]
struct Running {
    queue: Option<SyncSender<Box<dyn Job>>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // Panics of jobs are caught on the thread.
            let _ = thread.join();
        }
    }
}

/// Mode of a connection thread.
#[derive(Debug)]
pub(super) enum Access {
    /// One by one, outside any transaction.
    Read,
    /// In transactions of up to `batch` jobs, each with the changes that they left in `memory`.
    Write { batch: usize, memory: Arc<Memory> },
}

impl ConnectionThread {
    pub(super) fn start(
        name: &str,
        connection: Connection,
        file: Arc<OwnedFile>,
        access: Access,
    ) -> std::io::Result<Self> {
        let (queue, jobs) = sync_channel(QUEUE);
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            work(&connection, &file, &jobs, &access);
            // The file stays locked until the connection is closed.
            drop(connection);
            drop(file);
        })?;
        Ok(Self(Arc::new(Running { queue: Some(queue), thread: Some(thread) })))
    }

    /// Runs `run` on the thread and waits until it is committed. It may run twice: if a job fails,
    /// its batch is rolled back and each job runs again by itself.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        run: impl FnMut(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let job = Asked { run, output: None, reply };
        let ended = || StoreError::Unavailable("the store's thread has ended".into());
        let queue = self.0.queue.as_ref().ok_or_else(ended)?;
        queue.try_send(Box::new(job)).map_err(|error| match error {
            TrySendError::Full(_) => {
                StoreError::Unavailable("too many requests are waiting for the store".into())
            }
            TrySendError::Disconnected(_) => ended(),
        })?;
        // A caller that gives up drops its end of the channel, and the thread skips the job.
        tokio::time::timeout(TIMEOUT, answer)
            .await
            .map_err(|elapsed| StoreError::Unavailable(elapsed.into()))?
            .map_err(|ended| StoreError::Unavailable(ended.into()))?
    }
}

/// A job with its type erased, since a batch holds different ones.
trait Job: Send {
    /// Whether its caller has given up.
    fn abandoned(&self) -> bool;
    fn run(&mut self, connection: &Connection) -> Result<(), StoreError>;
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Asked<F, T> {
    run: F,
    output: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> Job for Asked<F, T>
where
    F: FnMut(&Connection) -> Result<T, StoreError> + Send,
    T: Send,
{
    fn abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn run(&mut self, connection: &Connection) -> Result<(), StoreError> {
        // A panic in a step must not take the store down.
        let output = catch_unwind(AssertUnwindSafe(|| (self.run)(connection)))
            .unwrap_or(Err(StoreError::Panicked))?;
        self.output = Some(output);
        Ok(())
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let Self { output, reply, .. } = *self;
        let answer = committed.and_then(|()| {
            output.ok_or_else(|| StoreError::Unavailable("the request was not run".into()))
        });
        // The caller may have given up.
        let _ = reply.send(answer);
    }
}

fn work(connection: &Connection, file: &OwnedFile, jobs: &Receiver<Box<dyn Job>>, access: &Access) {
    let mut batch: Vec<Box<dyn Job>> = Vec::new();
    let mut company = false;
    while let Ok(first) = jobs.recv() {
        batch.push(first);
        match access {
            Access::Read => {
                for mut job in batch.drain(..).filter(|job| !job.abandoned()) {
                    let result = job.run(connection).inspect_err(|error| file.note_of(error));
                    job.answer(result);
                }
            }
            Access::Write { batch: most, memory } => {
                // A single caller never waits.
                if company {
                    thread::sleep(GATHER);
                }
                batch.extend(jobs.try_iter().take(*most - 1));
                company = batch.len() > 1;
                // A caller that has given up was told that the store is away, and will ask again.
                batch.retain(|job| !job.abandoned());
                commit(connection, file, memory, &mut batch);
            }
        }
    }
}

/// Runs a batch in one transaction and answers it. If that fails, each job runs in a transaction of
/// its own, so that only the failing one gets the error.
fn commit(
    connection: &Connection,
    file: &OwnedFile,
    memory: &Memory,
    batch: &mut Vec<Box<dyn Job>>,
) {
    if let Err(error) = begin(connection, file) {
        // The store is away; no job has failed.
        return refuse(batch, &*error);
    }
    // Another process may have held the file for longer than callers wait. They were told that
    // nothing was done.
    batch.retain(|job| !job.abandoned());
    let result = batch.iter_mut().try_for_each(|job| job.run(connection));
    let result = result.and_then(|()| memory.write(connection));
    match result.and_then(|()| execute(connection, "COMMIT").map_err(super::unavailable)) {
        Ok(()) => match file.check() {
            Ok(()) => batch.drain(..).for_each(|job| job.answer(Ok(()))),
            // It was committed to a file that nobody will find again, so nothing is acknowledged.
            Err(gone) => {
                memory.forget();
                refuse(batch, &gone);
            }
        },
        Err(error) => {
            file.note_of(&error);
            memory.forget();
            // `begin` rolls back again if this fails.
            let _ = roll_back(connection);
            if batch.len() > 1 {
                return batch
                    .drain(..)
                    .for_each(|job| commit(connection, file, memory, &mut vec![job]));
            }
            if let Some(job) = batch.pop() {
                job.answer(Err(error));
            }
        }
    }
}

fn refuse(batch: &mut Vec<Box<dyn Job>>, error: &dyn std::error::Error) {
    let reason = error.to_string();
    let refusal = || Err(StoreError::Unavailable(reason.clone().into()));
    batch.drain(..).for_each(|job| job.answer(refusal()));
}

fn begin(connection: &Connection, file: &OwnedFile) -> Result<(), Box<dyn std::error::Error>> {
    file.check()?;
    let begun = roll_back(connection).and_then(|()| execute(connection, "BEGIN IMMEDIATE"));
    Ok(begun.inspect_err(|error| file.note(error))?)
}

/// Ends a transaction that has failed, unless SQLite has done so by itself.
fn roll_back(connection: &Connection) -> rusqlite::Result<()> {
    if connection.is_autocommit() { Ok(()) } else { execute(connection, "ROLLBACK") }
}

fn execute(connection: &Connection, statement: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.execute([]).map(|_| ())
}
