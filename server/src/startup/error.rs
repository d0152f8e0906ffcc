//! Errors of starting the server.

use std::net::SocketAddr;

use aws_lc_rs::error::Unspecified;

use crate::{
    clock::ClockRefused,
    delivery::SetUpError,
    i18n::CatalogueError,
    keyring::KeyFileError,
    store::{OpenError, PostgresError, StoreError},
};

/// Error of starting the server.
#[derive(Debug, thiserror::Error)]
pub enum StartupError {
    /// The texts are incomplete: a fault of the build.
    #[error("loading the texts")]
    Catalogue(#[from] CatalogueError),
    /// The database cannot be opened.
    #[error("opening the store")]
    Open(#[from] OpenError),
    /// The database of many servers cannot be opened.
    #[error("opening the store")]
    OpenPostgres(#[from] PostgresError),
    /// Its clock and this machine's differ by too much.
    #[error("the clocks of this machine and of the database differ by {} s; set them by NTP", .0.as_secs())]
    Skew(std::time::Duration),
    /// The database, once open.
    #[error("reading the store")]
    Store(#[from] StoreError),
    /// The machine's clock is wrong, or was.
    #[error(transparent)]
    Clock(#[from] ClockRefused),
    /// The master secrets.
    #[error("reading the master secrets")]
    Keys(#[from] KeyFileError),
    /// There are none, and none may be made.
    #[error("there is no key file {}; `latchkey keys` prints a fresh secret", .0.display())]
    NoKeys(std::path::PathBuf),
    /// The cryptographic library refused its work.
    #[error("deriving the keys")]
    Derive(#[from] Unspecified),
    /// A provider cannot be set up.
    #[error("setting up the providers")]
    Provider(#[from] SetUpError),
    /// The webhook client cannot be set up.
    #[error("setting up the HTTP client for webhooks")]
    Webhooks(#[source] reqwest::Error),
    /// The address cannot be listened on.
    #[error("listening on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
}
