//! Records that the writer keeps in memory and writes once for each batch.
//!
//! The writer alone changes the file, so a record that it has read or written is the one in its row until a
//! sweep or a batch that fails.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use otp::{
    CopyOnWrite, Timestamp, Verification, VerificationId,
    counters::{CallerCounters, RecipientCounters},
    tally::{Tallies, Tally},
};
use rusqlite::Connection;

use super::rows;
use crate::{
    derived_keys::Sealer,
    store::{StoreError, TallyKeys},
};

/// Time for which a tally is kept after its last change: longer than anything that it counts.
const TALLY_KEPT: Duration = Duration::from_secs(90 * 24 * 3600);
/// Records of one kind in memory, some megabytes. Beyond that they are read again when they are needed.
const MOST: usize = 4096;

/// Records as they will be once the batch is committed.
#[derive(Debug)]
pub(super) struct Memory {
    sealer: Arc<Sealer>,
    records: Mutex<Kept>,
}

/// The records, by the keys of their rows.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) verifications: Table<VerificationId, Verification>,
    pub(super) callers: Table<[u8; 16], CallerCounters>,
    pub(super) recipients: Table<[u8; 16], RecipientCounters>,
    tallies: Table<String, Tally>,
}

impl Memory {
    /// An empty one over rows that `sealer` encrypts.
    pub(super) fn new(sealer: Arc<Sealer>) -> Self {
        Self { sealer, records: Mutex::default() }
    }

    pub(super) fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    pub(super) fn records(&self) -> MutexGuard<'_, Kept> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the changes of the batch, before its commit.
    pub(super) fn write(&self, db: &Connection) -> Result<(), StoreError> {
        let Kept { verifications, callers, recipients, tallies } = &mut *self.records();
        verifications.write(|_, found, _| rows::put_verification(db, &self.sealer, found))?;
        callers.write(|key, counted, until| rows::put_counters(db, key, counted, until))?;
        recipients.write(|key, counted, until| rows::put_counters(db, key, counted, until))?;
        tallies.write(|name, tally, until| rows::put_tally(db, name, tally, until))
    }

    /// Forgets all of them, after a batch that was not committed.
    pub(super) fn forget(&self) {
        *self.records() = Kept::default();
    }
}

impl Kept {
    /// The tallies with these names, as the batch has left them so far.
    pub(super) fn tallies(
        &mut self,
        db: &Connection,
        keys: &TallyKeys,
    ) -> Result<Tallies, StoreError> {
        let mut read = |name: Option<String>| match name {
            Some(name) => self.tallies.read(name, |name| rows::tally(db, name)),
            None => Ok(CopyOnWrite::default()),
        };
        let [server, site, country, prefix] = names(keys);
        Ok(Tallies {
            server: read(server)?,
            site: read(site)?,
            country: read(country)?,
            prefix: read(prefix)?,
        })
    }

    /// Takes over those tallies that a step has changed at `now`.
    pub(super) fn put_tallies(
        &mut self,
        keys: &TallyKeys,
        before: &Tallies,
        after: Tallies,
        now: Timestamp,
    ) {
        let before = [&before.server, &before.site, &before.country, &before.prefix];
        let after = [after.server, after.site, after.country, after.prefix];
        for ((name, before), after) in names(keys).into_iter().zip(before).zip(after) {
            if let Some(name) = name.filter(|_| *before != after) {
                self.tallies.put(name, after, now + TALLY_KEPT);
            }
        }
    }
}

/// Records of one kind.
#[derive(Debug)]
pub(super) struct Table<K, V> {
    known: HashMap<K, CopyOnWrite<V>>,
    /// Those that the batch has changed, and the time until which no sweep may drop them.
    changed: BTreeMap<K, Timestamp>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { known: HashMap::new(), changed: BTreeMap::new() }
    }
}

impl<K: Clone + Eq + Hash + Ord, V: Clone> Table<K, V> {
    /// The record, if it is in memory.
    pub(super) fn get(&self, key: &K) -> Option<CopyOnWrite<V>> {
        self.known.get(key).cloned()
    }

    /// The record, loaded if it is not in memory.
    pub(super) fn read(
        &mut self,
        key: K,
        load: impl FnOnce(&K) -> Result<V, StoreError>,
    ) -> Result<CopyOnWrite<V>, StoreError> {
        if let Some(known) = self.known.get(&key) {
            return Ok(known.clone());
        }
        let loaded = CopyOnWrite::from(load(&key)?);
        self.known.insert(key, loaded.clone());
        Ok(loaded)
    }

    /// Takes a changed record over.
    pub(super) fn put(&mut self, key: K, record: CopyOnWrite<V>, expires_at: Timestamp) {
        self.known.insert(key.clone(), record);
        self.changed.insert(key, expires_at);
    }

    fn write(
        &mut self,
        mut put: impl FnMut(&K, &V, Timestamp) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        for (key, expires_at) in std::mem::take(&mut self.changed) {
            if let Some(record) = self.known.get(&key) {
                put(&key, record, expires_at)?;
            }
        }
        if self.known.len() > MOST {
            self.known.clear();
        }
        Ok(())
    }
}

/// Names of the rows. No name of a site has a slash.
fn names(keys: &TallyKeys) -> [Option<String>; 4] {
    let TallyKeys { server, site, country, prefix } = keys;
    let of_site =
        |part: &Option<String>| Some(format!("{}/{}", site.as_deref()?, part.as_deref()?));
    [server.then(String::new), site.clone(), of_site(country), of_site(prefix)]
}
