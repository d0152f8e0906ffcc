//! Values as columns hold them.

use otp::{Timestamp, VerificationId};
use serde::{Serialize, de::DeserializeOwned};
use tokio_postgres::Row;

use crate::store::StoreError;

pub(super) fn id(row: &Row, column: usize) -> Result<VerificationId, StoreError> {
    VerificationId::from_bytes(row.get(column)).map_err(corrupt)
}

/// A key of 16 bytes.
pub(super) fn key(row: &Row, column: usize) -> Result<[u8; 16], StoreError> {
    row.get::<_, &[u8]>(column).try_into().map_err(corrupt)
}

/// PostgreSQL's integers are signed; the year 292 million is far enough.
pub(super) fn millis(timestamp: Timestamp) -> i64 {
    i64::try_from(timestamp.as_millis()).unwrap_or(i64::MAX)
}

pub(super) fn timestamp(millis: i64) -> Timestamp {
    Timestamp::from_millis(u64::try_from(millis).unwrap_or_default())
}

pub(super) fn to_json(record: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(record).map_err(corrupt)
}

pub(super) fn from_json<T: DeserializeOwned>(body: &str) -> Result<T, StoreError> {
    serde_json::from_str(body).map_err(corrupt)
}

pub(super) fn corrupt(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Corrupt(error.into())
}
