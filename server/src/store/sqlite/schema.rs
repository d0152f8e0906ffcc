//! The tables, as numbered steps that are only ever added to.

use rusqlite::Connection;

use super::{OpenProblem, key_row};
use crate::keyring::Keyring;

/// A step between two versions.
enum Migration {
    /// Statements.
    Sql(&'static str),
    /// Makes the key of the store and encrypts the verifications under it.
    Seal,
    /// Writes the file anew, so that nothing is left in it of rows that were deleted or replaced.
    Rewrite,
}

use Migration::{Rewrite, Seal, Sql};

/// Step `n` brings a database from version `n` to `n + 1`; the version is `PRAGMA user_version`.
///
/// Every key is a blob that the rows are ordered by. Ids of verifications begin with the time they
/// were made, so what is made together lies together, and what is old is found without an index.
const MIGRATIONS: &[Migration] = &[
    Sql("
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
"),
    // A ping has to write something new: SQLite does not write a row that stays as it is.
    Sql("ALTER TABLE clock ADD COLUMN pings INTEGER NOT NULL DEFAULT 0"),
    // A verification itself knows whether its result was redeemed.
    Sql("
    DROP TABLE redeemed_token;
    CREATE TABLE replay (
        key BLOB PRIMARY KEY,
        expires_at INTEGER NOT NULL,
        sealed BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX replay_expires ON replay (expires_at);
"),
    // All messages so far are codes; events get a queue of their own beside them.
    Sql("
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
"),
    // The names that the program uses.
    Sql("
    ALTER TABLE account RENAME TO counters;
    ALTER TABLE replay RENAME TO saved_answer;
    DROP INDEX replay_expires;
    CREATE INDEX saved_answer_expires ON saved_answer (expires_at);
"),
    // Milliseconds by which the counters' time is ahead of the clock's.
    Sql("ALTER TABLE clock ADD COLUMN counters_lead INTEGER NOT NULL DEFAULT 0"),
    // A copy of the file shows no recipient.
    Seal,
    Rewrite,
    // Counts across people: nothing in them is personal.
    Sql("
    CREATE TABLE tally (
        name TEXT PRIMARY KEY,
        expires_at INTEGER NOT NULL,
        body TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
"),
    // The providers that a message was tried by, so that a restart goes on with the next one.
    Sql("ALTER TABLE outbox ADD COLUMN tried TEXT NOT NULL DEFAULT ''"),
];

/// `PRAGMA application_id` of our databases: "lkey" in ASCII.
const APPLICATION_ID: u32 = u32::from_be_bytes(*b"lkey");

/// Tables of every version, by which a database is known that has no mark yet.
const OF_OLD: &str = "SELECT count(*) FROM sqlite_schema
                      WHERE type = 'table' AND name IN ('verification', 'outbox', 'clock')";

/// Kind of database that a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing yet.
    Empty,
    /// Ours, of this version or an earlier one.
    Ours,
    /// Ours, of this later version.
    Newer(u32),
    /// Another program's.
    Foreign,
}

/// Looks at a database and changes nothing.
pub(super) fn kind(connection: &Connection) -> rusqlite::Result<Kind> {
    let number = |query: &str| connection.query_row(query, [], |row| row.get::<_, u32>(0));
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    let version = number("PRAGMA user_version")?;
    Ok(match (number("PRAGMA application_id")?, version) {
        // A first start that was cut short has left the mark at most.
        (0 | APPLICATION_ID, 0) if number("SELECT count(*) FROM sqlite_schema")? == 0 => {
            Kind::Empty
        }
        (APPLICATION_ID, _) if version > known => Kind::Newer(version),
        (APPLICATION_ID, _) => Kind::Ours,
        (0, 1..) if version <= known && number(OF_OLD)? == 3 => Kind::Ours,
        _ => Kind::Foreign,
    })
}

/// Marks the database as ours and brings it up to date, each step in a transaction of its own.
pub(super) fn migrate(connection: &mut Connection, keyring: &Keyring) -> Result<(), OpenProblem> {
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let is_new = found == 0;
    let pending = MIGRATIONS.get(found as usize..).unwrap_or_default();
    for (step, number) in pending.iter().zip(found + 1..) {
        if matches!(step, Rewrite) && !is_new {
            // It cannot be part of a transaction; if it is cut short, the next start runs it again.
            rewrite(connection)?;
        }
        let transaction = connection.transaction()?;
        match step {
            Sql(statements) => transaction.execute_batch(statements)?,
            Seal => key_row::make(&transaction, is_new, keyring)?,
            Rewrite => {}
        }
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Fails if another connection still reads earlier rows.
fn rewrite(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.execute_batch("VACUUM")?;
    let empty_log = "PRAGMA wal_checkpoint(TRUNCATE)";
    let is_busy: bool = connection.query_row(empty_log, [], |row| row.get(0))?;
    if is_busy {
        let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
        return Err(rusqlite::Error::SqliteFailure(busy, None));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use otp::{Timestamp, Verification, counters::RecipientCounters};
    use rusqlite::params;

    use super::{super::rows, *};
    use crate::store::{
        SqliteStore, Store,
        contract::{self, keyring},
    };

    /// A database as it was when the steps up to `version` were all there were.
    fn of_version(version: u32, connection: Connection) -> Connection {
        for step in &MIGRATIONS[..version as usize] {
            let Sql(statements) = step else { panic!("these steps are statements") };
            connection.execute_batch(statements).unwrap();
        }
        connection.pragma_update(None, "user_version", version).unwrap();
        connection
    }

    #[test]
    fn messages_of_an_outbox_without_queues_are_codes() {
        let mut connection = of_version(2, Connection::open_in_memory().unwrap());
        let insert = "INSERT INTO outbox VALUES (x'01', 1, 20, 1, 30, 4, 5, x'06')";
        connection.execute(insert, []).unwrap();
        migrate(&mut connection, &keyring("A")).unwrap();
        let select = "SELECT queue, verification, number, due_at, leased, expires_at, tries,
                             unanswered, sealed, tried FROM outbox";
        let row = connection.query_row(select, [], |row| {
            let integer = |index| row.get::<_, i64>(index);
            let integers = [integer(0)?, integer(2)?, integer(3)?, integer(4)?, integer(5)?];
            let blobs: [Vec<u8>; 2] = [row.get(1)?, row.get(8)?];
            Ok((integers, [integer(6)?, integer(7)?], blobs, row.get::<_, String>(9)?))
        });
        assert_eq!(row, Ok(([0, 1, 20, 1, 30], [4, 5], [vec![1], vec![6]], String::new())));
    }

    #[test]
    fn counters_and_saved_answers_of_an_earlier_version_are_kept() {
        let mut connection = of_version(4, Connection::open_in_memory().unwrap());
        let window = r#"{"slots":[[7,2]]}"#;
        let insert = "INSERT INTO account VALUES (x'01010101010101010101010101010101', 9, ?1)";
        connection.execute(insert, [format!("[{window},{window},{window}]")]).unwrap();
        connection.execute("INSERT INTO replay VALUES (x'02', 8, x'03')", []).unwrap();
        migrate(&mut connection, &keyring("A")).unwrap();
        let counters: RecipientCounters = rows::counters(&connection, &[1; 16]).unwrap();
        assert_ne!(counters.wrong_checks, RecipientCounters::default().wrong_checks);
        let saved =
            connection.query_row("SELECT expires_at FROM saved_answer", [], |row| row.get(0));
        assert_eq!(saved, Ok(8));
    }

    /// Fills a database of version 5 with verifications, half of which were deleted again.
    fn fill(connection: &Connection) -> Vec<Verification> {
        let insert = "INSERT INTO verification VALUES (?1, ?2)";
        let verifications: Vec<_> =
            (0..200).map(|_| contract::opened(Timestamp::default())).collect();
        for verification in &verifications {
            let body = serde_json::to_string(verification).unwrap();
            connection.execute(insert, params![verification.id().as_bytes(), body]).unwrap();
        }
        let (deleted, kept) = verifications.split_at(100);
        for verification in deleted {
            let delete = "DELETE FROM verification WHERE id = ?1";
            connection.execute(delete, [verification.id().as_bytes()]).unwrap();
        }
        kept.to_vec()
    }

    #[tokio::test]
    async fn s7_an_upgrade_encrypts_the_recipients_and_leaves_none_in_the_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("latchkey.db");
        let connection = of_version(5, Connection::open(&path).unwrap());
        connection.pragma_update(None, "journal_mode", "WAL").unwrap();
        let verifications = fill(&connection);
        let deleted = || {
            let files = ["db", "db-wal"].map(|extension| path.with_extension(extension));
            let files = files.map(|file| std::fs::read(file).unwrap_or_default()).concat();
            files.windows(14).filter(|window| window == b"jo@example.com").count()
        };
        assert!(deleted() > 100, "those deleted are still there");
        // The log cannot be emptied while another connection reads, so the next start does it.
        connection.execute_batch("BEGIN; SELECT count(*) FROM verification").unwrap();
        assert!(SqliteStore::open(&path, &keyring("BA")).is_err());
        assert!(deleted() > 0);
        drop(connection);

        let store = SqliteStore::open(&path, &keyring("BA")).unwrap();
        assert_eq!(deleted(), 0);
        for verification in verifications {
            assert_eq!(store.read(verification.id()).await.unwrap(), Some(verification));
        }
        // The name that version 5 gave under the oldest of these secrets.
        let name = 0x06d2_1f91_31aa_cde4_a972_8c4c_e90f_d88f_u128.to_be_bytes();
        assert_eq!(store.pseudonyms().request("shop", "key"), name);
    }

    #[test]
    fn an_upgrade_that_was_cut_short_is_finished_by_the_next_start() {
        let mut connection = of_version(5, Connection::open_in_memory().unwrap());
        migrate(&mut connection, &keyring("A")).unwrap();
        // As if the rewriting had been cut short.
        let cut = "DROP TABLE tally; ALTER TABLE outbox DROP COLUMN tried; PRAGMA user_version = 7";
        connection.execute_batch(cut).unwrap();
        migrate(&mut connection, &keyring("B")).unwrap();
        let version: u32 =
            connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
        assert_eq!(version as usize, MIGRATIONS.len());
        assert!(matches!(key_row::open(&mut connection, &keyring("B")), Err(OpenProblem::Key(_))));
    }

    #[test]
    fn s39_databases_of_every_version_are_known_and_others_are_foreign() {
        for version in 1..=5 {
            let mut connection = of_version(version, Connection::open_in_memory().unwrap());
            assert_eq!(kind(&connection), Ok(Kind::Ours), "{version}");
            migrate(&mut connection, &keyring("A")).unwrap();
            assert_eq!(kind(&connection), Ok(Kind::Ours), "{version}");
            connection.pragma_update(None, "user_version", 1000).unwrap();
            assert_eq!(kind(&connection), Ok(Kind::Newer(1000)));
        }
        let holding = |statements: &str| {
            let connection = Connection::open_in_memory().unwrap();
            connection.execute_batch(statements).unwrap();
            kind(&connection)
        };
        assert_eq!(holding(""), Ok(Kind::Empty));
        let marked = format!("PRAGMA application_id = {APPLICATION_ID}");
        assert_eq!(holding(&marked), Ok(Kind::Empty));
        for foreign in [
            "CREATE TABLE song (title TEXT)",
            "PRAGMA user_version = 5",
            "PRAGMA application_id = 252006673",
            "CREATE TABLE clock (latest); PRAGMA user_version = 3",
            "CREATE TABLE clock (a); CREATE TABLE outbox (a); CREATE TABLE verification (a)",
        ] {
            assert_eq!(holding(foreign), Ok(Kind::Foreign), "{foreign}");
        }
    }

    #[test]
    fn what_is_due_is_found_by_an_index() {
        let mut connection = of_version(0, Connection::open_in_memory().unwrap());
        migrate(&mut connection, &keyring("A")).unwrap();
        let explain = "EXPLAIN QUERY PLAN SELECT min(due_at) FROM outbox WHERE queue = 1";
        let plan: String = connection.query_row(explain, [], |row| row.get(3)).unwrap();
        assert!(plan.contains("outbox_due"), "{plan}");
    }
}
