//! Error of preparing a database for use, without its path.

use std::path::Path;

use super::OpenError;
use crate::store::StoreKeyError;

/// Error of bringing a database up to date, or of opening its key.
#[derive(Debug)]
pub(super) enum PrepareError {
    Sqlite(rusqlite::Error),
    Key(StoreKeyError),
}

impl From<rusqlite::Error> for PrepareError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreKeyError> for PrepareError {
    fn from(error: StoreKeyError) -> Self {
        Self::Key(error)
    }
}

impl PrepareError {
    /// The error of the database at `path`.
    pub(super) fn at(self, path: &Path) -> OpenError {
        let path = path.to_owned();
        match self {
            Self::Sqlite(source) => OpenError::Sqlite { path, source },
            Self::Key(source) => OpenError::Key { path, source },
        }
    }
}
