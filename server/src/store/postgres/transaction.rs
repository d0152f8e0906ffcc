//! One batch of steps as one transaction: a pipeline that reads, and one that writes and commits.

use std::{
    collections::{BTreeSet, HashMap},
    sync::OnceLock,
    time::Duration,
};

use futures_util::future::{BoxFuture, OptionFuture, join_all};
use otp::{CopyOnWrite, tally_part::TallyPart};
use tokio_postgres::{Error, error::SqlState, types::ToSql};

use super::{
    job::Job,
    link::Session,
    open_error::unavailable,
    rows::{self, BatchRows, Parts},
};
use crate::{
    derived_keys::Sealer,
    store::{
        CounterKeys, SavedAnswer, StoreError,
        batch::{Kept, tally_names},
    },
};

/// Statements that are sent at once. `join_all` polls more than 30 in no order.
const PIPELINED: usize = 24;

/// Reason why a batch was not committed.
pub(super) enum Failed {
    /// Another server was faster, and nothing was committed: the same steps may succeed now.
    Conflict,
    /// The database refuses a change of one of the steps, and nothing was committed.
    Refused(StoreError),
    /// The connection failed before the commit was asked for, so nothing was committed.
    Lost(StoreError),
    /// The database has failed. It may have committed if the connection was lost during that.
    Away(StoreError),
}

/// A stored verification that is read in the place of one that is not there (S9).
pub(super) type Decoy = OnceLock<(Vec<u8>, Vec<u8>)>;

/// Keys of the rows that a batch locks, each table's in its order.
#[derive(Default)]
struct Needed {
    counters: BTreeSet<[u8; 16]>,
    tallies: BTreeSet<String>,
}

impl Needed {
    fn add(&mut self, CounterKeys { callers, recipient, tallies }: &CounterKeys) {
        for caller in callers {
            self.counters.insert(caller.key.digest);
            self.counters.extend(caller.elsewhere.map(|key| key.digest));
        }
        self.counters.extend(recipient.map(|key| key.digest));
        self.tallies.extend(tally_names(tallies).into_iter().flatten());
    }
}

/// Runs the steps of a batch and commits their changes.
pub(super) async fn run(
    session: &Session,
    sealer: &Sealer,
    decoy: &Decoy,
    jobs: &mut Vec<Box<dyn Job>>,
) -> Result<(), Failed> {
    let read = read(session, sealer, decoy, jobs).await;
    let (mut rows, lead) = match read {
        Ok(read) => read,
        Err(error) => {
            let failed = in_reading(error);
            roll_back(session).await;
            return Err(failed);
        }
    };
    // Whoever has given up while rows were locked was told that nothing was done.
    let (gone, waiting) = std::mem::take(jobs).into_iter().partition(|job| job.is_abandoned());
    drop::<Vec<_>>(gone);
    *jobs = waiting;
    let mut kept = Kept::default();
    for job in jobs.iter_mut() {
        job.run(&mut kept, &mut rows, lead);
    }
    match Writes::new(&mut kept, &mut rows, sealer) {
        Ok(writes) => writes.commit(session, &rows).await,
        Err(error) => {
            roll_back(session).await;
            Err(Failed::Refused(error))
        }
    }
}

/// Error of reading.
enum ReadError {
    Database(Error),
    Record(StoreError),
}

