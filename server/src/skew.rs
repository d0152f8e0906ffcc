//! The distance between the server's clock and the database's, which all servers share.
//!
//! Each server decides by its own clock, so two whose clocks differ disagree on what has expired. The clock of the
//! database is the one that all of them can see.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use crate::{
    clock::Clock,
    store::{AnyStore, StoreError},
};

/// Distance from which on it is logged.
pub const NOTABLE: Duration = Duration::from_secs(2);
/// Distance from which on a server is not ready.
pub const LONGEST: Duration = Duration::from_secs(30);

/// Compares the two clocks.
#[derive(Debug)]
pub struct Skew {
    store: AnyStore,
    clock: Clock,
    /// So that a distance that stays is logged once.
    is_logged: AtomicBool,
}

impl Skew {
    /// Compares `clock` with that of the database of `store`, if that has one of its own.
    pub fn new(store: AnyStore, clock: Clock) -> Self {
        Self { store, clock, is_logged: AtomicBool::new(false) }
    }

    /// Whether the clocks agree well enough to serve.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn is_bearable(&self) -> Result<bool, StoreError> {
        let Some(database) = self.store.time().await? else { return Ok(true) };
        Ok(self.judge(self.clock.distance(database)))
    }

    fn judge(&self, distance: Duration) -> bool {
        let (is_notable, is_bearable) = (distance > NOTABLE, distance <= LONGEST);
        if is_notable && !self.is_logged.swap(true, Ordering::Relaxed) {
            tracing::error!(
                seconds = distance.as_secs(),
                is_ready = is_bearable,
                "the clocks of this server and of the database differ; set them by NTP"
            );
        } else if !is_notable && self.is_logged.swap(false, Ordering::Relaxed) {
            tracing::info!("the clocks of this server and of the database agree again");
        }
        is_bearable
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{keyring::Keyring, store::SqliteStore};

    #[test]
    fn s47_a_distance_of_more_than_half_a_minute_is_unbearable() {
        let folder = tempfile::tempdir().unwrap();
        let keyring = Keyring::parse([&*"A".repeat(43)]).unwrap();
        let store = SqliteStore::open(&folder.path().join("latchkey.db"), &keyring).unwrap();
        let clock = Clock::manual(otp::Timestamp::default());
        let skew = Skew::new(AnyStore::Sqlite(store), clock);
        for (seconds, is_bearable, is_logged) in [
            (2, true, false),
            (3, true, true),
            (30, true, true),
            (31, false, true),
            (0, true, false),
        ] {
            assert_eq!(skew.judge(Duration::from_secs(seconds)), is_bearable, "{seconds}");
            assert_eq!(skew.is_logged.load(Ordering::Relaxed), is_logged, "{seconds}");
        }
    }
}
