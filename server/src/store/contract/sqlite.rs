//! The contract on the SQLite store, and tests of that store alone.

use std::time::Duration;

use crate::store::{
    Queue, SqliteStore, Store, StoreError,
    contract::{self, keyring},
};

/// A store and a function that opens it again; the function keeps the folder.
fn fresh() -> (SqliteStore, impl Fn(SqliteStore) -> SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data").join("latchkey.db");
    let store = SqliteStore::open(&path, &keyring("A")).unwrap();
    let reopen = move |store: SqliteStore| {
        assert!(folder.path().exists());
        drop(store);
        SqliteStore::open(&path, &keyring("A")).unwrap()
    };
    (store, reopen)
}

contract! { fresh() }

#[tokio::test]
async fn a_second_server_is_kept_away_from_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("latchkey.db");
    let _first = SqliteStore::open(&path, &keyring("A")).unwrap();
    let second = SqliteStore::open(&path, &keyring("A")).unwrap_err();
    assert!(second.reason.to_string().contains("in use by another process"));
}

#[tokio::test]
async fn the_files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("latchkey.db");
    let store = SqliteStore::open(&path, &keyring("A")).unwrap();
    contract::create(&store).await;
    for name in ["latchkey.db", "latchkey.db-wal"] {
        let mode = folder.path().join(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}");
    }
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("latchkey.db");
    drop(SqliteStore::open(&path, &keyring("A")).unwrap());
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 1000).unwrap();
    drop(connection);
    let error = SqliteStore::open(&path, &keyring("A")).unwrap_err();
    assert!(error.reason.to_string().contains("schema version 1000"), "{error:?}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("latchkey.db");
    std::fs::write(&path, "not a database, but long enough to be looked at".repeat(100)).unwrap();
    assert!(
        SqliteStore::open(&path, &keyring("A")).unwrap_err().to_string().contains("latchkey.db")
    );
}

/// Locks the file as another process would, for a backup or by mistake.
fn hold(path: &std::path::Path) -> rusqlite::Connection {
    let other = rusqlite::Connection::open(path).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    other
}

#[tokio::test]
async fn s26_a_store_that_is_held_by_another_says_so_and_is_back_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("latchkey.db");
    let store = SqliteStore::open(&path, &keyring("A")).unwrap();
    let id = contract::create(&store).await;
    let other = hold(&path);
    let refused = store.apply(contract::checking(id, "123456")).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    assert!(store.ping().await.is_err());
    assert!(store.read(id).await.unwrap().is_some(), "reading goes on");
    drop(other);
    let outcome = store.apply(contract::checking(id, "123456")).await.unwrap();
    assert_eq!(outcome, Some(contract::Outcome::Approved));
}

#[tokio::test]
async fn s26_what_was_given_up_while_the_store_was_held_is_not_done_later() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("latchkey.db");
    let store = SqliteStore::open(&path, &keyring("A")).unwrap();
    let id = contract::create(&store).await;
    let other = hold(&path);
    // The first is given up while the writer waits for the file, the second in the queue.
    for _ in 0..2 {
        let asked = store.apply(contract::checking(id, "000000"));
        assert!(tokio::time::timeout(Duration::from_millis(100), asked).await.is_err());
    }
    drop(other);
    store.ping().await.unwrap();
    let left = store.read(id).await.unwrap().unwrap().attempts_left();
    assert_eq!(left, 5, "nothing was counted");
}

#[tokio::test]
async fn messages_leased_to_a_process_that_died_are_due_at_the_next_start() {
    let (store, reopen) = fresh();
    let id = contract::create(&store).await;
    assert_eq!(store.claim(Queue::Codes, contract::START, contract::LEASE, 10).await.unwrap(), []);
    let store = reopen(store);
    let claimed = store.claim(Queue::Codes, contract::START, contract::LEASE, 10).await.unwrap();
    assert_eq!(claimed, [contract::message(id, 1)]);
}

#[tokio::test]
async fn s39_no_path_leads_a_second_server_to_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let (data, other) = (folder.path().join("data"), folder.path().join("other"));
    std::fs::create_dir(&other).unwrap();
    let path = data.join("latchkey.db");
    let _first = SqliteStore::open(&path, &keyring("A")).unwrap();
    std::os::unix::fs::symlink(&path, other.join("symbolic.db")).unwrap();
    std::os::unix::fs::symlink(&data, other.join("folder")).unwrap();
    std::fs::hard_link(&path, other.join("hard.db")).unwrap();
    for second in ["symbolic.db", "hard.db", "folder/latchkey.db", "../data/latchkey.db"] {
        let refused =
            SqliteStore::open(&other.join(second), &keyring("A")).map(|_| second).unwrap_err();
        assert!(refused.reason.to_string().contains("in use by another process"), "{refused:?}");
    }
}

