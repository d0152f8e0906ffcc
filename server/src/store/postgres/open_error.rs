//! The reasons why a database cannot be used, in words.

use tokio_postgres::error::SqlState;

use crate::{
    error_chain::chain,
    store::{StoreError, StoreKeyError},
};

/// Error of opening a database.
#[derive(Debug, thiserror::Error)]
#[error("opening the database {place}")]
pub struct PostgresError {
    /// The database and its hosts.
    pub place: String,
    /// The reason.
    #[source]
    pub reason: PostgresProblem,
}

/// Reason why a database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum PostgresProblem {
    /// No connection could be made.
    #[error("it cannot be reached")]
    Unreachable(#[source] Failure),
    /// No answer came in time.
    #[error("it has not answered in time")]
    Slow,
    /// TLS failed.
    #[error(
        "no verified TLS connection could be made; for a private certificate authority add \
         sslrootcert=FILE to store.url"
    )]
    Tls(#[source] Failure),
    /// The file with the certificate authorities cannot be used.
    #[error("the file of sslrootcert cannot be read")]
    CaFile(#[source] std::io::Error),
    /// User or password are wrong.
    #[error("it refuses the user or the password of store.url")]
    Credentials(#[source] Failure),
    /// The server has no such database.
    #[error("the server has no database of this name; create it with: createdb {0}")]
    NoDatabase(String),
    /// All connections are taken.
    #[error("it has no connection left; raise its max_connections")]
    TooManyConnections,
    /// It is a replica.
    #[error("it takes no writes: it is a replica, or read-only")]
    ReadOnly,
    /// The server is too old.
    #[error("it is PostgreSQL {0}, and 13 is the first that can be used")]
    TooOld(i32),
    /// The user may not make or use the tables.
    #[error("the user may not create the schema `latchkey` or use it")]
    NotAllowed(#[source] Failure),
    /// It was written by a newer version of this program, with this schema version.
    #[error("it has schema version {0}, which is newer than this program")]
    Newer(i32),
    /// Its schema is another program's.
    #[error("its schema `latchkey` belongs to another program, and was left as it is")]
    Foreign,
    /// The key that its rows are encrypted under cannot be used.
    #[error("opening its key")]
    Key(#[from] StoreKeyError),
    /// A record cannot be read.
    #[error(transparent)]
    Read(#[from] StoreError),
    /// Any other error of the database.
    #[error("it refuses a statement")]
    Statement(#[source] Failure),
}

/// Error of the client or of the server, without the values of rows, which the server's details may have.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct Failure(String);

impl Failure {
    pub(super) fn new(error: &tokio_postgres::Error) -> Self {
        if let Some(error) = error.as_db_error() {
            return Self(format!("{} ({})", error.message(), error.code().code()));
        }
        Self::told(error)
    }

    pub(super) fn told(error: &dyn std::error::Error) -> Self {
        Self(chain(error))
    }
}

impl PostgresProblem {
    /// The problem behind an error of connecting, or of setting up.
    pub(super) fn of(error: &tokio_postgres::Error, database: &str) -> Self {
        let failure = Failure::new(error);
        let Some(code) = error.code() else {
            return if failure.0.contains("TLS") || failure.0.contains("certificate") {
                Self::Tls(failure)
            } else if failure.0.contains("does not allow writes") {
                Self::ReadOnly
            } else {
                Self::Unreachable(failure)
            };
        };
        match *code {
            SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
                Self::Credentials(failure)
            }
            SqlState::INVALID_CATALOG_NAME => Self::NoDatabase(database.to_owned()),
            SqlState::TOO_MANY_CONNECTIONS => Self::TooManyConnections,
            SqlState::INSUFFICIENT_PRIVILEGE => Self::NotAllowed(failure),
            SqlState::READ_ONLY_SQL_TRANSACTION => Self::ReadOnly,
            SqlState::CANNOT_CONNECT_NOW | SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN => {
                Self::Unreachable(failure)
            }
            _ => Self::Statement(failure),
        }
    }
}

/// The store as unavailable.
pub(super) fn unavailable(error: &tokio_postgres::Error) -> StoreError {
    StoreError::Unavailable(Failure::new(error).into())
}