impl From<Error> for ReadError {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

impl From<StoreError> for ReadError {
    fn from(error: StoreError) -> Self {
        Self::Record(error)
    }
}

/// Reads and locks the rows of the steps: verifications, saved answers, counters, tallies, always in this order, and
/// those of one table in the order of their keys. Counters of a step can depend on its verification, and take a second
/// round then.
async fn read(
    session: &Session,
    sealer: &Sealer,
    decoy: &Decoy,
    jobs: &mut [Box<dyn Job>],
) -> Result<(BatchRows, Duration), ReadError> {
    let (client, prepared) = (session.client(), &session.statements);
    let ids: BTreeSet<_> = jobs.iter().filter_map(|job| job.verification()).collect();
    let answers: BTreeSet<_> = jobs.iter().filter_map(|job| job.idempotency_key()).collect();
    let mut needed = Needed::default();
    for job in jobs.iter().filter(|job| job.verification().is_none()) {
        needed.add(&job.counters(None));
    }
    let in_one_round = ids.is_empty();

    let id_list: Vec<&[u8]> = ids.iter().map(|id| &id.as_bytes()[..]).collect();
    let answer_list: Vec<&[u8]> = answers.iter().map(|key| &key[..]).collect();
    let parameters: [&[&(dyn ToSql + Sync)]; 2] = [&[&id_list], &[&answer_list]];
    // The first poll of each sends it, so that they go out in this order.
    let (begun, lead, found, saved, counted) = tokio::join!(
        client.batch_execute("BEGIN"),
        client.query_one(&prepared.lead, &[]),
        some(!ids.is_empty(), client.query(&prepared.verifications, parameters[0])),
        some(!answers.is_empty(), client.query(&prepared.answers, parameters[1])),
        OptionFuture::from(in_one_round.then(|| count(session, &needed))),
    );
    begun?;
    let lead = u64::try_from(lead?.get::<_, i64>(0)).unwrap_or_default();
    // In their order: after an error the later ones fail for another reason.
    let found = found.transpose()?.unwrap_or_default();
    let saved = saved.transpose()?.unwrap_or_default();

    let mut rows = BatchRows::default();
    rows.answers.extend(answers.iter().map(|key| (*key, None)));
    for row in saved {
        let (expires_at, sealed) = (rows::timestamp(row.get(1)), row.get(2));
        rows.answers.insert(rows::key(&row, 0)?, Some(SavedAnswer { sealed, expires_at }));
    }
    rows.verifications.extend(ids.iter().map(|id| (*id, Ok(None))));
    for row in found {
        let read = rows::verification(&row, sealer).map(|found| Some(CopyOnWrite::from(found)));
        let read = read.map_err(|error| crate::error_chain::chain(&error));
        decoy.get_or_init(|| (row.get(0), row.get(1)));
        rows.verifications.insert(rows::id(&row, 0)?, read);
    }
    if let Some((id, sealed)) = decoy.get() {
        for _ in rows.verifications.values().filter(|found| matches!(found, Ok(None))) {
            let body = sealer.open(id, sealed).unwrap_or_default();
            std::hint::black_box(serde_json::from_slice::<otp::Verification>(&body).is_ok());
        }
    }

    let counted = match counted {
        Some(counted) => counted,
        None => {
            for job in jobs.iter() {
                let Some(id) = job.verification() else { continue };
                // A record that cannot be read fails its steps when they run.
                if let Some(Ok(found)) = rows.verifications.get(&id) {
                    needed.add(&job.counters(found.as_deref()));
                }
            }
            count(session, &needed).await
        }
    };
    let (counters, tallies) = counted?;
    rows.counters = counters;
    rows.tallies = tallies;
    Ok((rows, Duration::from_millis(lead)))
}

/// Counters and tallies by their keys.
type Counted = (HashMap<[u8; 16], Option<String>>, HashMap<String, Parts>);

/// Reads and locks counters and the session's own parts of tallies. Parts of others are not locked: they may be
/// behind by the batches that run at the same time.
async fn count(session: &Session, needed: &Needed) -> Result<Counted, ReadError> {
    let (client, prepared) = (session.client(), &session.statements);
    let keys: Vec<&[u8]> = needed.counters.iter().map(|key| &key[..]).collect();
    let names: Vec<&str> = needed.tallies.iter().map(String::as_str).collect();
    let of_counters: [&(dyn ToSql + Sync); 1] = [&keys];
    let of_tallies: [&(dyn ToSql + Sync); 2] = [&names, &session.part];
    let (found, own, others) = tokio::join!(
        some(!keys.is_empty(), client.query(&prepared.counters, &of_counters)),
        some(!names.is_empty(), client.query(&prepared.own_tallies, &of_tallies)),
        some(!names.is_empty(), client.query(&prepared.tallies, &of_tallies)),
    );
    let mut counters: HashMap<_, _> = needed.counters.iter().map(|key| (*key, None)).collect();
    for row in found.transpose()?.unwrap_or_default() {
        counters.insert(rows::key(&row, 0)?, Some(row.get(1)));
    }
    let mut tallies: HashMap<_, _> =
        needed.tallies.iter().map(|name| (name.clone(), Parts::default())).collect();
    for row in own.transpose()?.unwrap_or_default() {
        tallies.entry(row.get(0)).or_default().own = Some(row.get(1));
    }
    for row in others.transpose()?.unwrap_or_default() {
        tallies.entry(row.get(0)).or_default().others.push(row.get(2));
    }
    Ok((counters, tallies))
}

fn some<F: Future>(is_needed: bool, future: F) -> OptionFuture<F> {
    OptionFuture::from(is_needed.then_some(future))
}

/// Columns of rows that are there already, and of those that are not.
#[derive(Default)]
struct Columns<K, V> {
    keys: Vec<K>,
    expires_at: Vec<i64>,
    bodies: Vec<V>,
}

impl<K, V> Columns<K, V> {
    fn push(&mut self, key: K, expires_at: i64, body: V) {
        self.keys.push(key);
        self.expires_at.push(expires_at);
        self.bodies.push(body);
    }
}

/// Rows to change, and rows to add.
#[derive(Default)]
struct Upsert<K, V> {
    change: Columns<K, V>,
    add: Columns<K, V>,
}

impl<K, V> Upsert<K, V> {
    fn columns(&mut self, is_there: bool) -> &mut Columns<K, V> {
        if is_there { &mut self.change } else { &mut self.add }
    }
}

/// The changed records of a batch as rows. Those of one table are added in the order of their keys.
#[derive(Default)]
struct Writes {
    verifications: Upsert<Vec<u8>, Vec<u8>>,
    answers: Upsert<Vec<u8>, Vec<u8>>,
    counters: Upsert<Vec<u8>, String>,
    tallies: Upsert<String, String>,
}

impl Writes {
    fn new(kept: &mut Kept, rows: &mut BatchRows, sealer: &Sealer) -> Result<Self, StoreError> {
        let mut writes = Self::default();
        kept.verifications.write(|id, changed, _| {
            let is_there = matches!(rows.verifications.get(id), Some(Ok(Some(_))));
            let sealed = rows::seal(changed, sealer)?;
            writes.verifications.columns(is_there).push(id.as_bytes().to_vec(), 0, sealed);
            Ok(())
        })?;
        for (key, (answer, is_there)) in &rows.new_answers {
            let (expires_at, sealed) = (rows::millis(answer.expires_at), answer.sealed.clone());
            writes.answers.columns(*is_there).push(key.to_vec(), expires_at, sealed);
        }
        let mut counters = Vec::new();
        kept.callers.write(|key, counted, until| {
            counters.push((*key, rows::millis(until), rows::to_json(counted)?));
            Ok(())
        })?;
        kept.recipients.write(|key, counted, until| {
            counters.push((*key, rows::millis(until), rows::to_json(counted)?));
            Ok(())
        })?;
        counters.sort_unstable_by_key(|(key, ..)| *key);
        for (key, until, body) in counters {
            let is_there = rows.counters.get(&key).is_some_and(Option::is_some);
            writes.counters.columns(is_there).push(key.to_vec(), until, body);
        }
        kept.tallies.write(|name, after, until| {
            let Some(read) = rows.tallies.get(name) else { return Ok(()) };
            let parts = read.read()?;
            let before = TallyPart::total(parts.iter());
            let own = parts.first().cloned().unwrap_or_default();
            // The end of its time stands for the time of the change, which is the same span before.
            let own = own.after(parts.iter(), (&before, after), until);
            let (until, body) = (rows::millis(until), rows::to_json(&own)?);
            writes.tallies.columns(read.own.is_some()).push(name.clone(), until, body);
            Ok(())
        })?;
        Ok(writes)
    }

