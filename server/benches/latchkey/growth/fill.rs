//! Many verifications in a database, by copying rows of real flows under new ids and keys.
//!
//! A copy has the size of a real row and its place among them, and nothing else of it matters: nobody asks for
//! it, and it is deleted unread. Millions of flows would take an hour.

use std::{fs::File, path::Path, time::Duration};

use otp::{Timestamp, VerificationId};
use rand::{TryRng, rngs::SysRng};
use rusqlite::Connection;

/// The file's name in its folder.
pub(super) const DATABASE: &str = "latchkey.db";
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
    let number = u32::try_from(number).expect("some millions");
    let id = |row| {
        VerificationId::generate(from + span * row / number, &mut SysRng)
            .expect("random bytes")
            .as_bytes()
            .to_vec()
    };
    copy(&mut db, "verification", (0..number).map(id).collect());
    let key = |_| {
        let mut key = vec![0; 16];
        SysRng.try_fill_bytes(&mut key).expect("random bytes");
        key
    };
    copy(&mut db, "counters", (0..number).map(key).collect());
    let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
    db.query_row(checkpoint, [], |_| Ok(())).expect("a checkpoint");
    // Gigabytes that are still to be written would delay the first commits.
    File::open(folder.join(DATABASE)).and_then(|file| file.sync_all()).expect("written");
}

/// Copies rows of a table under these keys, in the order of the keys, or each would be on a page of its own.
fn copy(db: &mut Connection, table: &str, mut keys: Vec<Vec<u8>>) {
    let columns = |is_key| {
        let names = "SELECT group_concat(name) FROM pragma_table_info(?1) WHERE (pk > 0) = ?2";
        let names = db.query_row(names, (table, is_key), |row| row.get::<_, String>(0));
        names.expect("the names of its columns")
    };
    let (key, others) = (columns(true), columns(false));
    let mut select = db.prepare(&format!("SELECT {key} FROM {table} LIMIT 1000")).expect("valid");
    let originals = select.query_map([], |row| row.get(0)).expect("rows");
    let originals: Vec<Vec<u8>> = originals.collect::<Result<_, _>>().expect("keys");
    drop(select);
    let insert = format!(
        "INSERT INTO {table} ({key}, {others}) SELECT ?1, {others} FROM {table} WHERE {key} = ?2"
    );
    keys.sort_unstable();
    for batch in keys.chunks(BATCH) {
        let transaction = db.transaction().expect("a transaction");
        for (key, original) in batch.iter().zip(originals.iter().cycle()) {
            let mut insert = transaction.prepare_cached(&insert).expect("valid");
            assert_eq!(insert.execute((key, original)), Ok(1), "a row was not copied");
        }
        transaction.commit().expect("committed");
    }
}

fn open(folder: &Path) -> Connection {
    Connection::open(folder.join(DATABASE)).expect("the database")
}
