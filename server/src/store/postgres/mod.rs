//! The store of many servers: one PostgreSQL database, 13 or later.
//!
//! A writer gathers the steps that wait and runs them as one transaction (see [`writer`]): one pipeline locks and reads
//! their rows (`= ANY ($1) ORDER BY ... FOR UPDATE`), the steps run in memory, and another pipeline writes each changed
//! record once and commits. Nothing is kept in memory between two batches, since other servers write too.
//!
//! # Concurrency
//!
//! - **Steps on one record run one after another.** A batch holds the locks of all rows that its steps read until it is
//!   committed. Under READ COMMITTED, `FOR UPDATE` waits for the holder and then gives the row as that has
//!   committed it.
//! - **A row that is not there cannot be locked.** Two servers may both find none, such as the counters of a recipient
//!   who is new, or the answer to a request that was sent to both. Such a row is added by a plain `INSERT`: the
//!   slower server waits for the faster one, gets a violation of the primary key, and runs its batch again, now
//!   over the row. Steps are pure, so that costs time only.
//! - **No deadlock.** Every batch locks in one order: verifications, saved answers, counters, its own parts of tallies,
//!   each by key; then it adds rows, in the same order. Whoever waits for a lock holds only earlier ones; whoever
//!   waits to add a row has all its locks, and waits only for one that is adding too. Changes of the outbox come
//!   last, and steps on one message have locked its verification first, if that is there. Claims and sweeps never
//!   wait (`SKIP LOCKED`). Should the database find a deadlock all the same, the batch runs again.
//! - **A step whose rows were not read**, because a step before it has changed its verification, waits for the next batch:
//!   locking them now would break the order.
//! - **Tallies are counted in parts**, one for each writing connection ([`TallyPart`](otp::tally_part::TallyPart)). A
//!   writer locks its own and reads the others without a lock, so the tally of the server is no row that all batches
//!   wait for, and a server that stalls stops nobody else. They overshoot by what the others commit meanwhile.
//!
//! # Failures
//!
//! - **A connection that is lost before the commit was sent** has committed nothing, and the batch runs again once.
//! - **A connection that is lost during the commit** may have committed. The callers get an error, never an answer, and
//!   the batch is not run again: a check would be counted twice. A client that repeats its request with the same
//!   idempotency key finds the saved answer if and only if the first one was committed, since both are one
//!   commit; without a key it is a new request, as over any other lost answer.
//! - **After an error COMMIT rolls back and reports success**, so the results of the statements decide.
//! - **Time-outs**: a statement ends after 0.8 s and callers give up after 0.9 s (S26). The locks of a server that
//!   stops in the middle are free after a second.
//! - **A dead server's messages** are claimed by the others when their leases end. Opening a store changes no lease.

mod columns;
mod connector;
mod failed;
mod job;
mod key_row;
mod link;
mod open_error;
mod outbox;
mod rows;
mod schema;
mod settings;
mod statements;
mod transaction;
mod upkeep;
mod writer;
mod writes;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use otp::{Timestamp, Verification, VerificationId};
use tokio::time::timeout;
use tokio_postgres::Client;

use self::{
    columns::{millis, timestamp},
    connector::{Connected, Connector},
    link::{Link, Session},
    open_error::{Failure, unavailable},
    outbox::number_of,
    schema::Kind,
    writer::{TIMEOUT, Writers},
};
pub use self::{
    open_error::{PostgresError, PostgresProblem},
    settings::PostgresSettings,
};
use super::{Message, MessageKey, Observer, Pseudonyms, Queue, Step, Store, StoreError, Swept};
use crate::{derived_keys::Sealer, keyring::Keyring};

/// Time to connect when a store is opened or looked at, while nobody waits for an answer.
const OPENING: Duration = Duration::from_secs(5);

/// A store in a PostgreSQL database.
#[derive(Clone)]
pub struct PostgresStore {
    writers: Writers,
    /// Looks up; requests are pipelined.
    reader: Link,
    /// Claims, sweeps and pings, apart from the others since they take longer.
    upkeep: Link,
    connector: Arc<Connector>,
    /// Key after which the next sweep of the counters goes on.
    sweep_from: Arc<Mutex<Vec<u8>>>,
    observer: Option<Arc<dyn Observer>>,
    sealer: Arc<Sealer>,
    pseudonyms: Arc<Pseudonyms>,
}

