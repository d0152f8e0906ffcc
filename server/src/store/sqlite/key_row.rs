//! The row that holds the key of the store.

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::OpenProblem;
use crate::{
    derived_keys::Sealer,
    keyring::Keyring,
    store::{
        StoreKeyError,
        store_key::{StoreKey, WrappedKey},
    },
};

/// Makes the key of a store that has none, and encrypts the verifications, which were in clear until then.
pub(super) fn make(
    transaction: &Transaction<'_>,
    is_new: bool,
    keyring: &Keyring,
) -> Result<(), OpenProblem> {
    let key = if is_new { StoreKey::generate() } else { StoreKey::of_earlier_version(keyring) }?;
    transaction.execute_batch(
        "CREATE TABLE store_key (
             only INTEGER PRIMARY KEY CHECK (only = 0),
             wrapped TEXT NOT NULL
         ) STRICT;
         ALTER TABLE verification RENAME TO verification_in_clear;
         CREATE TABLE verification (
             id BLOB PRIMARY KEY,
             sealed BLOB NOT NULL
         ) STRICT, WITHOUT ROWID;",
    )?;
    // A key that is there already is never replaced by another one.
    put(transaction, "INSERT INTO store_key VALUES (0, ?1)", &key, keyring)?;
    seal(transaction, &key.sealer()?)?;
    transaction.execute_batch("DROP TABLE verification_in_clear")?;
    Ok(())
}

fn seal(transaction: &Transaction<'_>, sealer: &Sealer) -> Result<(), OpenProblem> {
    let mut select = transaction.prepare("SELECT id, body FROM verification_in_clear")?;
    let mut insert = transaction.prepare("INSERT INTO verification VALUES (?1, ?2)")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (id, body): (Vec<u8>, String) = (row.get(0)?, row.get(1)?);
        let sealed = sealer.seal(&id, body.as_bytes()).map_err(StoreKeyError::from)?;
        insert.execute(params![id, sealed])?;
    }
    Ok(())
}

/// Opens the key with any of the master secrets, and encrypts it anew if they are not those that it is
/// kept for.
pub(super) fn open(
    connection: &mut Connection,
    keyring: &Keyring,
) -> Result<StoreKey, OpenProblem> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let wrapped = get(&transaction)?;
    let key = wrapped.open(Some(keyring))?;
    if !wrapped.is_for(keyring)? {
        put(&transaction, "UPDATE store_key SET wrapped = ?1", &key, keyring)?;
        transaction.commit()?;
        // A secret that was taken away opens nothing that is still in the files.
        connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    }
    Ok(key)
}

/// Whether one of the master secrets opens the key, or the database has none yet. Changes nothing.
pub(super) fn inspect(
    connection: &Connection,
    keyring: Option<&Keyring>,
) -> Result<(), OpenProblem> {
    if connection.table_exists(None, "store_key")? {
        get(connection)?.open(keyring)?;
    }
    Ok(())
}

fn get(connection: &Connection) -> Result<WrappedKey, OpenProblem> {
    let wrapped =
        connection.query_row("SELECT wrapped FROM store_key", [], |row| row.get::<_, String>(0))?;
    Ok(serde_json::from_str(&wrapped).map_err(|_| StoreKeyError::Unreadable)?)
}

fn put(
    connection: &Connection,
    statement: &str,
    key: &StoreKey,
    keyring: &Keyring,
) -> Result<(), OpenProblem> {
    let wrapped = key.wrap(keyring)?;
    let wrapped = serde_json::to_string(&wrapped).map_err(|_| StoreKeyError::Crypto)?;
    connection.execute(statement, [wrapped])?;
    Ok(())
}
