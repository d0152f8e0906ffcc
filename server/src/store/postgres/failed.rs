//! The ways in which a batch fails.

use tokio_postgres::{Error, error::SqlState};

use super::open_error::unavailable;
use crate::store::StoreError;

/// Reason why a batch was not committed.
pub(super) enum Failed {
    /// Another server was faster, and nothing was committed: the same steps may succeed now.
    Conflict,
    /// The database refuses a change of one of the steps, and nothing was committed.
    Refused(StoreError),
    /// The connection failed before the commit was asked for, so nothing was committed.
    Lost(StoreError),
    /// The database has failed. It may have committed if the connection was lost during that.
    Away(StoreError),
}

impl Failed {
    /// A failure before the commit was asked for.
    pub(super) fn in_reading(error: ReadError) -> Self {
        match error {
            ReadError::Record(error) => Self::Refused(error),
            ReadError::Database(error) if is_conflict(&error) => Self::Conflict,
            ReadError::Database(error) if is_end_of_connection(&error) => {
                Self::Lost(unavailable(&error))
            }
            ReadError::Database(error) => Self::Away(unavailable(&error)),
        }
    }

    /// A statement that failed in a transaction that was rolled back.
    pub(super) fn in_writing(error: &Error) -> Self {
        let code = error.code().map(SqlState::code).unwrap_or_default();
        let is_of_outbox = || error.as_db_error().and_then(|error| error.table()) == Some("outbox");
        match code {
            _ if is_conflict(error) => Self::Conflict,
            // Another server has added the row since it was looked for. Messages are added by one step alone.
            "23505" if !is_of_outbox() => Self::Conflict,
            // Data that the database cannot hold.
            _ if code.starts_with("22") || code.starts_with("23") => {
                Self::Refused(unavailable(error))
            }
            _ => Self::Away(unavailable(error)),
        }
    }
}

/// Error of reading.
pub(super) enum ReadError {
    Database(Error),
    Record(StoreError),
}

impl From<Error> for ReadError {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

impl From<StoreError> for ReadError {
    fn from(error: StoreError) -> Self {
        Self::Record(error)
    }
}

fn is_conflict(error: &Error) -> bool {
    let conflicts = [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED];
    error.code().is_some_and(|code| conflicts.contains(code))
}

/// Whether the connection was closed, by the server's shutdown for example.
pub(super) fn is_end_of_connection(error: &Error) -> bool {
    error.code().is_none_or(|code| code.code().starts_with("57P") || code.code().starts_with("08"))
}
