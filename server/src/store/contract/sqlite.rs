//! The contract on the SQLite store, and tests of that store alone.

use std::time::Duration;

use crate::store::{Queue, SqliteStore, Store, StoreError, contract};

/// A store and a function that opens it again; the function keeps the folder.
fn fresh() -> (SqliteStore, impl Fn(SqliteStore) -> SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data").join("latchkey.db");
    let store = SqliteStore::open(&path, &contract::keyring("A")).unwrap();
    let reopen = move |store: SqliteStore| {
        assert!(folder.path().exists());
        drop(store);
        SqliteStore::open(&path, &contract::keyring("A")).unwrap()
    };
    (store, reopen)
}

contract! { fresh() }

#[tokio::test]
async fn a_second_server_is_kept_away_from_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("latchkey.db");
    let _first = SqliteStore::open(&path, &contract::keyring("A")).unwrap();
    let second = SqliteStore::open(&path, &contract::keyring("A")).unwrap_err();
    assert!(second.to_string().contains("in use by another process"));
}

#[tokio::test]
async fn the_files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("latchkey.db");
    let store = SqliteStore::open(&path, &contract::keyring("A")).unwrap();
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
    drop(SqliteStore::open(&path, &contract::keyring("A")).unwrap());
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 1000).unwrap();
    drop(connection);
    let error = SqliteStore::open(&path, &contract::keyring("A")).unwrap_err();
    assert!(error.to_string().contains("schema version 1000"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("latchkey.db");
    std::fs::write(&path, "not a database, but long enough to be looked at".repeat(100)).unwrap();
    assert!(
        SqliteStore::open(&path, &contract::keyring("A"))
            .unwrap_err()
            .to_string()
            .contains("latchkey.db")
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
    let store = SqliteStore::open(&path, &contract::keyring("A")).unwrap();
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
    let store = SqliteStore::open(&path, &contract::keyring("A")).unwrap();
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
