//! The row that holds the key of the store, which all servers share.

use tokio_postgres::Client;

use super::{PostgresProblem, open_error::Failure};
use crate::{
    keyring::Keyring,
    store::{
        StoreKeyError,
        store_key::{StoreKey, WrappedKey},
    },
};

/// Opens the key with any of the master secrets, makes it if there is none yet, and encrypts it anew if these are not
/// the secrets that it is kept for. The first of many servers makes it; the others find it.
pub(super) async fn open(client: &Client, keyring: &Keyring) -> Result<StoreKey, PostgresProblem> {
    let failed = |error| PostgresProblem::Statement(Failure::new(&error));
    if get(client, "").await?.is_none() {
        let wrapped = to_json(&StoreKey::generate()?.wrap(keyring)?)?;
        let first = "INSERT INTO store_key VALUES (true, $1) ON CONFLICT DO NOTHING";
        client.execute(first, &[&wrapped]).await.map_err(failed)?;
    }
    client.batch_execute("BEGIN").await.map_err(failed)?;
    let opened = open_locked(client, keyring).await;
    let end = if opened.is_ok() { "COMMIT" } else { "ROLLBACK" };
    client.batch_execute(end).await.map_err(failed)?;
    let (key, is_changed) = opened?;
    if is_changed {
        // A secret that was taken away opens no row that is still in the table. Best effort: backups and the log of
        // the database may have it.
        let _ = client.batch_execute("VACUUM store_key").await;
    }
    Ok(key)
}

async fn open_locked(
    client: &Client,
    keyring: &Keyring,
) -> Result<(StoreKey, bool), PostgresProblem> {
    let wrapped = get(client, " FOR UPDATE").await?.ok_or(StoreKeyError::Unreadable)?;
    let key = wrapped.open(Some(keyring))?;
    if wrapped.is_for(keyring)? {
        return Ok((key, false));
    }
    let wrapped = to_json(&key.wrap(keyring)?)?;
    let update = client.execute("UPDATE store_key SET wrapped = $1", &[&wrapped]).await;
    update.map_err(|error| PostgresProblem::Statement(Failure::new(&error)))?;
    Ok((key, true))
}

/// Whether one of the master secrets opens the key, or the database has none yet. Changes nothing.
pub(super) async fn inspect(
    client: &Client,
    keyring: Option<&Keyring>,
) -> Result<(), PostgresProblem> {
    if let Some(wrapped) = get(client, "").await? {
        wrapped.open(keyring)?;
    }
    Ok(())
}

async fn get(client: &Client, lock: &str) -> Result<Option<WrappedKey>, PostgresProblem> {
    let select = format!("SELECT wrapped FROM store_key{lock}");
    let row = client.query_opt(&select, &[]).await;
    let row = row.map_err(|error| PostgresProblem::Statement(Failure::new(&error)))?;
    let wrapped = row.map(|row| serde_json::from_str(row.get(0)));
    Ok(wrapped.transpose().map_err(|_| StoreKeyError::Unreadable)?)
}

fn to_json(wrapped: &WrappedKey) -> Result<String, StoreKeyError> {
    serde_json::to_string(wrapped).map_err(|_| StoreKeyError::Crypto)
}
