//! The key of a store: names its counters, and encrypts its rows.
//!
//! It is random, kept in the store, and encrypted ("wrapped") under each master secret. So it stays the
//! same while master secrets come and go, and no rotation renames a counter (S37).

use std::collections::BTreeMap;

use aws_lc_rs::{
    aead::{AES_256_GCM, AES_256_GCM_SIV},
    error::Unspecified,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use rand::{TryRng, rngs::SysRng};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Pseudonyms;
use crate::{
    derived_keys::{Sealer, derive_key, fingerprint},
    keyring::Keyring,
};

/// Context of the encryption under a master secret.
const PURPOSE: &[u8] = b"latchkey store key";

/// The key of one store.
pub(super) struct StoreKey {
    naming: Zeroizing<[u8; 32]>,
    sealing: Zeroizing<[u8; 32]>,
}

/// The key of one store as the store keeps it: encrypted under each master secret, by the secret's
/// fingerprint, in base64.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct WrappedKey(BTreeMap<String, String>);

/// The key of a store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreKeyError {
    /// No configured master secret opens it. Both lists hold fingerprints.
    #[error(
        "it opens with master secret {}, and those configured are: {}; put it back into `keys.secrets`",
        .needed.join(" or "), .given.join(", ")
    )]
    SecretMissing {
        /// Master secrets that do.
        needed: Vec<String>,
        /// Master secrets that were tried.
        given: Vec<String>,
    },
    /// It was altered.
    #[error("the row that holds it cannot be read")]
    Unreadable,
    /// The generator or the cryptographic library failed.
    #[error("the generator or the cryptographic library failed")]
    Crypto,
}

impl From<Unspecified> for StoreKeyError {
    fn from(_: Unspecified) -> Self {
        Self::Crypto
    }
}

impl StoreKey {
    /// Draws the key of a new store.
    pub(super) fn generate() -> Result<Self, StoreKeyError> {
        Ok(Self { naming: draw()?, sealing: draw()? })
    }

    /// Makes the key of a store that had none: until schema version 5 counters were named under the
    /// oldest master secret, and they keep their names.
    pub(super) fn of_earlier_version(keyring: &Keyring) -> Result<Self, StoreKeyError> {
        let oldest = keyring.secrets().last().ok_or(StoreKeyError::Crypto)?;
        let naming = Zeroizing::new(derive_key(oldest, b"latchkey accounts")?);
        Ok(Self { naming, sealing: draw()? })
    }

    /// Encrypts the key under each master secret.
    pub(super) fn wrap(&self, keyring: &Keyring) -> Result<WrappedKey, StoreKeyError> {
        let plain = Zeroizing::new([*self.naming, *self.sealing].concat());
        let wrap = |secret| -> Result<_, Unspecified> {
            let sealed = wrapping(secret)?.seal(PURPOSE, &plain)?;
            Ok((fingerprint(secret)?, STANDARD.encode(sealed)))
        };
        let wrapped: Result<_, Unspecified> = keyring.secrets().map(wrap).collect();
        Ok(WrappedKey(wrapped?))
    }

    pub(super) fn pseudonyms(&self) -> Pseudonyms {
        Pseudonyms::new(&*self.naming)
    }

    /// Encryption of rows. The key lasts as long as the store, and may seal more rows than the 2^32
    /// that random nonces allow AES-GCM (NIST SP 800-38D); AES-GCM-SIV bears repeated nonces (RFC 8452).
    pub(super) fn sealer(&self) -> Result<Sealer, StoreKeyError> {
        Ok(Sealer::new(&AES_256_GCM_SIV, &self.sealing)?)
    }
}

impl WrappedKey {
    /// Decrypts the key with any of the master secrets.
    pub(super) fn open(&self, keyring: Option<&Keyring>) -> Result<StoreKey, StoreKeyError> {
        let secrets = || keyring.into_iter().flat_map(Keyring::secrets);
        if let Some(key) = secrets().find_map(|secret| self.open_with(secret)) {
            return Ok(key);
        }
        let given = secrets().map(fingerprint).collect::<Result<_, _>>()?;
        Err(StoreKeyError::SecretMissing { needed: self.0.keys().cloned().collect(), given })
    }

