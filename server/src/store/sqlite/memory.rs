//! Records that the writer keeps in memory and writes once for each batch.
//!
//! The writer alone changes the file, so a record that it has read or written is the one in its row until a
//! sweep or a batch that fails.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use otp::{CopyOnWrite, Verification, VerificationId, tally::Tally};
use rusqlite::Connection;
use serde::de::DeserializeOwned;

use super::rows;
use crate::{
    derived_keys::Sealer,
    store::{
        OutboxChange, SavedAnswer, StoreError,
        batch::{Kept, Rows},
    },
};

/// Records as they will be once the batch is committed.
#[derive(Debug)]
pub(super) struct Memory {
    sealer: Arc<Sealer>,
    records: Mutex<Kept>,
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

/// The rows, read and written one by one.
pub(super) struct Database<'a> {
    pub(super) connection: &'a Connection,
    pub(super) sealer: &'a Sealer,
}

impl Rows for Database<'_> {
    fn verification(
        &mut self,
        id: &VerificationId,
    ) -> Result<Option<CopyOnWrite<Verification>>, StoreError> {
        let found = rows::verification(self.connection, self.sealer, id)?;
        Ok(found.map(CopyOnWrite::from))
    }

    fn counters<T: DeserializeOwned + Default>(&mut self, key: &[u8; 16]) -> Result<T, StoreError> {
        rows::counters(self.connection, key)
    }

    fn tally(&mut self, name: &str) -> Result<Tally, StoreError> {
        rows::tally(self.connection, name)
    }

    fn saved_answer(&mut self, key: &[u8; 16]) -> Result<Option<SavedAnswer>, StoreError> {
        rows::saved_answer(self.connection, key)
    }

    fn put_saved_answer(&mut self, key: [u8; 16], answer: SavedAnswer) -> Result<(), StoreError> {
        rows::put_saved_answer(self.connection, &key, &answer)
    }

    fn change_outbox(&mut self, change: OutboxChange) -> Result<(), StoreError> {
        rows::change_outbox(self.connection, &change)
    }
}
