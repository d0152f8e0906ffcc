//! The keys that are derived from the operator's master secrets, each for one use.
//!
//! One list of master secrets is configured, newest first; HKDF (RFC 5869) makes of each a pepper
//! for codes and a key for the outbox. Nothing derived is stored, so a dump of the store is of no
//! use without the configuration.

use std::{net::IpAddr, sync::Arc};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, RandomizedNonceKey},
    error::Unspecified,
    hkdf::{HKDF_SHA256, Salt},
    hmac,
};
use otp::{
    Recipient,
    digest::{Pepper, Peppers},
};

use crate::keyring::Keyring;

/// All that the server derives from its master secrets. Cheap to clone.
#[derive(Clone, Debug)]
pub struct DerivedKeys {
    /// Under which codes are digested.
    pub peppers: Arc<Peppers>,
    /// Which keeps the outbox unreadable.
    pub sealer: Arc<Sealer>,
    /// Which makes keys of accounts.
    pub pseudonyms: Arc<Pseudonyms>,
}

impl DerivedKeys {
    /// Derives everything from the master secrets.
    ///
    /// # Errors
    /// Only where the cryptographic library itself fails.
    pub fn derive(keyring: &Keyring) -> Result<Self, Unspecified> {
        let mut peppers = Vec::new();
        let mut sealing = Vec::new();
        let mut account = None;
        for secret in keyring.secrets() {
            peppers.push(Pepper::new(derive_key(secret, b"latchkey pepper")?));
            let key = derive_key(secret, b"latchkey outbox")?;
            sealing.push(RandomizedNonceKey::new(&AES_256_GCM, &key)?);
            // The last one, the oldest, names the accounts: a fresh secret in front of it then
            // leaves what is counted where it was.
            account = Some(derive_key(secret, b"latchkey accounts")?);
        }
        let account = account.ok_or(Unspecified)?;
        Ok(Self {
            peppers: Arc::new(Peppers::new(peppers).ok_or(Unspecified)?),
            sealer: Arc::new(Sealer(sealing)),
            pseudonyms: Arc::new(Pseudonyms(hmac::Key::new(hmac::HMAC_SHA256, &account))),
        })
    }
}

/// A key for one use, made from a master secret.
///
/// # Errors
/// Only where the cryptographic library itself fails.
pub fn derive_key(secret: &[u8], label: &[u8]) -> Result<[u8; 32], Unspecified> {
    let mut key = [0; 32];
    let derived = Salt::new(HKDF_SHA256, &[]).extract(secret);
    derived.expand(&[label], HKDF_SHA256)?.fill(&mut key)?;
    Ok(key)
}

/// Encrypts what the outbox keeps: AES-256-GCM with random nonces, keys newest first.
#[derive(Debug)]
pub struct Sealer(Vec<RandomizedNonceKey>);

/// What was sealed cannot be opened: it was altered, belongs to something else, or its key is no
/// longer configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("decrypting what the outbox keeps")]
pub struct CannotOpen;

impl Sealer {
    /// Encrypts `plain` so that it opens only together with `context`: a nonce, the ciphertext and
    /// its tag.
    ///
    /// # Errors
    /// Only where the cryptographic library itself fails.
    pub fn seal(&self, context: &[u8], plain: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let key = self.0.first().ok_or(Unspecified)?;
        let mut sealed = plain.to_vec();
        let nonce = key.seal_in_place_append_tag(Aad::from(context), &mut sealed)?;
        let mut whole = nonce.as_ref().to_vec();
        whole.append(&mut sealed);
        Ok(whole)
    }

    /// Decrypts what [`Sealer::seal`] made under any of the keys.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, CannotOpen> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(CannotOpen)?;
        self.0
            .iter()
            .find_map(|key| {
                let mut plain = sealed.to_vec();
                let length =
                    key.open_in_place(nonce.into(), Aad::from(context), &mut plain).ok()?.len();
                plain.truncate(length);
                Some(plain)
            })
            .ok_or(CannotOpen)
    }
}

/// Names what is counted without telling who: keyed digests, cut to 128 bits.
#[derive(Debug)]
pub struct Pseudonyms(hmac::Key);

