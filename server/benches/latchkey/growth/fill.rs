//! Many verifications in a database, by copying rows of real flows under new ids and keys.
//!
//! A copy has the size of a real row and its place among them, and nothing else of it matters: nobody asks for
//! it, and it is deleted unread. Millions of flows would take an hour.

use std::{path::Path, time::Duration};

use otp::{Timestamp, VerificationId};
use rand::{TryRng, rngs::SysRng};
use rusqlite::Connection;

/// Rows that are copied by one transaction.
const BATCH: usize = 100_000;

/// Rows of a database, and their size.
pub(super) struct Rows {
    pub(super) verifications: usize,
    pub(super) bytes: usize,
}

impl Rows {
    #[expect(clippy::cast_precision_loss, reason = "some GB")]
    pub(super) fn bytes_each_since(&self, before: &Self) -> f64 {
        (self.bytes - before.bytes) as f64 / (self.verifications - before.verifications) as f64
    }
}

/// The stored verifications, and the size of all pages in bytes.
pub(super) fn rows(folder: &Path) -> Rows {
    let db = open(folder);
    let number = |query| {
        let number: u32 = db.query_row(query, [], |row| row.get(0)).expect("a number");
        number as usize
    };
    let pages = number("PRAGMA page_count") - number("PRAGMA freelist_count");
    Rows {
        verifications: number("SELECT count(*) FROM verification"),
        bytes: pages * number("PRAGMA page_size"),
    }
}

/// Adds verifications that were begun in a span of time, each with the counters of a recipient.
pub(super) fn fill(folder: &Path, number: usize, from: Timestamp, span: Duration) {
    let mut db = open(folder);
    // If this process dies the database is of no use anyway.
    db.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -500000").expect("settings");
    let (verifications, verification) = originals(&db, "verification");
    let (counters, counter) = originals(&db, "counters");
    for batch in (0..number).step_by(BATCH) {
        let transaction = db.transaction().expect("a transaction");
        let mut verification = transaction.prepare(&verification).expect("a statement");
        let mut counter = transaction.prepare(&counter).expect("a statement");
        for row in batch..number.min(batch + BATCH) {
            let time = span.as_millis() as usize * row / number;
            let time = from + Duration::from_millis(time as u64);
            let id = VerificationId::generate(time, &mut SysRng).expect("random bytes");
            let original = &verifications[row % verifications.len()];
            let added = verification.execute((id.as_bytes(), original)).expect("a row");
            let mut key = [0; 16];
            SysRng.try_fill_bytes(&mut key).expect("random bytes");
            let original = &counters[row % counters.len()];
            let counted = counter.execute((key, original)).expect("a row");
            assert_eq!((added, counted), (1, 1), "a row was not copied");
        }
        drop((verification, counter));
        transaction.commit().expect("committed");
    }
    let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
    db.query_row(checkpoint, [], |_| Ok(())).expect("a checkpoint");
}

/// Keys of some rows of a table, and the statement that copies the row of the second key under the first.
fn originals(db: &Connection, table: &str) -> (Vec<Vec<u8>>, String) {
    let columns = |is_key| {
        let names = "SELECT group_concat(name) FROM pragma_table_info(?1) WHERE (pk > 0) = ?2";
        let names = db.query_row(names, (table, is_key), |row| row.get::<_, String>(0));
        names.expect("the names of its columns")
    };
    let (key, others) = (columns(true), columns(false));
    let mut select = db.prepare(&format!("SELECT {key} FROM {table} LIMIT 1000")).expect("valid");
    let keys = select.query_map([], |row| row.get(0)).expect("rows").collect::<Result<_, _>>();
    let copy = format!(
        "INSERT INTO {table} ({key}, {others}) SELECT ?1, {others} FROM {table} WHERE {key} = ?2"
    );
    (keys.expect("keys"), copy)
}

fn open(folder: &Path) -> Connection {
    Connection::open(folder.join("latchkey.db")).expect("the database")
}
