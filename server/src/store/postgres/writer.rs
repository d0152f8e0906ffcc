//! The group commit: waiting steps run in batches, each in one transaction.
//!
//! A commit costs one flush of the database's log and two or three round trips, however many steps it holds. So a
//! writer takes all steps that have queued up while the last batch was on its way, and answers them after the one
//! commit.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use tokio::{
    sync::{Mutex, mpsc},
    task::JoinHandle,
    time::timeout,
};

use super::{
    failed::Failed,
    job::{Job, Waiting},
    link::Link,
    transaction::{self, Decoy},
};
use crate::{
    derived_keys::Sealer,
    store::{Observer, Step, StoreError, step::Told},
};

/// Steps that may wait. Beyond that the store is overloaded and says so at once.
const QUEUE: usize = 4096;
/// Steps in one transaction, which bounds the wait of the first one.
const BATCH: usize = 256;
/// Time after which the store counts as away for a caller (S26 asks for an answer in a second).
pub(super) const TIMEOUT: Duration = Duration::from_millis(900);

type Queued = Box<dyn Job>;

/// Handle to the writers. Dropping the last one ends them.
#[derive(Clone)]
pub(super) struct Writers {
    queue: mpsc::Sender<Queued>,
    links: Arc<[Link]>,
    _tasks: Arc<Tasks>,
}

struct Tasks(Vec<JoinHandle<()>>);

impl Drop for Tasks {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

/// One connection that writes.
struct Writer {
    link: Link,
    /// Shared by all writers; the one that holds it gathers a batch.
    queue: Arc<Mutex<mpsc::Receiver<Queued>>>,
    sealer: Arc<Sealer>,
    decoy: Decoy,
    /// Steps that an earlier batch could not run, first.
    deferred: Vec<Queued>,
}

impl Writers {
    pub(super) fn start(links: Vec<Link>, sealer: &Arc<Sealer>) -> Self {
        let (sender, queue) = mpsc::channel(QUEUE);
        let queue = Arc::new(Mutex::new(queue));
        let start = |link: &Link| {
            let writer = Writer {
                link: link.clone(),
                queue: queue.clone(),
                sealer: sealer.clone(),
                decoy: Decoy::default(),
                deferred: Vec::new(),
            };
            tokio::spawn(writer.run())
        };
        let tasks = links.iter().map(start).collect();
        Self { queue: sender, links: links.into(), _tasks: Arc::new(Tasks(tasks)) }
    }

    /// Runs a step in a batch and waits until it is committed.
    pub(super) async fn ask<S: Step>(
        &self,
        step: S,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<(S::Output, Told), StoreError> {
        let (job, answer) = Waiting::new(step, observer);
        self.queue.try_send(job).map_err(|_| {
            StoreError::Unavailable("too many requests are waiting for the store".into())
        })?;
        // A caller that gives up drops its end of the channel, and the writer skips the step.
        timeout(TIMEOUT, answer)
            .await
            .map_err(|elapsed| StoreError::Unavailable(elapsed.into()))?
            .map_err(|ended| StoreError::Unavailable(ended.into()))?
    }

    /// Whether every writer has its connection.
    pub(super) fn are_connected(&self) -> bool {
        self.links.iter().all(Link::is_connected)
    }
}

impl Writer {
    async fn run(mut self) {
        while let Some(mut batch) = self.gather().await {
            self.commit(&mut batch).await;
        }
    }

    /// Waits for a step, and takes those that wait with it.
    async fn gather(&mut self) -> Option<Vec<Queued>> {
        let mut batch = std::mem::take(&mut self.deferred);
        let mut queue = self.queue.lock().await;
        if batch.is_empty() {
            batch.push(queue.recv().await?);
        }
        // Callers that were answered together come back together: those that are ready now get their turn.
        tokio::task::yield_now().await;
        while batch.len() < BATCH
            && let Ok(job) = queue.try_recv()
        {
            batch.push(job);
        }
        Some(batch)
    }

    /// Runs a batch until it is committed, refused, or given up by its callers.
    async fn commit(&mut self, batch: &mut Vec<Queued>) {
        let mut was_lost = false;
        loop {
            batch.retain(|job| !job.is_abandoned());
            if batch.is_empty() {
                return;
            }
            let session = match self.link.session().await {
                Ok(session) => session,
                Err(error) => return refuse(batch, &error),
            };
            let committed = transaction::run(&session, &self.sealer, &self.decoy, batch);
            // A panic over a row must not end the writer.
            let committed = AssertUnwindSafe(committed).catch_unwind();
            let committed = match timeout(TIMEOUT, committed).await {
                Ok(Ok(committed)) => committed,
                Ok(Err(_)) => {
                    session.give_up();
                    return refuse(batch, &StoreError::Panicked);
                }
                Err(_) => {
                    session.give_up();
                    return refuse(batch, &Slow);
                }
            };
            match committed {
                Ok(()) => return self.answer(batch),
                Err(Failed::Conflict) => {}
                Err(Failed::Lost(_)) if !was_lost => {
                    session.give_up();
                    was_lost = true;
                }
                Err(Failed::Refused(_)) if batch.len() > 1 => {
                    // Each alone, so that only the one that the database refuses gets the error.
                    for job in batch.drain(..) {
                        Box::pin(self.commit(&mut vec![job])).await;
                    }
                    return;
                }
                Err(Failed::Refused(error) | Failed::Lost(error) | Failed::Away(error)) => {
                    return refuse(batch, &error);
                }
            }
        }
    }

    fn answer(&mut self, batch: &mut Vec<Queued>) {
        let (deferred, run): (Vec<_>, Vec<_>) = batch.drain(..).partition(|job| job.is_deferred());
        self.deferred.extend(deferred);
        for job in run {
            job.answer(Ok(()));
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the database has not answered in time")]
struct Slow;

fn refuse(batch: &mut Vec<Queued>, error: &dyn std::error::Error) {
    let reason = crate::error_chain::chain(error);
    let refusal = || Err(StoreError::Unavailable(reason.clone().into()));
    batch.drain(..).for_each(|job| job.answer(refusal()));
}
