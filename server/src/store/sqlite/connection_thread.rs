//! A thread that owns a connection, and the group commit.
//!
//! Making one commit durable costs a flush of the disk, whatever it holds. So the writer takes all
//! that has queued up while the last flush ran, runs it in one transaction, and answers everybody
//! after the one commit. Under load the cost of a flush is shared by dozens of requests; with one
//! caller nothing waits for company.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    thread,
    time::Duration,
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::store::StoreError;

/// Requests that may wait; past that the store is overloaded, and saying so at once is kinder.
const QUEUE: usize = 4096;
/// Requests in one transaction, so that the first of a batch does not wait for ever.
pub(super) const BATCH: usize = 256;

/// How long the writer waits for company once it has seen that there is some (PostgreSQL calls this
/// `commit_delay`). Callers whose answers left together come back together, spread over about this
/// time; a flush takes ten times as long.
const GATHER: Duration = Duration::from_micros(150);

/// How long a caller waits before the store counts as away (S26 asks for an answer in a second).
const PATIENCE: Duration = Duration::from_millis(900);
/// How long a connection waits for another process that has the file locked. A little less than
/// callers wait, so that they learn why.
pub(super) const BUSY: Duration = Duration::from_millis(800);

/// The asking end of a thread that runs jobs on a connection of its own. Dropping the last one
/// ends the thread.
#[derive(Clone, Debug)]
pub(super) struct ConnectionThread {
    queue: SyncSender<Box<dyn Job>>,
}

/// How a worker's jobs are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// One by one, outside any transaction.
    Read,
    /// In transactions of up to so many.
    Write { batch: usize },
}

impl ConnectionThread {
    pub(super) fn start(
        name: &str,
        connection: Connection,
        access: Access,
    ) -> std::io::Result<Self> {
        let (queue, jobs) = sync_channel(QUEUE);
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || work(&connection, &jobs, access))?;
        Ok(Self { queue })
    }

    /// Runs `run` on the worker's thread and waits for it to be committed. It may be run twice: a
    /// job that fails takes its batch down with it, and then each runs by itself.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        run: impl FnMut(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let job = Asked { run, output: None, reply };
        self.queue.try_send(Box::new(job)).map_err(|error| {
            StoreError::Unavailable(match error {
                TrySendError::Full(_) => "too many requests are waiting for the store".into(),
                TrySendError::Disconnected(_) => "the store's thread has ended".into(),
            })
        })?;
        // A caller that gives up drops its end of the channel, by which the worker knows.
        tokio::time::timeout(PATIENCE, answer)
            .await
            .map_err(|elapsed| StoreError::Unavailable(elapsed.into()))?
            .map_err(|ended| StoreError::Unavailable(ended.into()))?
    }
}

/// One request, as the thread sees it.
trait Job: Send {
    /// Nobody waits for it any more.
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
        // A panic in a step is a fault of ours, but no reason to take the store down.
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
        // Who has stopped waiting needs no answer.
        let _ = reply.send(answer);
    }
}

fn work(connection: &Connection, jobs: &Receiver<Box<dyn Job>>, access: Access) {
    let mut batch: Vec<Box<dyn Job>> = Vec::new();
    let mut company = false;
    while let Ok(first) = jobs.recv() {
        batch.push(first);
        match access {
            Access::Read => {
                for mut job in batch.drain(..).filter(|job| !job.abandoned()) {
                    let result = job.run(connection);
                    job.answer(result);
                }
            }
            Access::Write { batch: most } => {
                // A caller alone never waits.
                if company {
                    thread::sleep(GATHER);
                }
                batch.extend(jobs.try_iter().take(most - 1));
                company = batch.len() > 1;
                // What nobody waits for is not done behind their back: they were told that the
                // store is away, and will ask again.
                batch.retain(|job| !job.abandoned());
                commit(connection, &mut batch);
            }
        }
    }
}

/// Runs a batch in one transaction and answers it; where that fails, each job in its own, since one
/// of them is to blame and the others shall not pay for it.
fn commit(connection: &Connection, batch: &mut Vec<Box<dyn Job>>) {
    if let Err(error) = begin(connection) {
        // The store is away, and no job is to blame.
        let reason = error.to_string();
        let refusal = || Err(StoreError::Unavailable(reason.clone().into()));
        return batch.drain(..).for_each(|job| job.answer(refusal()));
    }
    // Others may have held the file for longer than callers wait. What these were told is that
    // nothing was done, so nothing is.
    batch.retain(|job| !job.abandoned());
    let result = batch.iter_mut().try_for_each(|job| job.run(connection));
    match result.and_then(|()| execute(connection, "COMMIT").map_err(super::unavailable)) {
        Ok(()) => batch.drain(..).for_each(|job| job.answer(Ok(()))),
        Err(error) => {
            // Should this fail, `begin` tries again.
            let _ = roll_back(connection);
            if batch.len() > 1 {
                return batch.drain(..).for_each(|job| commit(connection, &mut vec![job]));
            }
            if let Some(job) = batch.pop() {
                job.answer(Err(error));
            }
        }
    }
}

fn begin(connection: &Connection) -> rusqlite::Result<()> {
    roll_back(connection)?;
    execute(connection, "BEGIN IMMEDIATE")
}

/// Ends a transaction that has failed, unless SQLite has done so by itself.
fn roll_back(connection: &Connection) -> rusqlite::Result<()> {
    if connection.is_autocommit() { Ok(()) } else { execute(connection, "ROLLBACK") }
}

fn execute(connection: &Connection, statement: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.execute([]).map(|_| ())
}
