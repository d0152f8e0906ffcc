//! The tables, as numbered steps that are only ever added to, in a schema of their own.

use tokio_postgres::{Client, Error, error::SqlState};

use super::{PostgresProblem, open_error::Failure};

/// Step `n` brings a database from version `n` to `n + 1`.
///
/// Ids of verifications begin with the time they were made, so what is made together lies together, and what is old is
/// found without an index. Pages keep room for the next version of a row, so that a change of a row that has no index
/// on a changed column touches one page.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE verification (
        id bytea PRIMARY KEY,
        sealed bytea NOT NULL
    ) WITH (fillfactor = 70);
    ALTER TABLE verification ALTER sealed SET STORAGE EXTERNAL;
    CREATE TABLE counters (
        key bytea PRIMARY KEY,
        expires_at bigint NOT NULL,
        body text NOT NULL
    ) WITH (fillfactor = 70);
    CREATE TABLE tally (
        name text COLLATE \"C\",
        part smallint,
        expires_at bigint NOT NULL,
        body text NOT NULL,
        PRIMARY KEY (name, part)
    ) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
    CREATE TABLE saved_answer (
        key bytea PRIMARY KEY,
        expires_at bigint NOT NULL,
        sealed bytea NOT NULL
    );
    ALTER TABLE saved_answer ALTER sealed SET STORAGE EXTERNAL;
    CREATE INDEX saved_answer_expires ON saved_answer (expires_at);
    CREATE TABLE outbox (
        queue smallint,
        verification bytea,
        number bigint,
        due_at bigint NOT NULL,
        leased boolean NOT NULL,
        expires_at bigint NOT NULL,
        tries bigint NOT NULL,
        unanswered bigint NOT NULL,
        sealed bytea NOT NULL,
        tried text NOT NULL,
        PRIMARY KEY (queue, verification, number)
    ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
    ALTER TABLE outbox ALTER sealed SET STORAGE EXTERNAL;
    CREATE INDEX outbox_due ON outbox (queue, due_at);
    CREATE TABLE clock (
        \"only\" boolean PRIMARY KEY CHECK (\"only\"),
        latest bigint NOT NULL,
        pings bigint NOT NULL,
        counters_lead bigint NOT NULL
    ) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
    INSERT INTO clock VALUES (true, 0, 0, 0);
    CREATE TABLE store_key (
        \"only\" boolean PRIMARY KEY CHECK (\"only\"),
        wrapped text NOT NULL
    );
"];

/// Tries to make the schema while other servers do so as well.
const TRIES: usize = 10;

/// Kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Without our schema, or with one that holds nothing yet.
    Empty,
    /// Ours, of this version or an earlier one.
    Ours,
    /// Ours, of this later version.
    Newer(i32),
    /// Another program has a schema of this name.
    Foreign,
}

/// Looks at a database and changes nothing.
pub(super) async fn kind(client: &Client) -> Result<Kind, Error> {
    let look = "SELECT to_regclass('latchkey.schema_version') IS NOT NULL,
                (SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace('latchkey')::oid)";
    let row = client.query_one(look, &[]).await?;
    match (row.get(0), row.get::<_, i64>(1)) {
        (true, _) => {
            let version = client.query_one("SELECT version FROM schema_version", &[]).await?.get(0);
            let known = i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX);
            Ok(if version > known { Kind::Newer(version) } else { Kind::Ours })
        }
        (false, 0) => Ok(Kind::Empty),
        (false, _) => Ok(Kind::Foreign),
    }
}

/// Kind of a database that this program may use.
pub(super) async fn known(client: &Client, database: &str) -> Result<Kind, PostgresProblem> {
    let kind = kind(client).await.map_err(|error| PostgresProblem::of(&error, database))?;
    match kind {
        Kind::Empty | Kind::Ours => Ok(kind),
        Kind::Newer(found) => Err(PostgresProblem::Newer(found)),
        Kind::Foreign => Err(PostgresProblem::Foreign),
    }
}

/// Brings the database up to date in one transaction, which holds the lock of the version's row.
pub(super) async fn migrate(client: &Client, database: &str) -> Result<(), PostgresProblem> {
    for _ in 0..TRIES {
        known(client, database).await?;
        match try_to_migrate(client).await {
            Ok(()) => return Ok(()),
            Err(error) => {
                let ended = client.batch_execute("ROLLBACK").await;
                if ended.is_err() || !is_race(&error) {
                    return Err(PostgresProblem::of(&error, database));
                }
            }
        }
    }
    Err(PostgresProblem::Statement(Failure::told(&Busy)))
}

#[derive(Debug, thiserror::Error)]
#[error("other servers were making the schema all the time")]
struct Busy;

async fn try_to_migrate(client: &Client) -> Result<(), Error> {
    client.batch_execute("BEGIN; SET LOCAL statement_timeout = 0").await?;
    // `IF NOT EXISTS` asks for the right to create even if there is one.
    let has_schema = "SELECT to_regnamespace('latchkey') IS NOT NULL";
    if !client.query_one(has_schema, &[]).await?.get::<_, bool>(0) {
        client.batch_execute("CREATE SCHEMA latchkey").await?;
    }
    let has_version = "SELECT to_regclass('latchkey.schema_version') IS NOT NULL";
    if !client.query_one(has_version, &[]).await?.get::<_, bool>(0) {
        let create = "CREATE TABLE schema_version (\"only\" boolean PRIMARY KEY CHECK (\"only\"), version integer NOT NULL);
                      INSERT INTO schema_version VALUES (true, 0)";
        client.batch_execute(create).await?;
    }
    let lock = "SELECT version FROM schema_version FOR UPDATE";
    let found: i32 = client.query_one(lock, &[]).await?.get(0);
    let pending = usize::try_from(found).ok().and_then(|found| MIGRATIONS.get(found..));
    for step in pending.unwrap_or_default() {
        client.batch_execute(step).await?;
    }
    let version = i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX).max(found);
    client
        .execute("UPDATE schema_version SET version = $1 WHERE version <> $1", &[&version])
        .await?;
    client.batch_execute("COMMIT").await
}

/// Whether another server has made the same at the same time.
fn is_race(error: &Error) -> bool {
    let races = [
        SqlState::UNIQUE_VIOLATION,
        SqlState::DUPLICATE_SCHEMA,
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_OBJECT,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::T_R_SERIALIZATION_FAILURE,
    ];
    error.code().is_some_and(|code| races.contains(code))
}
