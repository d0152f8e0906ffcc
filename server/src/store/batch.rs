//! Steps that are committed together: their records in memory, and a step over them.
//!
//! Steps of a batch run one after another, each over the records as the one before has left them. Each record that
//! changed is written once, before the commit.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
    time::Duration,
};

use otp::{
    CopyOnWrite, Timestamp, Verification, VerificationId,
    counters::{CallerCounters, RecipientCounters},
    limits::Caller,
    tally::{Tallies, Tally},
};
use serde::de::DeserializeOwned;

use super::{
    CallerKey, CounterKey, Observer, OutboxChange, Records, SavedAnswer, Step, StoreError,
    TallyKeys,
    step::{self, Told},
};

/// Time for which a tally is kept after its last change: longer than anything that it counts.
const TALLY_KEPT: Duration = Duration::from_secs(90 * 24 * 3600);
/// Records of one kind in memory, some megabytes. Beyond that they are read again when they are needed.
const MOST: usize = 4096;

/// The rows of a back end inside a transaction.
pub(super) trait Rows {
    /// The verification with this id. One that is not there takes as long as one that is (S9).
    fn verification(
        &mut self,
        id: &VerificationId,
    ) -> Result<Option<CopyOnWrite<Verification>>, StoreError>;

    /// Counters under a key; empty ones where nothing was counted yet.
    fn counters<T: DeserializeOwned + Default>(&mut self, key: &[u8; 16]) -> Result<T, StoreError>;

    /// The tally with this name; an empty one where nothing was counted yet.
    fn tally(&mut self, name: &str) -> Result<Tally, StoreError>;

    fn saved_answer(&mut self, key: &[u8; 16]) -> Result<Option<SavedAnswer>, StoreError>;

    fn put_saved_answer(&mut self, key: [u8; 16], answer: SavedAnswer) -> Result<(), StoreError>;

    fn change_outbox(&mut self, change: OutboxChange) -> Result<(), StoreError>;
}

/// The records, by the keys of their rows.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) verifications: Table<VerificationId, Verification>,
    pub(super) callers: Table<[u8; 16], CallerCounters>,
    pub(super) recipients: Table<[u8; 16], RecipientCounters>,
    pub(super) tallies: Table<String, Tally>,
}

/// Runs a step inside a batch and takes over the records that it changed. Gives its output, and what to tell the
/// observer after the commit. A step that fails leaves no trace.
pub(super) fn apply<S: Step>(
    step: &mut S,
    kept: &mut Kept,
    rows: &mut impl Rows,
    observer: Option<&dyn Observer>,
    counters_lead: Duration,
) -> Result<(S::Output, Told), StoreError> {
    let verification = verification(&kept.verifications, rows, step)?;
    let keys = step.counters(verification.as_deref());
    let idempotency_key = step.idempotency_key();
    let saved = idempotency_key.map(|key| rows.saved_answer(&key)).transpose()?;
    let mut caller =
        |key: CounterKey| kept.callers.read(key.digest, |digest| rows.counters(digest));
    let callers = keys.callers.iter().map(|CallerKey { key, elsewhere, times }| {
        let elsewhere = elsewhere.map(&mut caller).transpose()?.unwrap_or_default();
        Ok(Caller { counters: caller(*key)?, elsewhere, times: *times })
    });
    let callers = callers.collect::<Result<_, StoreError>>()?;
    let recipient =
        keys.recipient.map(|key| kept.recipients.read(key.digest, |digest| rows.counters(digest)));
    let before = Records {
        verification,
        callers,
        recipient: recipient.transpose()?.unwrap_or_default(),
        tallies: kept.tallies(rows, &keys.tallies)?,
        alerts: Vec::new(),
        saved_answer: saved.flatten(),
        outbox: Vec::new(),
        counters_lead,
    };

    let (output, changes) = step::run(step, &before, observer);
    if changes.recipient.is_some() && keys.recipient.is_none() {
        // Without a key it would count afresh each time, and no limit would ever hold (S5).
        return Err(StoreError::Corrupt(
            "a step counts a recipient that it names no key of".into(),
        ));
    }

    if let Some(verification) = changes.verification {
        let expires_at = verification.expires_at();
        kept.verifications.put(verification.id(), verification, expires_at);
    }
    let counters_time = step.now() + counters_lead;
    for (CallerKey { key, .. }, counters) in keys.callers.iter().zip(changes.callers) {
        if let Some(counters) = counters {
            kept.callers.put(key.digest, counters, counters_time + key.kept_for);
        }
    }
    if let (Some(key), Some(recipient)) = (keys.recipient, changes.recipient) {
        let expires_at = (counters_time + key.kept_for).max(recipient.known.needed_until());
        kept.recipients.put(key.digest, recipient, expires_at);
    }
    kept.put_tallies(&keys.tallies, &before.tallies, changes.tallies, counters_time);
    if let (Some(key), Some(answer)) = (idempotency_key, changes.saved_answer) {
        rows.put_saved_answer(key, answer)?;
    }
    changes.outbox.into_iter().try_for_each(|change| rows.change_outbox(change))?;
    Ok((output, changes.told))
}

/// The verification of a step. The row of one that does not answer the step is read even if it is in memory, so
/// that it takes as long as one that is not there (S9).
fn verification<S: Step>(
    known: &Table<VerificationId, Verification>,
    rows: &mut impl Rows,
    step: &S,
) -> Result<Option<CopyOnWrite<Verification>>, StoreError> {
    let id = step.verification();
    let found = known.get(&id);
    if step.opens() || found.as_ref().is_some_and(|found| step.reaches(found)) {
        return Ok(found);
    }
    let read = rows.verification(&id)?;
    Ok(found.or(read))
}

impl Kept {
    /// The tallies with these names, as the batch has left them so far.
    fn tallies(&mut self, rows: &mut impl Rows, keys: &TallyKeys) -> Result<Tallies, StoreError> {
        let mut read = |name: Option<String>| match name {
            Some(name) => self.tallies.read(name, |name| rows.tally(name)),
            None => Ok(CopyOnWrite::default()),
        };
        let [server, site, country, prefix] = tally_names(keys);
        Ok(Tallies {
            server: read(server)?,
            site: read(site)?,
            country: read(country)?,
            prefix: read(prefix)?,
        })
    }

    /// Takes over those tallies that a step has changed at `now`.
    fn put_tallies(&mut self, keys: &TallyKeys, before: &Tallies, after: Tallies, now: Timestamp) {
        let before = [&before.server, &before.site, &before.country, &before.prefix];
        let after = [after.server, after.site, after.country, after.prefix];
        for ((name, before), after) in tally_names(keys).into_iter().zip(before).zip(after) {
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
    fn get(&self, key: &K) -> Option<CopyOnWrite<V>> {
        self.known.get(key).cloned()
    }

    /// The record, loaded if it is not in memory.
    fn read(
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
    fn put(&mut self, key: K, record: CopyOnWrite<V>, expires_at: Timestamp) {
        self.known.insert(key.clone(), record);
        self.changed.insert(key, expires_at);
    }

    /// Hands the changed records to `put`, in the order of their keys.
    pub(super) fn write(
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
pub(super) fn tally_names(keys: &TallyKeys) -> [Option<String>; 4] {
    let TallyKeys { server, site, country, prefix } = keys;
    let of_site =
        |part: &Option<String>| Some(format!("{}/{}", site.as_deref()?, part.as_deref()?));
    [server.then(String::new), site.clone(), of_site(country), of_site(prefix)]
}
