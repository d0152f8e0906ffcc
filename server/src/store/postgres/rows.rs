//! The rows of a batch: those that were read, under their locks, and those to write.

use std::collections::{BTreeMap, HashMap};

use otp::{CopyOnWrite, Verification, VerificationId, tally::Tally, tally_part::TallyPart};
use serde::de::DeserializeOwned;
use tokio_postgres::Row;

use super::{
    columns::{corrupt, from_json},
    outbox,
};
use crate::{
    derived_keys::Sealer,
    store::{OutboxChange, SavedAnswer, StoreError, batch::Rows},
};

/// Bytes that most verifications take, written.
const LENGTH: usize = 1024;

/// The rows that a batch has read, and its changes of those that are not kept in memory.
#[derive(Debug, Default)]
pub(super) struct BatchRows {
    /// By id; an error is that of the record.
    pub(super) verifications:
        HashMap<VerificationId, Result<Option<CopyOnWrite<Verification>>, String>>,
    /// Bodies by key; `None` where there is no row.
    pub(super) counters: HashMap<[u8; 16], Option<String>>,
    /// Parts by name.
    pub(super) tallies: HashMap<String, Parts>,
    pub(super) answers: HashMap<[u8; 16], Option<SavedAnswer>>,
    /// Answers to write, each with whether there is a row already.
    pub(super) new_answers: BTreeMap<[u8; 16], (SavedAnswer, bool)>,
    pub(super) outbox: outbox::Changes,
    /// A step needs a row that was not read.
    pub(super) is_incomplete: bool,
}

/// The rows of one tally.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// That of this session; `None` where there is no row.
    pub(super) own: Option<String>,
    pub(super) others: Vec<String>,
}

impl Parts {
    /// The parts, that of this session first.
    pub(super) fn read(&self) -> Result<Vec<TallyPart>, StoreError> {
        let own = self.own.as_deref().map(from_json).transpose()?.unwrap_or_default();
        let others = self.others.iter().map(|part| from_json(part));
        std::iter::once(Ok(own)).chain(others).collect()
    }
}

impl BatchRows {
    fn incomplete<T>(&mut self) -> Result<T, StoreError> {
        self.is_incomplete = true;
        Err(StoreError::Unavailable("a row was not read".into()))
    }
}

impl Rows for BatchRows {
    fn verification(
        &mut self,
        id: &VerificationId,
    ) -> Result<Option<CopyOnWrite<Verification>>, StoreError> {
        match self.verifications.get(id) {
            Some(Ok(found)) => Ok(found.clone()),
            Some(Err(reason)) => Err(StoreError::Corrupt(reason.clone().into())),
            None => self.incomplete(),
        }
    }

    fn counters<T: DeserializeOwned + Default>(&mut self, key: &[u8; 16]) -> Result<T, StoreError> {
        match self.counters.get(key) {
            Some(Some(body)) => from_json(body),
            Some(None) => Ok(T::default()),
            None => self.incomplete(),
        }
    }

    fn tally(&mut self, name: &str) -> Result<Tally, StoreError> {
        match self.tallies.get(name) {
            Some(parts) => Ok(TallyPart::total(&parts.read()?)),
            None => self.incomplete(),
        }
    }

    fn saved_answer(&mut self, key: &[u8; 16]) -> Result<Option<SavedAnswer>, StoreError> {
        if let Some((answer, _)) = self.new_answers.get(key) {
            return Ok(Some(answer.clone()));
        }
        match self.answers.get(key) {
            Some(answer) => Ok(answer.clone()),
            None => self.incomplete(),
        }
    }

    fn put_saved_answer(&mut self, key: [u8; 16], answer: SavedAnswer) -> Result<(), StoreError> {
        let is_there = self.answers.get(&key).is_some_and(Option::is_some);
        self.new_answers.insert(key, (answer, is_there));
        Ok(())
    }

    fn change_outbox(&mut self, change: OutboxChange) -> Result<(), StoreError> {
        self.outbox.add(change);
        Ok(())
    }
}

/// Reads columns `id` and `sealed`.
pub(super) fn verification(row: &Row, sealer: &Sealer) -> Result<Verification, StoreError> {
    let (id, sealed): (&[u8], &[u8]) = (row.get(0), row.get(1));
    let body = sealer.open(id, sealed).map_err(corrupt)?;
    serde_json::from_slice(&body).map_err(corrupt)
}

pub(super) fn seal(verification: &Verification, sealer: &Sealer) -> Result<Vec<u8>, StoreError> {
    let mut body = Vec::with_capacity(LENGTH);
    serde_json::to_writer(&mut body, verification).map_err(corrupt)?;
    sealer.seal(verification.id().as_bytes(), &body).map_err(corrupt)
}
