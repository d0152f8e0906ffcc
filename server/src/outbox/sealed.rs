//! Encryption of the content of outbox messages.

use aws_lc_rs::error::Unspecified;
use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use super::message_id::binding;
use crate::{
    derived_keys::{CannotOpen, Sealer},
    store::MessageKey,
};

/// The content of an outbox message cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The ciphertext was altered or moved, or its key is not configured any more.
    #[error("opening an outbox message")]
    Sealed(#[from] CannotOpen),
    /// Another version of this program wrote it.
    #[error("parsing an outbox message")]
    Content(#[source] serde_json::Error),
}

/// Encrypts the content of a message, bound to the message's key.
///
/// # Errors
/// If the cryptographic library fails.
pub fn seal<T: Serialize>(
    content: &T,
    key: &MessageKey,
    sealer: &Sealer,
) -> Result<Vec<u8>, Unspecified> {
    let plain = Zeroizing::new(serde_json::to_vec(content).map_err(|_| Unspecified)?);
    sealer.seal(&binding(key), &plain)
}

/// Decrypts what [`seal`] encrypted for the same key.
///
/// # Errors
/// If it was sealed for another key or by another version of this program.
pub fn open<T: DeserializeOwned>(
    sealed: &[u8],
    key: &MessageKey,
    sealer: &Sealer,
) -> Result<T, Unreadable> {
    let plain = Zeroizing::new(sealer.open(&binding(key), sealed)?);
    serde_json::from_slice(&plain).map_err(Unreadable::Content)
}
