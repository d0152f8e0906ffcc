//! The database file itself: its one owner, and whether it is still in its place and readable (S39).
//!
//! Two locks keep other servers away. The one on the file holds for every path that leads to it, be it a
//! symbolic link, another link or another mount. The one beside the file, at its resolved path, holds
//! for the name: a file that is removed under a running server leaves its log behind, which a
//! new file of that name must not meet. The first is `flock`, which on Linux is independent of the POSIX
//! locks of SQLite; elsewhere the two are one kind, and the lock beside the file has to do.
//!
//! Closing any descriptor of the file would drop SQLite's own locks on it, so the locked one stays open until
//! the last connection is closed: every connection thread holds it.

use std::{
    fs::{File, TryLockError},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use rusqlite::{ErrorCode, ffi};

use super::OpenProblem;
use crate::store::StoreError;

/// The database file, locked for this process.
#[derive(Debug)]
pub(super) struct OwnedFile {
    path: PathBuf,
    /// Path without symbolic links, beside which SQLite keeps the log.
    resolved: PathBuf,
    /// The database and its log, as they were when the store was opened.
    places: OnceLock<[Place; 2]>,
    is_damaged: AtomicBool,
    /// The locked file.
    file: File,
    _lock_beside: File,
}

/// A path and the file that it led to.
#[derive(Debug)]
struct Place {
    path: PathBuf,
    identity: (u64, u64),
}

/// Reason why the file is not used any more.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    #[error("{} was removed or replaced; nothing is accepted until it is back", .0.display())]
    Gone(PathBuf),
    #[error("{} is damaged; nothing is accepted until it is restored and the server restarted", .0.display())]
    Damaged(PathBuf),
}

impl OwnedFile {
    /// Creates the file if there is none, readable by its owner alone since it holds recipients, and locks
    /// it. The files that SQLite makes beside it take its mode over.
    pub(super) fn lock(path: &Path) -> Result<Self, OpenProblem> {
        let create = OpenProblem::Create;
        let mut options = File::options();
        let file = options.create(true).append(true).mode(0o600).open(path).map_err(create)?;
        let names = file.metadata().map_err(create)?.nlink();
        let resolved = path.canonicalize().map_err(create)?;
        let beside = resolved.with_extension("lock");
        let beside = options.open(beside).map_err(create)?;
        let locked = if cfg!(target_os = "linux") { vec![&beside, &file] } else { vec![&beside] };
        for file in locked {
            file.try_lock().map_err(|error| match error {
                TryLockError::WouldBlock => OpenProblem::InUse,
                TryLockError::Error(source) => create(source),
            })?;
        }
        if names > 1 {
            return Err(OpenProblem::Linked(names));
        }
        Ok(Self {
            path: path.to_owned(),
            resolved,
            places: OnceLock::new(),
            is_damaged: AtomicBool::new(false),
            file,
            _lock_beside: beside,
        })
    }

    /// Notes which files they are, once SQLite has opened both.
    pub(super) fn watch(&self) -> std::io::Result<()> {
        let mut log = self.resolved.clone().into_os_string();
        log.push("-wal");
        // The file as it was locked: the path may lead elsewhere since.
        let identity = identity(&self.file.metadata()?);
        let file = Place { path: self.path.clone(), identity };
        let log = Place::of(log.into())?;
        // It is set once, here.
        let _ = self.places.set([file, log]);
        Ok(())
    }

    /// Whether the file is in its place and undamaged. Two calls of `stat`, so cheap that every commit
    /// can ask.
    pub(super) fn check(&self) -> Result<(), FileError> {
        if self.is_damaged.load(Ordering::Relaxed) {
            return Err(FileError::Damaged(self.path.clone()));
        }
        let mut places = self.places.get().into_iter().flatten();
        match places.find(|place| !place.is_as_it_was()) {
            Some(place) => Err(FileError::Gone(place.path.clone())),
            None => Ok(()),
        }
    }

    /// Takes the file out of use if the error says that it cannot be read. Errors of writing pass, as when
    /// the disk is full, and every write tells them anew (S26).
    pub(super) fn note(&self, error: &rusqlite::Error) {
        if is_damage(error) {
            self.is_damaged.store(true, Ordering::Relaxed);
        }
    }

    /// [`OwnedFile::note`] for the error of a job.
    pub(super) fn note_of(&self, error: &StoreError) {
        if let StoreError::Unavailable(source) = error
            && let Some(error) = source.downcast_ref()
        {
            self.note(error);
        }
    }
}

impl Place {
    fn of(path: PathBuf) -> std::io::Result<Self> {
        let identity = identity(&path.metadata()?);
        Ok(Self { path, identity })
    }

    fn is_as_it_was(&self) -> bool {
        self.path.metadata().is_ok_and(|found| identity(&found) == self.identity)
    }
}

/// Device and inode, which are the file whatever it is called.
fn identity(file: &std::fs::Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

fn is_damage(error: &rusqlite::Error) -> bool {
    let rusqlite::Error::SqliteFailure(error, _) = error else { return false };
    matches!(error.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        || matches!(
            error.extended_code,
            ffi::SQLITE_IOERR_READ
                | ffi::SQLITE_IOERR_SHORT_READ
                | ffi::SQLITE_IOERR_CORRUPTFS
                | ffi::SQLITE_IOERR_DATA
        )
}
