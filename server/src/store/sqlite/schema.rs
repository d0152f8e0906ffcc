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
    // All messages so far are codes; events get a queue of their own beside them.
    "
    CREATE TABLE outbox_by_queue (
        queue INTEGER NOT NULL,
        verification BLOB NOT NULL,
        number INTEGER NOT NULL,
        due_at INTEGER NOT NULL,
        leased INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        tries INTEGER NOT NULL,
        unanswered INTEGER NOT NULL,
        sealed BLOB NOT NULL,
        PRIMARY KEY (queue, verification, number)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO outbox_by_queue
        SELECT 0, verification, number, due_at, leased, expires_at, tries, unanswered, sealed
        FROM outbox;
    DROP TABLE outbox;
    ALTER TABLE outbox_by_queue RENAME TO outbox;
    CREATE INDEX outbox_due ON outbox (queue, due_at);
",
    // The names that the program uses.
    "
    ALTER TABLE account RENAME TO counters;
    ALTER TABLE replay RENAME TO saved_answer;
    DROP INDEX replay_expires;
    CREATE INDEX saved_answer_expires ON saved_answer (expires_at);
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

#[cfg(test)]
mod tests {
    use otp::{Timestamp, counters::RecipientCounters};

    use super::{super::rows, *};
    use crate::store::CounterKey;

    /// A database as it was when the steps up to `version` were all there were.
    fn of_version(version: u32) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        for step in &MIGRATIONS[..version as usize] {
            connection.execute_batch(step).unwrap();
        }
        connection.pragma_update(None, "user_version", version).unwrap();
        connection
    }

    #[test]
    fn messages_of_an_outbox_without_queues_are_codes() {
        let mut connection = of_version(2);
        let insert = "INSERT INTO outbox VALUES (x'01', 1, 20, 1, 30, 4, 5, x'06')";
        connection.execute(insert, []).unwrap();
        assert_eq!(migrate(&mut connection), Ok(Ok(())));
        let select = "SELECT queue, verification, number, due_at, leased, expires_at, tries,
                             unanswered, sealed FROM outbox";
        let row = connection.query_row(select, [], |row| {
            let integer = |index| row.get::<_, i64>(index);
            let integers = [integer(0)?, integer(2)?, integer(3)?, integer(4)?, integer(5)?];
            let blobs: [Vec<u8>; 2] = [row.get(1)?, row.get(8)?];
            Ok((integers, [integer(6)?, integer(7)?], blobs))
        });
        assert_eq!(row, Ok(([0, 1, 20, 1, 30], [4, 5], [vec![1], vec![6]])));
    }

    #[test]
    fn counters_and_saved_answers_of_an_earlier_version_are_kept() {
        let mut connection = of_version(4);
        let window = r#"{"slots":[[7,2]]}"#;
        let insert = "INSERT INTO account VALUES (x'01010101010101010101010101010101', 9, ?1)";
        connection.execute(insert, [format!("[{window},{window},{window}]")]).unwrap();
        connection.execute("INSERT INTO replay VALUES (x'02', 8, x'03')", []).unwrap();
        assert_eq!(migrate(&mut connection), Ok(Ok(())));
        let key = CounterKey { digest: [1; 16], expires_at: Timestamp::default() };
        let counters: RecipientCounters = rows::counters(&connection, Some(key)).unwrap();
        assert_ne!(counters.wrong_checks, RecipientCounters::default().wrong_checks);
        let saved =
            connection.query_row("SELECT expires_at FROM saved_answer", [], |row| row.get(0));
        assert_eq!(saved, Ok(8));
    }

    #[test]
    fn what_is_due_is_found_by_an_index() {
        let mut connection = of_version(0);
        assert_eq!(migrate(&mut connection), Ok(Ok(())));
        let explain = "EXPLAIN QUERY PLAN SELECT min(due_at) FROM outbox WHERE queue = 1";
        let plan: String = connection.query_row(explain, [], |row| row.get(3)).unwrap();
        assert!(plan.contains("outbox_due"), "{plan}");
    }
}