#[tokio::test]
async fn s39_a_file_with_two_names_is_refused_since_its_log_belongs_to_one() {
    let folder = tempfile::tempdir().unwrap();
    let [path, copy] = ["latchkey.db", "copy.db"].map(|name| folder.path().join(name));
    drop(SqliteStore::open(&path, &keyring("A")).unwrap());
    std::fs::hard_link(&path, &copy).unwrap();
    let refused = SqliteStore::open(&path, &keyring("A")).map(|_| ()).unwrap_err();
    assert!(refused.reason.to_string().contains("2 hard links"), "{refused:?}");
    std::fs::remove_file(&copy).unwrap();
    SqliteStore::open(&path, &keyring("A")).unwrap();
}

#[tokio::test]
async fn s39_another_programs_database_is_refused_and_left_as_it_was() {
    for mode in ["DELETE", "WAL"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("songs.db");
        let theirs = rusqlite::Connection::open(&path).unwrap();
        theirs.pragma_update(None, "journal_mode", mode).unwrap();
        theirs.execute_batch("CREATE TABLE song (title TEXT)").unwrap();
        let before = std::fs::read(&path).unwrap();
        let refused = SqliteStore::open(&path, &keyring("A")).map(|_| mode).unwrap_err();
        assert!(refused.reason.to_string().contains("another program"), "{refused:?}");
        drop(theirs);
        let refused = SqliteStore::open(&path, &keyring("A")).map(|_| mode).unwrap_err();
        assert!(refused.reason.to_string().contains("another program"), "{refused:?}");
        if mode == "DELETE" {
            assert_eq!(std::fs::read(&path).unwrap(), before);
        }
        let theirs = rusqlite::Connection::open(&path).unwrap();
        let tables = "SELECT group_concat(name) FROM sqlite_schema";
        let tables: String = theirs.query_row(tables, [], |row| row.get(0)).unwrap();
        let found: String = theirs.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
        assert_eq!((tables.as_str(), found), ("song", mode.to_lowercase()));
    }
}

#[tokio::test]
async fn s39_a_store_that_was_removed_or_replaced_accepts_nothing_until_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let away = folder.path().join("away");
    let store = SqliteStore::open(&data.join("latchkey.db"), &keyring("A")).unwrap();
    let id = contract::create(&store).await;
    let is_refused = async || {
        assert!(store.ping().await.is_err());
        let refused = store.apply(contract::checking(id, "123456")).await.unwrap_err();
        let StoreError::Unavailable(reason) = refused else { panic!("{refused:?}") };
        assert!(reason.to_string().contains("removed or replaced"), "{reason}");
    };
    for file in ["latchkey.db", "latchkey.db-wal"] {
        std::fs::rename(data.join(file), &away).unwrap();
        is_refused().await;
        std::fs::copy(&away, data.join(file)).unwrap();
        is_refused().await;
        std::fs::rename(&away, data.join(file)).unwrap();
        store.ping().await.unwrap();
    }
    std::fs::rename(&data, &away).unwrap();
    is_refused().await;
    std::fs::rename(&away, &data).unwrap();
    let outcome = store.apply(contract::checking(id, "123456")).await.unwrap();
    assert_eq!(outcome, Some(contract::Outcome::Approved), "nothing had been counted");
}

#[tokio::test]
async fn s39_a_damaged_page_takes_the_store_out_of_use() {
    use std::io::{Seek, SeekFrom, Write};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("latchkey.db");
    let store = SqliteStore::open(&path, &keyring("A")).unwrap();
    let id = contract::create(&store).await;
    drop(store);
    let connection = rusqlite::Connection::open(&path).unwrap();
    let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'verification'";
    let root: u32 = connection.query_row(root, [], |row| row.get(0)).unwrap();
    let size: u32 = connection.query_row("PRAGMA page_size", [], |row| row.get(0)).unwrap();
    drop(connection);

    let store = SqliteStore::open(&path, &keyring("A")).unwrap();
    store.ping().await.unwrap();
    let mut file = std::fs::File::options().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(u64::from((root - 1) * size))).unwrap();
    file.write_all(&vec![0xaa; size as usize]).unwrap();
    let refused = store.apply(contract::checking(id, "123456")).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    assert!(store.ping().await.is_err(), "a store that cannot check a code is not ready");
}
