//! The changed records of a batch as rows, and the pipeline that writes and commits them.

use futures_util::future::{BoxFuture, join_all};
use otp::tally_part::TallyPart;
use tokio_postgres::{Error, types::ToSql};

use super::{
    columns::{millis, to_json},
    failed::Failed,
    link::Session,
    open_error::unavailable,
    rows::{self, BatchRows},
};
use crate::{
    derived_keys::Sealer,
    store::{StoreError, batch::Kept},
};

/// Statements that are sent at once. `join_all` polls more than 30 in no order.
const PIPELINED: usize = 24;

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
pub(super) struct Writes {
    verifications: Upsert<Vec<u8>, Vec<u8>>,
    answers: Upsert<Vec<u8>, Vec<u8>>,
    counters: Upsert<Vec<u8>, String>,
    tallies: Upsert<String, String>,
}

impl Writes {
    pub(super) fn new(
        kept: &mut Kept,
        rows: &mut BatchRows,
        sealer: &Sealer,
    ) -> Result<Self, StoreError> {
        let mut writes = Self::default();
        kept.verifications.write(|id, changed, _| {
            let is_there = matches!(rows.verifications.get(id), Some(Ok(Some(_))));
            let sealed = rows::seal(changed, sealer)?;
            writes.verifications.columns(is_there).push(id.as_bytes().to_vec(), 0, sealed);
            Ok(())
        })?;
        for (key, (answer, is_there)) in &rows.new_answers {
            let (expires_at, sealed) = (millis(answer.expires_at), answer.sealed.clone());
            writes.answers.columns(*is_there).push(key.to_vec(), expires_at, sealed);
        }
        let mut counters = Vec::new();
        kept.callers.write(|key, counted, until| {
            counters.push((*key, millis(until), to_json(counted)?));
            Ok(())
        })?;
        kept.recipients.write(|key, counted, until| {
            counters.push((*key, millis(until), to_json(counted)?));
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
            let before = TallyPart::total(&parts);
            let own = parts.first().cloned().unwrap_or_default();
            // The end of its time stands for the time of the change, which is the same span before.
            let own = own.after(&parts, (&before, after), until);
            let (until, body) = (millis(until), to_json(&own)?);
            writes.tallies.columns(read.own.is_some()).push(name.clone(), until, body);
            Ok(())
        })?;
        Ok(writes)
    }

    /// Writes and commits, all in one pipeline.
    pub(super) async fn commit(&self, session: &Session, rows: &BatchRows) -> Result<(), Failed> {
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
            (Some(error), Ok(())) => Err(Failed::in_writing(&error)),
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
