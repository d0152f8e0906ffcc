//! Statements between records and rows, each prepared once for a connection.
//!
//! A verification is encrypted as a whole, bound to its id: it holds the recipient and whatever the site
//! has attached to it.

use otp::{Timestamp, Verification, VerificationId, tally::Tally};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Serialize, de::DeserializeOwned};

use super::unavailable;
use crate::{
    derived_keys::Sealer,
    store::{Message, MessageKey, OutboxChange, Queue, SavedAnswer, StoreError},
};

/// Bytes that most verifications take, written.
const LENGTH: usize = 1024;

/// The verification with this id. One that is not there takes as long as one that is: the record before it is
/// read and dropped (S9).
pub(super) fn verification(
    connection: &Connection,
    sealer: &Sealer,
    id: &VerificationId,
) -> Result<Option<Verification>, StoreError> {
    let statement = "SELECT id, sealed FROM verification WHERE id <= ?1 ORDER BY id DESC LIMIT 1";
    let columns = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let nearest: Option<(Vec<u8>, Vec<u8>)> =
        first(connection, statement, [id.as_bytes()], columns)?;
    let Some((found, sealed)) = nearest else { return Ok(None) };
    let body = sealer.open(&found, &sealed).map_err(corrupt);
    let verification = body.and_then(|body| serde_json::from_slice(&body).map_err(corrupt));
    if found == id.as_bytes() { verification.map(Some) } else { Ok(None) }
}

pub(super) fn put_verification(
    connection: &Connection,
    sealer: &Sealer,
    verification: &Verification,
) -> Result<(), StoreError> {
    let id = verification.id();
    let mut body = Vec::with_capacity(LENGTH);
    serde_json::to_writer(&mut body, verification).map_err(corrupt)?;
    let sealed = sealer.seal(id.as_bytes(), &body).map_err(corrupt)?;
    execute(
        connection,
        "INSERT INTO verification VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET sealed = ?2",
        params![id.as_bytes(), sealed],
    )
}

/// Counters under a key; empty ones where nothing was counted yet.
pub(super) fn counters<T: DeserializeOwned + Default>(
    connection: &Connection,
    key: &[u8; 16],
) -> Result<T, StoreError> {
    let statement = "SELECT body FROM counters WHERE key = ?1";
    let body: Option<String> = first(connection, statement, [key], |row| row.get(0))?;
    body.map_or_else(|| Ok(T::default()), |body| serde_json::from_str(&body).map_err(corrupt))
}

/// Writes counters that no sweep drops before `expires_at` in their time, or drops the row where nothing is
/// counted any more.
pub(super) fn put_counters<T: Serialize + Default + PartialEq>(
    connection: &Connection,
    key: &[u8; 16],
    counters: &T,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    if *counters == T::default() {
        let statement = "DELETE FROM counters WHERE key = ?1";
        return execute(connection, statement, params![key]);
    }
    let body = to_json(counters)?;
    execute(
        connection,
        "INSERT INTO counters VALUES (?1, ?2, ?3)
         ON CONFLICT (key) DO UPDATE SET expires_at = ?2, body = ?3",
        params![key, millis(expires_at), body],
    )
}

/// The tally with this name; an empty one where nothing was counted yet.
pub(super) fn tally(connection: &Connection, name: &str) -> Result<Tally, StoreError> {
    let statement = "SELECT body FROM tally WHERE name = ?1";
    let body: Option<String> = first(connection, statement, [name], |row| row.get(0))?;
    body.map_or_else(|| Ok(Tally::default()), |body| serde_json::from_str(&body).map_err(corrupt))
}

pub(super) fn put_tally(
    connection: &Connection,
    name: &str,
    tally: &Tally,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    execute(
        connection,
        "INSERT INTO tally VALUES (?1, ?2, ?3)
         ON CONFLICT (name) DO UPDATE SET expires_at = ?2, body = ?3",
        params![name, millis(expires_at), to_json(tally)?],
    )
}

pub(super) fn saved_answer(
    connection: &Connection,
    key: &[u8; 16],
) -> Result<Option<SavedAnswer>, StoreError> {
    let statement = "SELECT sealed, expires_at FROM saved_answer WHERE key = ?1";
    first(connection, statement, [key], |row| {
        Ok(SavedAnswer { sealed: row.get(0)?, expires_at: timestamp(row.get(1)?) })
    })
}