    /// Whether it is encrypted under exactly these master secrets.
    pub(super) fn is_for(&self, keyring: &Keyring) -> Result<bool, StoreKeyError> {
        let fingerprints: Result<Vec<_>, _> = keyring.secrets().map(fingerprint).collect();
        let mut fingerprints = fingerprints?;
        fingerprints.sort_unstable();
        fingerprints.dedup();
        Ok(self.0.keys().eq(&fingerprints))
    }

    fn open_with(&self, secret: &[u8]) -> Option<StoreKey> {
        let sealed = STANDARD.decode(self.0.get(&fingerprint(secret).ok()?)?).ok()?;
        let plain = Zeroizing::new(wrapping(secret).ok()?.open(PURPOSE, &sealed).ok()?);
        let (naming, sealing) = plain.split_first_chunk()?;
        Some(StoreKey {
            naming: Zeroizing::new(*naming),
            sealing: Zeroizing::new(sealing.try_into().ok()?),
        })
    }
}

fn wrapping(secret: &[u8]) -> Result<Sealer, Unspecified> {
    Sealer::new(&AES_256_GCM, &derive_key(secret, PURPOSE)?)
}

fn draw() -> Result<Zeroizing<[u8; 32]>, StoreKeyError> {
    let mut key = Zeroizing::new([0; 32]);
    SysRng.try_fill_bytes(key.as_mut_slice()).map_err(|_| StoreKeyError::Crypto)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::contract::keyring;

    fn name(key: &StoreKey) -> [u8; 16] {
        key.pseudonyms().request("shop", "key")
    }

    #[test]
    fn s37_any_of_the_secrets_opens_the_key_and_it_stays_the_same() {
        let key = StoreKey::generate().unwrap();
        let wrapped = key.wrap(&keyring("A")).unwrap();
        let rotated = wrapped.open(Some(&keyring("BA"))).unwrap().wrap(&keyring("BA")).unwrap();
        let rotated = rotated.open(Some(&keyring("B"))).unwrap();
        assert_eq!(name(&rotated), name(&key));
        let sealed = key.sealer().unwrap().seal(b"", b"row").unwrap();
        assert_eq!(rotated.sealer().unwrap().open(b"", &sealed).unwrap(), b"row");
    }

    #[test]
    fn without_its_secrets_a_key_stays_closed_and_the_error_names_them() {
        let wrapped = StoreKey::generate().unwrap().wrap(&keyring("BA")).unwrap();
        let fingerprints = |secrets: &str| -> Vec<_> {
            keyring(secrets).secrets().map(|secret| fingerprint(secret).unwrap()).collect()
        };
        for (given, tried) in [(Some(keyring("DC")), fingerprints("DC")), (None, Vec::new())] {
            let error = wrapped.open(given.as_ref()).err().unwrap().to_string();
            for named in [fingerprints("AB"), tried].concat() {
                assert!(error.contains(&named), "{named}: {error}");
            }
        }
    }

    #[test]
    fn a_key_is_wrapped_for_exactly_the_secrets_of_the_list() {
        let wrapped = StoreKey::generate().unwrap().wrap(&keyring("BA")).unwrap();
        let is_for = |secrets| wrapped.is_for(&keyring(secrets)).unwrap();
        assert!(is_for("BA") && is_for("AB") && is_for("ABA"));
        assert!(!is_for("A") && !is_for("CBA") && !is_for("CA"));
    }

    #[test]
    fn an_altered_key_stays_closed() {
        let mut wrapped = StoreKey::generate().unwrap().wrap(&keyring("A")).unwrap();
        let text = wrapped.0.values_mut().next().unwrap();
        *text = text.replacen(|c: char| c != 'Q', "Q", 1);
        assert!(wrapped.open(Some(&keyring("A"))).is_err());
    }

    #[test]
    fn two_stores_have_different_keys() {
        let [one, other] = [(); 2].map(|()| StoreKey::generate().unwrap());
        assert_ne!(name(&one), name(&other));
        assert!(*one.sealing != *other.sealing && *one.sealing != *one.naming);
    }

    #[test]
    fn s37_counters_of_an_earlier_version_keep_the_names_that_the_oldest_secret_gave() {
        // Version 5 gave this name under a secret of 32 zero bytes.
        let expected = 0x06d2_1f91_31aa_cde4_a972_8c4c_e90f_d88f_u128.to_be_bytes();
        for secrets in ["A", "BA"] {
            let key = StoreKey::of_earlier_version(&keyring(secrets)).unwrap();
            assert_eq!(name(&key), expected);
        }
    }
}