/// A database as it was found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inspected {
    /// The latest time that it has seen; `None` where there are no tables yet.
    pub latest: Option<Timestamp>,
    /// The time of its clock.
    pub time: Timestamp,
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// Opens the database and brings its tables up to date, beside other servers. Its key is opened with any
    /// of the master secrets, and kept for exactly these.
    ///
    /// # Errors
    /// Any [`PostgresError`].
    pub async fn open(
        settings: &PostgresSettings,
        keyring: &Keyring,
    ) -> Result<Self, PostgresError> {
        let opened = Self::set_up(settings, keyring).await;
        opened.map_err(|reason| PostgresError { place: settings.place(), reason })
    }

    async fn set_up(
        settings: &PostgresSettings,
        keyring: &Keyring,
    ) -> Result<Self, PostgresProblem> {
        let connector = Arc::new(Connector::new(settings)?);
        let connected = connector.connect("set-up", OPENING).await?;
        schema::migrate(&connected.client, settings.database()).await?;
        let key = key_row::open(&connected.client, keyring).await?;
        drop(connected);

        let sealer = Arc::new(key.sealer()?);
        let mut links = Vec::new();
        for _ in 0..settings.writers.max(1) {
            links.push(Link::open(connector.clone(), "writer").await?);
        }
        Ok(Self {
            writers: Writers::start(links, &sealer),
            reader: Link::open(connector.clone(), "reader").await?,
            upkeep: Link::open(connector.clone(), "upkeep").await?,
            connector,
            sweep_from: Arc::default(),
            observer: None,
            sealer,
            pseudonyms: Arc::new(key.pseudonyms()),
        })
    }

    /// Looks at the database and changes nothing, beside running servers too.
    ///
    /// # Errors
    /// Any [`PostgresError`] that would keep a server with these master secrets from opening it; its key is not looked
    /// at without `keyring`.
    pub async fn inspect(
        settings: &PostgresSettings,
        keyring: Option<Option<&Keyring>>,
    ) -> Result<Inspected, PostgresError> {
        let look = async {
            let Connected { client, .. } =
                &Connector::new(settings)?.connect("check", OPENING).await?;
            let kind = schema::known(client, settings.database()).await?;
            let failed = |error| PostgresProblem::Statement(Failure::new(&error));
            let time = time(client).await.map_err(failed)?;
            if kind != Kind::Ours {
                return Ok(Inspected { latest: None, time });
            }
            if let Some(keyring) = keyring {
                key_row::inspect(client, keyring).await?;
            }
            let latest = upkeep::latest_time(client).await.map_err(failed)?;
            Ok(Inspected { latest: Some(latest), time })
        };
        let looked: Result<_, PostgresProblem> = look.await;
        looked.map_err(|reason| PostgresError { place: settings.place(), reason })
    }

    /// The time of the database's clock.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn time(&self) -> Result<Timestamp, StoreError> {
        within(
            &self.reader,
            move |session: Arc<Session>| async move { time(session.client()).await },
        )
        .await
    }
}

impl Store for PostgresStore {
    fn observed_by(self, observer: Arc<dyn Observer>) -> Self {
        Self { observer: Some(observer), ..self }
    }

    fn pseudonyms(&self) -> Arc<Pseudonyms> {
        self.pseudonyms.clone()
    }

    async fn read(&self, id: VerificationId) -> Result<Option<Verification>, StoreError> {
        let row = within(&self.reader, move |session: Arc<Session>| async move {
            session.client().query_opt(&session.statements.nearest, &[&&id.as_bytes()[..]]).await
        });
        let Some(row) = row.await? else { return Ok(None) };
        let found = rows::verification(&row, &self.sealer);
        if row.get::<_, &[u8]>(0) == id.as_bytes() { found.map(Some) } else { Ok(None) }
    }