pub(super) fn put_saved_answer(
    connection: &Connection,
    key: &[u8; 16],
    saved_answer: &SavedAnswer,
) -> Result<(), StoreError> {
    execute(
        connection,
        "INSERT INTO saved_answer VALUES (?1, ?2, ?3)
         ON CONFLICT (key) DO UPDATE SET expires_at = ?2, sealed = ?3",
        params![key, millis(saved_answer.expires_at), saved_answer.sealed],
    )
}

pub(super) fn change_outbox(
    connection: &Connection,
    change: &OutboxChange,
) -> Result<(), StoreError> {
    match change {
        OutboxChange::Enqueue { message } => {
            put_message(connection, message, message.leased_until, true)
        }
        OutboxChange::Schedule { message, at } => put_message(connection, message, *at, false),
        OutboxChange::Retry { key, leased_until, at, tries, unanswered, tried } => execute(
            connection,
            "UPDATE outbox SET due_at = ?4, leased = 0, tries = ?5, unanswered = ?6, tried = ?8
             WHERE queue = ?1 AND verification = ?2 AND number = ?3 AND leased = 1 AND due_at = ?7",
            params![
                number_of(key.queue),
                key.verification.as_bytes(),
                key.number,
                millis(*at),
                tries,
                unanswered,
                millis(*leased_until),
                tried,
            ],
        ),
        OutboxChange::Hasten { key, at } => execute(
            connection,
            "UPDATE outbox SET due_at = ?4
             WHERE queue = ?1 AND verification = ?2 AND number = ?3 AND leased = 0 AND due_at > ?4",
            params![number_of(key.queue), key.verification.as_bytes(), key.number, millis(*at)],
        ),
        OutboxChange::Renew { key, leased_until, until } => execute(
            connection,
            "UPDATE outbox SET due_at = ?4
             WHERE queue = ?1 AND verification = ?2 AND number = ?3 AND leased = 1 AND due_at = ?5",
            params![
                number_of(key.queue),
                key.verification.as_bytes(),
                key.number,
                millis(*until),
                millis(*leased_until),
            ],
        ),
        OutboxChange::Remove { key } => execute(
            connection,
            "DELETE FROM outbox WHERE queue = ?1 AND verification = ?2 AND number = ?3",
            params![number_of(key.queue), key.verification.as_bytes(), key.number],
        ),
    }
}

fn put_message(
    connection: &Connection,
    message: &Message,
    due_at: Timestamp,
    leased: bool,
) -> Result<(), StoreError> {
    // An event may be scheduled twice if the first answer was lost; the second is ignored. A code is
    // enqueued once.
    let again = if leased { "" } else { "ON CONFLICT (queue, verification, number) DO NOTHING" };
    let statement = format!(
        "INSERT INTO outbox
         (queue, verification, number, due_at, leased, expires_at, tries, unanswered, sealed, tried)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) {again}"
    );
    execute(
        connection,
        &statement,
        params![
            number_of(message.key.queue),
            message.key.verification.as_bytes(),
            message.key.number,
            millis(due_at),
            leased,
            millis(message.expires_at),
            message.tries,
            message.unanswered,
            message.sealed,
            message.tried,
        ],
    )
}

/// Number of a queue in the tables.
pub(super) fn number_of(queue: Queue) -> i64 {
    match queue {
        Queue::Codes => 0,
        Queue::Events => 1,
    }
}

/// Messages of a queue that are due at `now`, as they will be once leased until `until`.
pub(super) fn due(
    connection: &Connection,
    queue: Queue,
    now: Timestamp,
    until: Timestamp,
    limit: usize,
) -> Result<Vec<Message>, StoreError> {
    let statement = "SELECT verification, number, expires_at, tries, unanswered, sealed, tried
                     FROM outbox
                     WHERE queue = ?1 AND due_at <= ?2 ORDER BY due_at LIMIT ?3";
    let mut statement = connection.prepare_cached(statement).map_err(unavailable)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement
        .query_map(params![number_of(queue), millis(now), limit], |row| message(row, queue, until))
        .map_err(unavailable)?;
    rows.collect::<Result<_, _>>().map_err(unavailable)
}

/// Time at which the next message of a queue is due, leased ones included.
pub(super) fn next_due(
    connection: &Connection,
    queue: Queue,
) -> Result<Option<Timestamp>, StoreError> {
    let statement = "SELECT min(due_at) FROM outbox WHERE queue = ?1";
    let due: Option<Option<i64>> =
        first(connection, statement, [number_of(queue)], |row| row.get(0))?;
    Ok(due.flatten().map(timestamp))
}

