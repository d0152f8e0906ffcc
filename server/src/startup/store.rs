//! The store of a server: which one it is, and the clock beside it.

use std::sync::Arc;

use otp::Timestamp;

use super::{StartupError, read_keyring};
use crate::{
    clock::{Clock, ClockRefused},
    config::{Config, StoreSettings},
    derived_keys::fingerprint,
    http,
    keyring::Keyring,
    skew::{self, Skew},
    store::{AnyStore, PostgresStore, SqliteStore, Store},
};

/// A database before the start of the server.
pub(super) struct FoundStore {
    pub(super) is_new: bool,
    /// The latest time that it has seen.
    pub(super) latest: Timestamp,
}

/// Looks at the database. Changes nothing, so that a start can be refused before it does.
pub(super) async fn find_store(settings: &StoreSettings) -> Result<FoundStore, StartupError> {
    Ok(match &settings.postgres {
        Some(postgres) => {
            let latest = PostgresStore::inspect(postgres, None).await?.latest;
            FoundStore { is_new: latest.is_none(), latest: latest.unwrap_or_default() }
        }
        None => FoundStore {
            is_new: settings.is_new(),
            latest: SqliteStore::latest_time_of(&settings.path)?,
        },
    })
}

/// Opens the store, and starts it at the time of the clock.
pub(super) async fn open_store(
    settings: &StoreSettings,
    keyring: &Keyring,
    clock: &Clock,
) -> Result<AnyStore, StartupError> {
    let store = match &settings.postgres {
        Some(postgres) => AnyStore::Postgres(PostgresStore::open(postgres, keyring).await?),
        None => AnyStore::Sqlite(SqliteStore::open(&settings.path, keyring)?),
    };
    store.resume(clock.now()).await?;
    Ok(store)
}

/// Looks at the database, whether the master secrets open it, and at the machine's clock. Changes nothing.
/// Gives the fingerprints of the secrets, newest first; none if they are yet to be made.
///
/// # Errors
/// The reason why a server would not start on them, or would not be ready.
pub async fn inspect_store(config: &Config) -> Result<Vec<String>, StartupError> {
    let keyring = read_keyring(&config.keys)?;
    let latest = match &config.store.postgres {
        Some(postgres) => {
            let found = PostgresStore::inspect(postgres, Some(keyring.as_ref())).await?;
            let distance = Clock::distance_of_wall(found.time);
            if distance > skew::NOTABLE {
                return Err(StartupError::Skew(distance));
            }
            found.latest
        }
        None => SqliteStore::inspect(&config.store.path, keyring.as_ref())?,
    };
    Clock::is_credible(latest.unwrap_or_default())?;
    let secrets = keyring.iter().flat_map(Keyring::secrets);
    Ok(secrets.map(fingerprint).collect::<Result<_, _>>()?)
}

/// Starts the clock, unless the database has seen a time that is too far from it.
pub(super) fn start_clock(
    latest: Timestamp,
    clock: impl FnOnce(Timestamp) -> Result<Clock, ClockRefused>,
) -> Result<Clock, StartupError> {
    let clock = clock(latest)?;
    if clock.now() < latest {
        tracing::warn!("the clock was accepted: all verifications so far count as expired");
    }
    Ok(clock)
}

/// Readiness as long as the store answers and the clocks agree, and the comparison of these.
pub(super) fn readiness(store: &AnyStore, clock: &Clock) -> (http::Readiness, Arc<Skew>) {
    let skew = Arc::new(Skew::new(store.clone(), clock.clone()));
    let (store, compared) = (store.clone(), skew.clone());
    let readiness = http::Readiness::new(move || {
        let (store, skew) = (store.clone(), compared.clone());
        async move { store.ping().await.is_ok() && skew.is_bearable().await.unwrap_or(false) }
    });
    (readiness, skew)
}
