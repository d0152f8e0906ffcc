//! Tallies, kept in memory by the writer and written once for each batch.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use otp::{
    Timestamp,
    tally::{Tallies, Tally},
};
use rusqlite::Connection;

use super::rows;
use crate::store::{StoreError, TallyKeys};

/// Time for which a tally is kept after its last change: longer than anything that it counts.
const KEPT: Duration = Duration::from_secs(90 * 24 * 3600);
/// Tallies in memory. Beyond that they are read again when they are needed.
const MOST: usize = 10_000;

/// Tallies as they will be once the batch is committed.
#[derive(Debug, Default)]
pub(super) struct TallyCache(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    known: HashMap<String, Arc<Tally>>,
    /// Names of those that the batch has changed, with the time of the change.
    changed: BTreeMap<String, Timestamp>,
}

impl TallyCache {
    /// The tallies with these names, as the batch has left them so far.
    pub(super) fn read(&self, db: &Connection, keys: &TallyKeys) -> Result<Tallies, StoreError> {
        let mut inner = self.inner();
        let mut read = |name: Option<String>| match name {
            Some(name) => inner.read(db, name),
            None => Ok(Arc::default()),
        };
        let [server, site, country, prefix] = names(keys);
        Ok(Tallies {
            server: read(server)?,
            site: read(site)?,
            country: read(country)?,
            prefix: read(prefix)?,
        })
    }

    /// Takes over those that a step has changed at `now`.
    pub(super) fn change(
        &self,
        keys: &TallyKeys,
        before: &Tallies,
        after: Tallies,
        now: Timestamp,
    ) {
        let mut inner = self.inner();
        let before = [&before.server, &before.site, &before.country, &before.prefix];
        let after = [after.server, after.site, after.country, after.prefix];
        for ((name, before), after) in names(keys).into_iter().zip(before).zip(after) {
            if let Some(name) = name.filter(|_| !Arc::ptr_eq(before, &after)) {
                inner.changed.insert(name.clone(), now);
                inner.known.insert(name, after);
            }
        }
    }

    /// Writes the changes of the batch, before its commit.
    pub(super) fn write(&self, db: &Connection) -> Result<(), StoreError> {
        let mut inner = self.inner();
        let changed = std::mem::take(&mut inner.changed);
        for (name, now) in &changed {
            if let Some(tally) = inner.known.get(name) {
                rows::put_tally(db, name, tally, *now + KEPT)?;
            }
        }
        if inner.known.len() > MOST {
            inner.known.clear();
        }
        Ok(())
    }

    /// Forgets all of them, after a batch that was not committed.
    pub(super) fn forget(&self) {
        *self.inner() = Inner::default();
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn read(&mut self, db: &Connection, name: String) -> Result<Arc<Tally>, StoreError> {
        if let Some(known) = self.known.get(&name) {
            return Ok(known.clone());
        }
        let tally = Arc::new(rows::tally(db, &name)?);
        self.known.insert(name, tally.clone());
        Ok(tally)
    }
}

/// Names of the rows. No name of a site has a slash.
fn names(keys: &TallyKeys) -> [Option<String>; 4] {
    let TallyKeys { server, site, country, prefix } = keys;
    let of_site =
        |part: &Option<String>| Some(format!("{}/{}", site.as_deref()?, part.as_deref()?));
    [server.then(String::new), site.clone(), of_site(country), of_site(prefix)]
}