/// The time of the newest verification or of the last sweep.
pub(super) fn latest_time(connection: &Connection) -> Result<Timestamp, StoreError> {
    let swept = of_clock(connection, "SELECT latest FROM clock")?;
    // Ids begin with the time they were made, so the greatest is the newest.
    let newest = "SELECT id FROM verification ORDER BY id DESC LIMIT 1";
    let newest: Option<[u8; 24]> = first(connection, newest, [], |row| row.get(0))?;
    let opened = newest.and_then(|id| VerificationId::from_bytes(&id).ok());
    let opened = opened.map_or(Timestamp::default(), |id| id.created_at());
    Ok(timestamp(swept).max(opened))
}

/// Starts again at `now`; gives the milliseconds by which the counters' time is ahead of the clock's.
pub(super) fn resume(connection: &Connection, now: Timestamp) -> Result<u64, StoreError> {
    let back = latest_time(connection)?.since(now);
    let back = i64::try_from(back.as_millis()).unwrap_or(i64::MAX);
    if back > 0 {
        execute(connection, "DELETE FROM verification", [])?;
        let codes = "DELETE FROM outbox WHERE queue = ?1";
        execute(connection, codes, params![number_of(Queue::Codes)])?;
        let events = "UPDATE outbox SET due_at = max(due_at - ?1, 0), expires_at = expires_at - ?1";
        execute(connection, events, params![back])?;
        let answers = "UPDATE saved_answer SET expires_at = expires_at - ?1";
        execute(connection, answers, params![back])?;
    }
    let clock = "UPDATE clock SET latest = ?1, counters_lead = counters_lead + ?2";
    execute(connection, clock, params![millis(now), back])?;
    let lead = of_clock(connection, "SELECT counters_lead FROM clock")?;
    Ok(u64::try_from(lead).unwrap_or_default())
}

/// Reads a number from the one row of `clock`.
fn of_clock(connection: &Connection, statement: &str) -> Result<i64, StoreError> {
    let number = first(connection, statement, [], |row| row.get(0))?;
    number.ok_or_else(|| unavailable(rusqlite::Error::QueryReturnedNoRows))
}

pub(super) fn lease(
    connection: &Connection,
    key: &MessageKey,
    until: Timestamp,
) -> Result<(), StoreError> {
    execute(
        connection,
        "UPDATE outbox SET due_at = ?4, leased = 1
         WHERE queue = ?1 AND verification = ?2 AND number = ?3",
        params![number_of(key.queue), key.verification.as_bytes(), key.number, millis(until)],
    )
}

/// Reads the first row that a statement gives.
pub(super) fn first<T>(
    connection: &Connection,
    statement: &str,
    params: impl rusqlite::Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>, StoreError> {
    let mut statement = connection.prepare_cached(statement).map_err(unavailable)?;
    statement.query_row(params, read).optional().map_err(unavailable)
}

pub(super) fn execute(
    connection: &Connection,
    statement: &str,
    params: impl rusqlite::Params,
) -> Result<(), StoreError> {
    changes(connection, statement, params).map(|_| ())
}

/// Like [`execute`]; gives the number of rows changed.
pub(super) fn changes(
    connection: &Connection,
    statement: &str,
    params: impl rusqlite::Params,
) -> Result<usize, StoreError> {
    let mut statement = connection.prepare_cached(statement).map_err(unavailable)?;
    statement.execute(params).map_err(unavailable)
}

/// SQLite's integers are signed; the year 292 million is far enough.
pub(super) fn millis(timestamp: Timestamp) -> i64 {
    i64::try_from(timestamp.as_millis()).unwrap_or(i64::MAX)
}

pub(super) fn timestamp(millis: i64) -> Timestamp {
    Timestamp::from_millis(u64::try_from(millis).unwrap_or_default())
}

fn message(row: &Row<'_>, queue: Queue, leased_until: Timestamp) -> rusqlite::Result<Message> {
    let id: [u8; 24] = row.get(0)?;
    let verification = VerificationId::from_bytes(&id).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, error.into())
    })?;
    Ok(Message {
        key: MessageKey { queue, verification, number: row.get(1)? },
        expires_at: timestamp(row.get(2)?),
        tries: row.get(3)?,
        unanswered: row.get(4)?,
        leased_until,
        sealed: row.get(5)?,
        tried: row.get(6)?,
    })
}

fn to_json(record: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(record).map_err(corrupt)
}

fn corrupt(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Corrupt(error.into())
}