    /// Writes and commits, all in one pipeline.
    async fn commit(&self, session: &Session, rows: &BatchRows) -> Result<(), Failed> {
        let mut statements = self.statements(session);
        statements.extend(rows.outbox.statements(session));
        let mut written = Vec::new();
        while statements.len() > PIPELINED {
            let rest = statements.split_off(PIPELINED);
            written.extend(join_all(std::mem::replace(&mut statements, rest)).await);
        }
        let (last, committed) =
            tokio::join!(join_all(statements), session.client().batch_execute("COMMIT"));
        written.extend(last);
        // After an error COMMIT rolls back and succeeds, so the statements decide.
        let failed = written.into_iter().find_map(Result::err);
        match (failed, committed) {
            (None, Ok(())) => Ok(()),
            (Some(error), Ok(())) => Err(in_writing(&error)),
            (Some(error), Err(_)) | (None, Err(error)) => {
                session.give_up();
                Err(Failed::Away(unavailable(&error)))
            }
        }
    }

    fn statements<'a>(&'a self, session: &'a Session) -> Vec<BoxFuture<'a, Result<u64, Error>>> {
        let (client, prepared) = (session.client(), &session.statements);
        let mut statements: Vec<BoxFuture<'a, _>> = Vec::new();
        let Self { verifications, answers, counters, tallies } = self;
        // No statement here waits for a row but those that add: all others are locked.
        for (rows, statement) in [
            (&verifications.change, &prepared.change_verifications),
            (&verifications.add, &prepared.add_verifications),
        ] {
            if !rows.keys.is_empty() {
                statements.push(Box::pin(async move {
                    client.execute(statement, &[&rows.keys, &rows.bodies]).await
                }));
            }
        }
        for (rows, statement) in
            [(&answers.change, &prepared.change_answers), (&answers.add, &prepared.add_answers)]
        {
            if !rows.keys.is_empty() {
                statements.push(Box::pin(async move {
                    client.execute(statement, &[&rows.keys, &rows.expires_at, &rows.bodies]).await
                }));
            }
        }
        for (rows, statement) in
            [(&counters.change, &prepared.change_counters), (&counters.add, &prepared.add_counters)]
        {
            if !rows.keys.is_empty() {
                statements.push(Box::pin(async move {
                    client.execute(statement, &[&rows.keys, &rows.expires_at, &rows.bodies]).await
                }));
            }
        }
        for (rows, statement) in
            [(&tallies.change, &prepared.change_tallies), (&tallies.add, &prepared.add_tallies)]
        {
            if !rows.keys.is_empty() {
                statements.push(Box::pin(async move {
                    let columns: [&(dyn ToSql + Sync); 4] =
                        [&rows.keys, &rows.expires_at, &rows.bodies, &session.part];
                    client.execute(statement, &columns).await
                }));
            }
        }
        statements
    }
}

/// A failure before the commit was asked for.
fn in_reading(error: ReadError) -> Failed {
    match error {
        ReadError::Record(error) => Failed::Refused(error),
        ReadError::Database(error) if is_conflict(&error) => Failed::Conflict,
        ReadError::Database(error) if is_end_of_connection(&error) => {
            Failed::Lost(unavailable(&error))
        }
        ReadError::Database(error) => Failed::Away(unavailable(&error)),
    }
}

/// A statement that failed in a transaction that was rolled back.
fn in_writing(error: &Error) -> Failed {
    let code = error.code().map(SqlState::code).unwrap_or_default();
    let is_of_outbox = || error.as_db_error().and_then(|error| error.table()) == Some("outbox");
    match code {
        _ if is_conflict(error) => Failed::Conflict,
        // Another server has added the row since it was looked for. Messages are added by one step alone.
        "23505" if !is_of_outbox() => Failed::Conflict,
        // Data that the database cannot hold.
        _ if code.starts_with("22") || code.starts_with("23") => {
            Failed::Refused(unavailable(error))
        }
        _ => Failed::Away(unavailable(error)),
    }
}

fn is_conflict(error: &Error) -> bool {
    let conflicts = [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED];
    error.code().is_some_and(|code| conflicts.contains(code))
}

/// Whether the connection was closed, by the server's shutdown for example.
fn is_end_of_connection(error: &Error) -> bool {
    error.code().is_none_or(|code| code.code().starts_with("57P") || code.code().starts_with("08"))
}

/// Ends a transaction, or the connection.
async fn roll_back(session: &Session) {
    if session.client().batch_execute("ROLLBACK").await.is_err() {
        session.give_up();
    }
}
