//! The key of the SQLite store, and the content of its files.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use otp::VerificationId;

use crate::{
    derived_keys::fingerprint,
    error_chain::chain,
    store::{OpenProblem, SqliteStore, Store, StoreError, contract},
};

/// Fingerprints of the master secrets that the database keeps its key for.
fn kept_for(path: &Path) -> Vec<String> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let select = "SELECT key FROM store_key, json_each(store_key.wrapped)";
    let mut statement = connection.prepare(select).unwrap();
    let fingerprints = statement.query_map([], |row| row.get(0)).unwrap();
    fingerprints.collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn s37_a_rotation_of_master_secrets_renames_nothing_and_makes_nothing_unreadable() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("latchkey.db");
    let open = |letters| SqliteStore::open(&path, &contract::keyring(letters));
    let store = open("A").unwrap();
    let id = contract::create(&store).await;
    let name = store.pseudonyms().request("shop", "key");
    drop(store);
    for letters in ["BA", "B", "CB", "C"] {
        let store = open(letters).unwrap();
        assert_eq!(store.pseudonyms().request("shop", "key"), name);
        assert!(store.read(id).await.unwrap().is_some());
        drop(store);
        let mut secrets: Vec<_> = contract::keyring(letters)
            .secrets()
            .map(|secret| fingerprint(secret).unwrap())
            .collect();
        secrets.sort_unstable();
        assert_eq!(kept_for(&path), secrets);
    }
    let refused = open("BA").unwrap_err();
    assert!(matches!(refused.reason, OpenProblem::Key(_)), "they were taken away");
}

#[tokio::test]
async fn s37_a_database_is_refused_without_its_master_secrets_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("latchkey.db");
    let inspect = |letters| SqliteStore::inspect(&path, Some(&contract::keyring(letters)));
    inspect("A").unwrap();
    assert!(!path.exists(), "looking makes nothing");
    let store = SqliteStore::open(&path, &contract::keyring("A")).unwrap();
    let id = contract::create(&store).await;
    inspect("BA").unwrap();
    drop(store);
    let kept = kept_for(&path);
    let refused = [
        SqliteStore::open(&path, &contract::keyring("B")).err(),
        inspect("B").err(),
        SqliteStore::inspect(&path, None).err(),
    ];
    for refused in refused {
        let error = chain(&refused.unwrap());
        assert!(error.contains("latchkey.db") && error.contains(&kept[0]), "{error}");
    }
    assert_eq!(kept_for(&path), kept);
    let store = SqliteStore::open(&path, &contract::keyring("A")).unwrap();
    assert!(store.read(id).await.unwrap().is_some());
}

#[tokio::test]
async fn s7_a_record_that_is_moved_to_another_row_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("latchkey.db");
    let store = SqliteStore::open(&path, &contract::keyring("A")).unwrap();
    let (one, other) = (contract::create(&store).await, contract::create(&store).await);
    let connection = rusqlite::Connection::open(&path).unwrap();
    let moved = "UPDATE verification SET sealed =
                 (SELECT sealed FROM verification WHERE id = ?1) WHERE id = ?2";
    connection.execute(moved, [one.as_bytes(), other.as_bytes()]).unwrap();
    assert!(store.read(one).await.is_ok());
    assert!(matches!(store.read(other).await, Err(StoreError::Corrupt(_))));
    // S9: a missing one is none, although the one before it is read too.
    let later = VerificationId::first_at(other.created_at() + Duration::from_secs(1));
    connection.execute("DELETE FROM verification WHERE id = ?1", [one.as_bytes()]).unwrap();
    assert_eq!((store.read(one).await.unwrap(), store.read(later).await.unwrap()), (None, None));
}

/// Whether a file of the database contains these bytes.
fn is_in_files(path: &Path, bytes: &[u8]) -> bool {
    let is_in = |file: PathBuf| {
        let file = std::fs::read(file).unwrap_or_default();
        file.windows(bytes.len()).any(|window| window == bytes)
    };
    ["db", "db-wal"].into_iter().any(|extension| is_in(path.with_extension(extension)))
}

#[tokio::test]
async fn s7_a_swept_verification_leaves_nothing_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("latchkey.db");
    let store = SqliteStore::open(&path, &contract::keyring("A")).unwrap();
    for _ in 0..20 {
        contract::create(&store).await;
    }
    let select = "SELECT sealed FROM verification";
    let connection = rusqlite::Connection::open(&path).unwrap();
    let rows: Vec<Vec<u8>> = {
        let mut select = connection.prepare(select).unwrap();
        let rows = select.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    };
    let found = || rows.iter().filter(|row| is_in_files(&path, &row[..64])).count();
    assert_eq!(found(), 20);
    let end = contract::START + contract::RETENTION * 2;
    assert_eq!(store.sweep(end, contract::RETENTION).await.unwrap().verifications, 20);
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    assert_eq!(found(), 0);
}
