//! The reasons why a database file cannot be used.

use std::path::PathBuf;

use crate::store::{StoreError, StoreKeyError};

/// Error of opening a database.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder or the lock could not be made.
    #[error("creating {}", path.display())]
    Create {
        /// The folder or the lock.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// Another process has it open.
    #[error("{} is in use by another process", path.display())]
    InUse {
        /// The database.
        path: PathBuf,
    },
    /// It has several names. SQLite keeps its log beside the one that it was opened by, so what is in the
    /// log would be missing under another.
    #[error("{} is one of {names} hard links to one file; remove the others, or copy the file", path.display())]
    Linked {
        /// The database.
        path: PathBuf,
        /// Number of its names.
        names: u64,
    },
    /// It is another program's.
    #[error("{} is a database of another program, and was left as it is", path.display())]
    Foreign {
        /// The database.
        path: PathBuf,
    },
    /// Its pages contradict each other.
    #[error("{} is damaged: {finding}; restore a copy", path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// The first contradiction.
        finding: String,
    },
    /// SQLite could not open or set it up.
    #[error("opening the database {}", path.display())]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: rusqlite::Error,
    },
    /// It was written by a newer version of this program.
    #[error("{} has schema version {found}, which is newer than this program", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema version.
        found: u32,
    },
    /// The key that its rows are encrypted under cannot be used.
    #[error("opening the key of the database {}", path.display())]
    Key {
        /// The database.
        path: PathBuf,
        /// The reason.
        #[source]
        source: StoreKeyError,
    },
    /// A record cannot be read.
    #[error("reading the database {}", path.display())]
    Unreadable {
        /// The database.
        path: PathBuf,
        /// The store's error.
        #[source]
        source: StoreError,
    },
    /// A thread could not be started.
    #[error("starting a thread of the store")]
    Thread(#[source] std::io::Error),
}
