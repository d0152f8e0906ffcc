//! Keys derived from the master secrets by HKDF (RFC 5869), one for each use.
//!
//! Derived keys are not stored, so a dump of the store reveals nothing without the configuration.

use std::sync::Arc;

use aws_lc_rs::{
    aead::{
        AES_256_GCM, AES_256_GCM_SIV, Aad, Algorithm, LessSafeKey, MAX_TAG_LEN, NONCE_LEN, Nonce,
        RandomizedNonceKey, UnboundKey,
    },
    constant_time::verify_slices_are_equal,
    error::Unspecified,
    hkdf::{HKDF_SHA256, Salt},
    hmac,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use otp::{
    VerificationId,
    digest::{Pepper, Peppers},
};

use crate::keyring::Keyring;

/// Keys derived from the master secrets. Cheap to clone.
#[derive(Clone, Debug)]
pub struct DerivedKeys {
    /// HMAC keys for code digests, newest first.
    pub peppers: Arc<Peppers>,
    /// Encryption keys of the outbox and of saved answers, newest first.
    pub sealer: Arc<Sealer>,
    /// Keys of the links in mails, newest first.
    pub links: Arc<LinkKeys>,
    /// HMAC keys for demands of work, newest first.
    pub work: Arc<[hmac::Key]>,
    /// Keys of the names of messages in receipts, newest first.
    pub receipts: Arc<ReceiptKeys>,
}

impl DerivedKeys {
    /// Derives the keys.
    ///
    /// # Errors
    /// If the cryptographic library fails.
    pub fn derive(keyring: &Keyring) -> Result<Self, Unspecified> {
        let mut peppers = Vec::new();
        let mut sealing = Vec::new();
        let mut links = Vec::new();
        let mut work = Vec::new();
        let mut receipts = Vec::new();
        for secret in keyring.secrets() {
            peppers.push(Pepper::new(derive_key(secret, b"latchkey pepper")?));
            let key = derive_key(secret, b"latchkey outbox")?;
            sealing.push(RandomizedNonceKey::new(&AES_256_GCM, &key)?);
            let key = derive_key(secret, b"latchkey links")?;
            links.push(hmac::Key::new(hmac::HMAC_SHA256, &key));
            work.push(hmac::Key::new(hmac::HMAC_SHA256, &derive_key(secret, b"latchkey work")?));
            let key = derive_key(secret, b"latchkey receipts")?;
            receipts.push(LessSafeKey::new(UnboundKey::new(&AES_256_GCM_SIV, &key)?));
        }
        Ok(Self {
            peppers: Arc::new(Peppers::new(peppers).ok_or(Unspecified)?),
            sealer: Arc::new(Sealer(sealing)),
            links: Arc::new(LinkKeys(links)),
            work: work.into(),
            receipts: Arc::new(ReceiptKeys(receipts)),
        })
    }
}

/// Derives a key for the use named by `label` from a master secret.
///
/// # Errors
/// If the cryptographic library fails.
pub fn derive_key(secret: &[u8], label: &[u8]) -> Result<[u8; 32], Unspecified> {
    let mut key = [0; 32];
    let derived = Salt::new(HKDF_SHA256, &[]).extract(secret);
    derived.expand(&[label], HKDF_SHA256)?.fill(&mut key)?;
    Ok(key)
}

/// Public name of a master secret, which says nothing about it: eight hexadecimal digits.
///
/// # Errors
/// If the cryptographic library fails.
pub fn fingerprint(secret: &[u8]) -> Result<String, Unspecified> {
    let [a, b, c, d, ..] = derive_key(secret, b"latchkey fingerprint")?;
    Ok(format!("{:08x}", u32::from_be_bytes([a, b, c, d])))
}

/// Authenticated encryption with random nonces, keys newest first.
#[derive(Debug)]
pub struct Sealer(Vec<RandomizedNonceKey>);

/// The ciphertext was altered or belongs to another context, or its key is not configured any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("decryption failed: altered data or unknown key")]
pub struct CannotOpen;

impl Sealer {
    /// A sealer with one key.
    ///
    /// # Errors
    /// If the cryptographic library fails.
    pub fn new(algorithm: &'static Algorithm, key: &[u8; 32]) -> Result<Self, Unspecified> {
        Ok(Self(vec![RandomizedNonceKey::new(algorithm, key)?]))
    }

    /// Encrypts `plain`, bound to `context`. The result is a nonce, the ciphertext and its tag.
    ///
    /// # Errors
    /// If the cryptographic library fails.
    pub fn seal(&self, context: &[u8], plain: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let key = self.0.first().ok_or(Unspecified)?;
        let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + MAX_TAG_LEN);
        sealed.extend_from_slice(&[0; NONCE_LEN]);
        sealed.extend_from_slice(plain);
        let (nonce, body) = sealed.split_at_mut(NONCE_LEN);
        let (drawn, tag) = key.seal_in_place_separate_tag(Aad::from(context), body)?;
        nonce.copy_from_slice(drawn.as_ref());
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Decrypts what [`Sealer::seal`] encrypted with any of the keys.
    ///
    /// # Errors
    /// If the ciphertext was altered or sealed with another key or context.
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

/// Bytes of a link's code of authentication.
const LINK_MAC: usize = 16;

/// Keys of the links "this wasn't me": a link names a verification, and nobody can make one who knows its
/// id alone.
#[derive(Debug)]
pub struct LinkKeys(Vec<hmac::Key>);

impl LinkKeys {
    /// The link of a verification: its id and 128 bits of HMAC-SHA-256, in base64url.
    pub fn link(&self, id: VerificationId) -> Option<String> {
        let mac = mac(self.0.first()?, id);
        Some(format!("{id}{}", URL_SAFE_NO_PAD.encode(mac)))
    }

    /// The verification that a link by any of the keys names.
    pub fn read(&self, link: &str) -> Option<VerificationId> {
        let bytes = URL_SAFE_NO_PAD.decode(link).ok()?;
        let (id, given) = bytes.split_last_chunk::<LINK_MAC>()?;
        let id = VerificationId::from_bytes(id).ok()?;
        let is_ours = |key| verify_slices_are_equal(&mac(key, id), given).is_ok();
        self.0.iter().any(is_ours).then_some(id)
    }
}

fn mac(key: &hmac::Key, id: VerificationId) -> [u8; LINK_MAC] {
    let tag = hmac::sign(key, id.as_bytes());
    let mut mac = [0; LINK_MAC];
    mac.copy_from_slice(&tag.as_ref()[..LINK_MAC]);
    mac
}

/// Keys of references: names of messages that providers send back with their receipts (S22).
///
/// A reference is the id of the verification and the number of the message, encrypted for one provider. So nobody
/// makes one, and it does not show the id, which is a capability and would end in the logs of gateways.
#[derive(Debug)]
pub struct ReceiptKeys(Vec<LessSafeKey>);

impl ReceiptKeys {
    /// The reference of message `number` for a provider: 59 characters of base64url, the same each time.
    pub fn reference(&self, provider: &str, id: VerificationId, number: u32) -> Option<String> {
        let mut sealed = [id.as_bytes().as_slice(), &number.to_be_bytes()].concat();
        let key = self.0.first()?;
        key.seal_in_place_append_tag(Self::nonce(), Aad::from(provider), &mut sealed).ok()?;
        Some(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// The message that a reference for the provider names.
    pub fn read(&self, provider: &str, reference: &str) -> Option<(VerificationId, u32)> {
        let sealed = URL_SAFE_NO_PAD.decode(reference).ok()?;
        let open = |key: &LessSafeKey| {
            let mut plain = sealed.clone();
            let plain = key.open_in_place(Self::nonce(), Aad::from(provider), &mut plain).ok()?;
            let (id, number) = plain.split_last_chunk::<4>()?;
            Some((VerificationId::from_bytes(id).ok()?, u32::from_be_bytes(*number)))
        };
        self.0.iter().find_map(open)
    }

    /// AES-GCM-SIV (RFC 8452) with one nonce for all: equal texts have equal ciphertexts, and no more is shown.
    fn nonce() -> Nonce {
        Nonce::assume_unique_for_key([0; NONCE_LEN])
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
    fn a_ciphertext_opens_in_its_context_only() {
        let sealer = secrets(&["A"]).sealer;
        let sealed = sealer.seal(b"this message", b"123456").unwrap();
        assert_eq!(sealer.open(b"this message", &sealed).unwrap(), b"123456");
        assert_eq!(sealer.open(b"another one", &sealed), Err(CannotOpen));
    }

    #[test]
    fn s7_a_ciphertext_does_not_contain_the_plain_text_and_differs_each_time() {
        let sealer = secrets(&["A"]).sealer;
        let sealed = sealer.seal(b"", b"123456").unwrap();
        assert!(!sealed.windows(6).any(|window| window == b"123456"));
        assert_ne!(sealed, sealer.seal(b"", b"123456").unwrap());
    }

    #[test]
    fn an_altered_or_truncated_ciphertext_does_not_open() {
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
    fn s35_a_link_names_its_verification_and_every_other_text_none() {
        let links = |keys: &[&str]| secrets(keys).links;
        let id = VerificationId::first_at(otp::Timestamp::from_millis(1_700_000_000_000));
        let link = links(&["A"]).link(id).unwrap();
        assert_eq!(link.len(), 54);
        assert_eq!(links(&["A"]).read(&link), Some(id));
        assert_eq!(links(&["B", "A"]).read(&link), Some(id), "the key has been rotated");
        assert_eq!(links(&["B"]).read(&link), None);
        for place in 0..link.len() {
            let mut altered = link.clone().into_bytes();
            altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert_eq!(links(&["A"]).read(&altered), None, "{altered}");
        }
        for text in ["", "A", &link[..32], &link[..53], &format!("{link}A"), &format!("{link}=")] {
            assert_eq!(links(&["A"]).read(text), None, "{text}");
        }
    }

    #[test]
    fn s22_a_reference_names_one_message_to_one_provider_and_shows_no_id() {
        let keys = |letters: &[&str]| secrets(letters).receipts;
        let id = VerificationId::first_at(otp::Timestamp::from_millis(1_700_000_000_000));
        let reference = keys(&["A"]).reference("twilio", id, 2).unwrap();
        assert_eq!(keys(&["A"]).reference("twilio", id, 2).as_ref(), Some(&reference), "the same");
        assert_eq!(reference.len(), 59);
        assert!(!reference.contains(&id.to_string()[..8]));
        assert_eq!(keys(&["A"]).read("twilio", &reference), Some((id, 2)));
        assert_eq!(keys(&["B", "A"]).read("twilio", &reference), Some((id, 2)), "a rotation");
        assert_eq!(keys(&["B"]).read("twilio", &reference), None);
        assert_eq!(keys(&["A"]).read("other", &reference), None);
        for place in 0..reference.len() {
            let mut altered = reference.clone().into_bytes();
            altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert_eq!(keys(&["A"]).read("twilio", &altered), None, "{altered}");
        }
        let link = secrets(&["A"]).links.link(id).unwrap();
        for text in ["", "A", &reference[..58], &format!("{reference}="), &link, &id.to_string()] {
            assert_eq!(keys(&["A"]).read("twilio", text), None, "{text}");
        }
    }

    #[test]
    fn every_secret_has_a_fingerprint_of_its_own() {
        let fingerprints = [1, 2].map(|byte| fingerprint(&[byte; 32]).unwrap());
        assert!(fingerprints.iter().all(|fingerprint| fingerprint.len() == 8));
        assert_ne!(fingerprints[0], fingerprints[1]);
    }

    #[test]
    fn s8_debug_shows_no_key() {
        let shown = format!("{:?}", secrets(&["A"]));
        assert!(shown.contains("Pepper(..)"), "{shown}");
    }
}