    async fn apply<S: Step>(&self, step: S) -> Result<S::Output, StoreError> {
        let (output, told) = self.writers.ask(step, self.observer.clone()).await?;
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
        let (limit, until) = (i64::try_from(limit).unwrap_or(i64::MAX), now + lease);
        let claimed = within(&self.upkeep, move |session: Arc<Session>| async move {
            let statement = &session.statements.claim;
            let (queue, now, until) = (number_of(queue), millis(now), millis(until));
            session.client().query(statement, &[&queue, &now, &limit, &until]).await
        });
        let mut claimed = claimed.await?;
        claimed.sort_by_key(|row| row.get::<_, i64>(0));
        claimed.iter().map(|row| message(row, queue, until)).collect()
    }

    async fn next_due(&self, queue: Queue) -> Result<Option<Timestamp>, StoreError> {
        let row = within(&self.reader, move |session: Arc<Session>| async move {
            let statement = &session.statements.next_due;
            session.client().query_opt(statement, &[&number_of(queue)]).await
        });
        Ok(row.await?.map(|row| timestamp(row.get(0))))
    }

    async fn sweep(&self, now: Timestamp, retention: Duration) -> Result<Swept, StoreError> {
        let from = self.sweep_from.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let session = self.upkeep.session().await?;
        // Several statements, each with its own time-out.
        let swept = timeout(TIMEOUT * 5, upkeep::sweep(session.client(), now, retention, from));
        let swept = swept.await.inspect_err(|_| session.give_up());
        let swept = swept.map_err(|elapsed| StoreError::Unavailable(elapsed.into()))?;
        let (swept, next) = swept.map_err(|error| unavailable(&error))?;
        *self.sweep_from.lock().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(swept)
    }

    async fn latest_time(&self) -> Result<Timestamp, StoreError> {
        within(&self.reader, move |session: Arc<Session>| async move {
            upkeep::latest_time(session.client()).await
        })
        .await
    }

    async fn resume(&self, now: Timestamp) -> Result<(), StoreError> {
        let connected = self.connector.connect("set-up", OPENING).await;
        let connected = connected.map_err(|problem| StoreError::Unavailable(problem.into()))?;
        upkeep::resume(&connected.client, now).await.map_err(|error| unavailable(&error))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        if !self.writers.are_connected() {
            return Err(StoreError::Unavailable("no connection to write by".into()));
        }
        within(&self.upkeep, move |session: Arc<Session>| async move {
            session.client().execute(&session.statements.ping, &[]).await
        })
        .await
        .map(|_| ())
    }
}

/// Settings of a session, as the server shows them.
#[cfg(test)]
pub(super) async fn session_settings(settings: &PostgresSettings, names: &[&str]) -> Vec<String> {
    let connected = Connector::new(settings).unwrap().connect("test", OPENING).await.unwrap();
    let mut shown = Vec::new();
    for name in names {
        let row = connected.client.query_one(&format!("SHOW {name}"), &[]).await.unwrap();
        shown.push(row.get(0));
    }
    shown
}

/// Asks on a connection, and gives the connection up if no answer comes in time. If it turns out to be closed, by a
/// restart of the database for example, the next one is asked: nothing here does harm if it is done twice.
async fn within<T, F>(link: &Link, ask: impl Fn(Arc<Session>) -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, tokio_postgres::Error>>,
{
    let mut has_failed = false;
    loop {
        let session = link.session().await?;
        match timeout(TIMEOUT, ask(session.clone())).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) if failed::is_end_of_connection(&error) && !has_failed => {
                session.give_up();
                has_failed = true;
            }
            Ok(Err(error)) => return Err(unavailable(&error)),
            Err(elapsed) => {
                session.give_up();
                return Err(StoreError::Unavailable(elapsed.into()));
            }
        }
    }
}

async fn time(client: &Client) -> Result<Timestamp, tokio_postgres::Error> {
    let select = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::int8";
    Ok(timestamp(client.query_one(select, &[]).await?.get(0)))
}

/// Reads a row of `claim`.
fn message(
    row: &tokio_postgres::Row,
    queue: Queue,
    leased_until: Timestamp,
) -> Result<Message, StoreError> {
    let number = |column| u32::try_from(row.get::<_, i64>(column)).map_err(columns::corrupt);
    Ok(Message {
        key: MessageKey { queue, verification: columns::id(row, 1)?, number: number(2)? },
        expires_at: timestamp(row.get(3)),
        tries: number(4)?,
        unanswered: number(5)?,
        leased_until,
        sealed: row.get(6),
        tried: row.get(7),
    })
}
