//! Error of opening a database, before its path is added.

use std::path::Path;

use super::OpenError;
use crate::store::StoreKeyError;

/// Error of bringing a database up to date, or of opening its key.
#[derive(Debug)]
pub(super) enum Error {
    Sqlite(rusqlite::Error),
    Key(StoreKeyError),
    /// Its version is newer than this program knows.
    Newer(u32),
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreKeyError> for Error {
    fn from(error: StoreKeyError) -> Self {
        Self::Key(error)
    }
}

impl Error {
    /// The error, of the database at `path`.
    pub(super) fn at(self, path: &Path) -> OpenError {
        let path = path.to_owned();
        match self {
            Self::Sqlite(source) => OpenError::Sqlite { path, source },
            Self::Key(source) => OpenError::Key { path, source },
            Self::Newer(found) => OpenError::Newer { path, found },
        }
    }
}
