//! The reasons why a database file cannot be used.

use std::path::PathBuf;

use crate::store::{StoreError, StoreKeyError};

/// Error of opening a database.
#[derive(Debug, thiserror::Error)]
#[error("opening the database {}", path.display())]
pub struct OpenError {
    /// The database.
    pub path: PathBuf,
    /// The reason.
    #[source]
    pub reason: OpenProblem,
}

/// Reason why a database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenProblem {
    /// The folder could not be made.
    #[error("creating its folder")]
    Folder(#[source] std::io::Error),
    /// The file or its lock could not be made.
    #[error("creating it or its lock")]
    Create(#[source] std::io::Error),
    /// Another process has it open.
    #[error("it is in use by another process")]
    InUse,
    /// It has this number of names. SQLite keeps its log beside the one that it was opened by, so what is in
    /// the log would be missing under another.
    #[error("it is one of {0} hard links to one file; remove the others, or copy the file")]
    Linked(u64),
    /// It is another program's.
    #[error("it is a database of another program, and was left as it is")]
    Foreign,
    /// Its pages contradict each other; the first contradiction.
    #[error("it is damaged: {0}; restore a copy")]
    Damaged(String),
    /// SQLite could not open or set it up.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// It was written by a newer version of this program, with this schema version.
    #[error("it has schema version {0}, which is newer than this program")]
    Newer(u32),
    /// The key that its rows are encrypted under cannot be used.
    #[error("opening its key")]
    Key(#[from] StoreKeyError),
    /// A record cannot be read.
    #[error(transparent)]
    Read(#[from] StoreError),
    /// A thread could not be started.
    #[error("starting a thread of the store")]
    Thread(#[source] std::io::Error),
}
