//! The tables, as numbered steps that are only ever added to.

use rusqlite::Connection;

/// Step `n` brings a database from version `n` to `n + 1`; the version is `PRAGMA user_version`.
///
/// Every key is a blob that the rows are ordered by. Ids of verifications begin with the time they
/// were made, so what is made together lies together, and what is old is found without an index.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE verification (
        id BLOB PRIMARY KEY,
        body TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE account (
        key BLOB PRIMARY KEY,
        expires_at INTEGER NOT NULL,
        body TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE outbox (
        verification BLOB NOT NULL,
        number INTEGER NOT NULL,
        due_at INTEGER NOT NULL,
        leased INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        tries INTEGER NOT NULL,
        unanswered INTEGER NOT NULL,
        sealed BLOB NOT NULL,
        PRIMARY KEY (verification, number)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX outbox_due ON outbox (due_at);
    CREATE TABLE redeemed_token (
        id BLOB PRIMARY KEY,
        expires_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE clock (
        only INTEGER PRIMARY KEY CHECK (only = 0),
        latest INTEGER NOT NULL
    ) STRICT;
    INSERT INTO clock VALUES (0, 0);
",
    // A ping has to write something new: SQLite does not write a row that stays as it is.
    "ALTER TABLE clock ADD COLUMN pings INTEGER NOT NULL DEFAULT 0",
    // A verification itself knows whether its result was redeemed.
    "
    DROP TABLE redeemed_token;
    CREATE TABLE replay (
        key BLOB PRIMARY KEY,
        expires_at INTEGER NOT NULL,
        sealed BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX replay_expires ON replay (expires_at);
",
];

/// Brings the database up to date, each step in a transaction of its own.
///
/// Gives the version it found where that is newer than this program knows.
pub(super) fn migrate(connection: &mut Connection) -> Result<Result<(), u32>, rusqlite::Error> {
    let version: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let Some(pending) = MIGRATIONS.get(version as usize..) else {
        return Ok(Err(version));
    };
    for (step, number) in pending.iter().zip(version + 1..) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    Ok(Ok(()))
}