impl Pseudonyms {
    /// The name of a recipient's account at one site, the same for every spelling of it (S18).
    pub fn recipient(&self, site: &str, recipient: &Recipient) -> [u8; 16] {
        self.name(&[b"recipient", site.as_bytes(), recipient.canonical().as_bytes()])
    }

    /// The name of what a back end of a site has called one of its requests.
    pub fn request(&self, site: &str, key: &str) -> [u8; 16] {
        self.name(&[b"request", site.as_bytes(), key.as_bytes()])
    }

    /// The name of a caller's account. Whoever has one IPv6 address has the 2^64 beside it, so they
    /// count as one (S17).
    pub fn caller(&self, address: IpAddr) -> [u8; 16] {
        match address.to_canonical() {
            IpAddr::V4(address) => self.name(&[b"caller", &address.octets()]),
            IpAddr::V6(address) => self.name(&[b"caller", &address.octets()[..8]]),
        }
    }

    fn name(&self, parts: &[&[u8]]) -> [u8; 16] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut name = [0; 16];
        name.copy_from_slice(&context.sign().as_ref()[..16]);
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(keys: &[&str]) -> DerivedKeys {
        // 32 bytes each, in base64.
        let texts: Vec<_> = keys.iter().map(|key| key.repeat(43)).collect();
        let keyring = Keyring::parse(texts.iter().map(String::as_str)).unwrap();
        DerivedKeys::derive(&keyring).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_only_in_its_context() {
        let sealer = secrets(&["A"]).sealer;
        let sealed = sealer.seal(b"this message", b"123456").unwrap();
        assert_eq!(sealer.open(b"this message", &sealed).unwrap(), b"123456");
        assert_eq!(sealer.open(b"another one", &sealed), Err(CannotOpen));
    }

    #[test]
    fn s7_what_is_sealed_shows_nothing_and_never_looks_the_same() {
        let sealer = secrets(&["A"]).sealer;
        let sealed = sealer.seal(b"", b"123456").unwrap();
        assert!(!sealed.windows(6).any(|window| window == b"123456"));
        assert_ne!(sealed, sealer.seal(b"", b"123456").unwrap());
    }

    #[test]
    fn what_was_altered_or_cut_does_not_open() {
        let sealer = secrets(&["A"]).sealer;
        let sealed = sealer.seal(b"", b"123456").unwrap();
        for index in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[index] ^= 1;
            assert_eq!(sealer.open(b"", &altered), Err(CannotOpen));
            assert_eq!(sealer.open(b"", &sealed[..index]), Err(CannotOpen));
        }
    }

    #[test]
    fn a_rotated_secret_still_opens_until_it_leaves_the_list() {
        let sealed = secrets(&["A"]).sealer.seal(b"", b"123456").unwrap();
        assert!(secrets(&["B", "A"]).sealer.open(b"", &sealed).is_ok());
        assert_eq!(secrets(&["B"]).sealer.open(b"", &sealed), Err(CannotOpen));
    }

    #[test]
    fn a_fresh_secret_in_front_leaves_accounts_where_they_were() {
        let address = "192.0.2.1".parse().unwrap();
        let before = secrets(&["A"]).pseudonyms.caller(address);
        assert_eq!(secrets(&["B", "A"]).pseudonyms.caller(address), before);
        assert_ne!(secrets(&["B"]).pseudonyms.caller(address), before);
    }

    #[test]
    fn s17_callers_are_told_apart_by_what_they_can_choose_freely() {
        let names = secrets(&["A"]).pseudonyms;
        let name = |address: &str| names.caller(address.parse().unwrap());
        assert_eq!(name("2001:db8:1:2::1"), name("2001:db8:1:2:ffff::9"));
        assert_ne!(name("2001:db8:1:2::1"), name("2001:db8:1:3::1"));
        assert_eq!(name("::ffff:192.0.2.1"), name("192.0.2.1"));
        assert_ne!(name("192.0.2.1"), name("192.0.2.2"));
    }

    #[test]
    fn s8_debug_shows_no_key() {
        let shown = format!("{:?}", secrets(&["A"]));
        assert!(shown.contains("Pepper(..)"), "{shown}");
    }
}
