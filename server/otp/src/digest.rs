//! Keyed digests of codes. The store keeps digests only; the keys are not in the store.
//!
//! A slow password hash would not help: all codes of six digits can be searched whatever the hash
//! costs, so the protection has to come from a key. HMAC-SHA-256 takes a microsecond, so checks cannot
//! be used to exhaust the CPU.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{Channel, code::Code, id::VerificationId};

type HmacSha256 = Hmac<Sha256>;

/// Context that a code is bound to: it matches in no other one (S6).
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// Name of the site.
    pub site: &'a str,
    /// The verification that the code was made for.
    pub verification: &'a VerificationId,
    /// The canonical form of the recipient.
    pub recipient: &'a str,
    /// The channel that the code was sent by.
    pub channel: Channel,
    /// The site's purpose of the verification.
    pub purpose: &'a str,
}

/// HMAC key for code digests. Its memory is wiped when it is dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Pepper([u8; 32]);

impl Pepper {
    /// Makes a pepper of 32 uniform bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Public identifier: four bytes of a digest under the pepper.
    fn id(&self) -> PepperId {
        let mac = self.mac(&[b"latchkey pepper id"]);
        PepperId([mac[0], mac[1], mac[2], mac[3]])
    }

    fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mut mac = HmacSha256::new_from_slice(&self.0).expect("any key length");
        for part in parts {
            // Length prefixes keep ("ab", "c") and ("a", "bc") apart.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    fn digest(&self, binding: &Binding<'_>, code: &Code) -> [u8; 32] {
        self.mac(&[
            b"latchkey code",
            binding.site.as_bytes(),
            binding.verification.as_bytes(),
            binding.recipient.as_bytes(),
            binding.channel.as_str().as_bytes(),
            binding.purpose.as_bytes(),
            code.as_str().as_bytes(),
        ])
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(..)")
    }
}

/// The server's peppers, newest first. The first makes new digests; digests under any pepper of the
/// list match, so rotating a pepper fails no verification.
#[derive(Clone, Debug)]
pub struct Peppers(Vec<(PepperId, Pepper)>);

impl Peppers {
    /// Takes the peppers, newest first; `None` if there are none.
    pub fn new(newest_first: impl IntoIterator<Item = Pepper>) -> Option<Self> {
        let peppers: Vec<_> =
            newest_first.into_iter().map(|pepper| (pepper.id(), pepper)).collect();
        (!peppers.is_empty()).then_some(Self(peppers))
    }

    /// Digests a code under the newest pepper.
    pub fn digest(&self, binding: &Binding<'_>, code: &Code) -> CodeDigest {
        let (id, pepper) = &self.0[0];
        CodeDigest { pepper: *id, mac: pepper.digest(binding, code) }
    }

    /// Whether `digest` is of this binding and code. Compares in constant time. A digest under a pepper
    /// that is not listed any more never matches.
    pub fn matches(&self, digest: &CodeDigest, binding: &Binding<'_>, code: &Code) -> bool {
        self.0
            .iter()
            .filter(|(id, _)| *id == digest.pepper)
            .any(|(_, pepper)| pepper.digest(binding, code).ct_eq(&digest.mac).into())
    }
}

/// Identifies the pepper of a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PepperId([u8; 4]);

/// Keyed digest of a code, as stored.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CodeDigest {
    pepper: PepperId,
    mac: [u8; 32],
}

/// Hides the digest: together with a stolen pepper it reveals the code.
impl fmt::Debug for CodeDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeDigest(..)")
    }
}

/// 48 characters of base64url: 4 bytes of pepper id, 32 bytes of digest.
impl Serialize for CodeDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = [0; 36];
        bytes[..4].copy_from_slice(&self.pepper.0);
        bytes[4..].copy_from_slice(&self.mac);
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl<'de> Deserialize<'de> for CodeDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        let mut bytes = [0; 36];
        let length = URL_SAFE_NO_PAD.decode_slice(&*text, &mut bytes);
        if length != Ok(36) {
            return Err(serde::de::Error::custom("a code digest is 36 bytes in base64url"));
        }
        let mut digest = Self { pepper: PepperId([0; 4]), mac: [0; 32] };
        digest.pepper.0.copy_from_slice(&bytes[..4]);
        digest.mac.copy_from_slice(&bytes[4..]);
        Ok(digest)
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::SysRng;

    use super::*;
    use crate::time::Timestamp;

    fn peppers(keys: &[u8]) -> Peppers {
        Peppers::new(keys.iter().map(|key| Pepper::new([*key; 32]))).unwrap()
    }

    fn code(digits: &str) -> Code {
        Code::parse(digits).unwrap()
    }

    fn binding(verification: &VerificationId) -> Binding<'_> {
        let recipient = "a@example.com";
        Binding { site: "demo", verification, recipient, channel: Channel::Email, purpose: "" }
    }

    #[test]
    fn s6_only_the_diagonal_of_the_full_matrix_matches() {
        let ids: Vec<_> = (0..2)
            .map(|_| VerificationId::generate(Timestamp::default(), &mut SysRng).unwrap())
            .collect();
        let mut bindings = Vec::new();
        for site in ["shop", "bank"] {
            for verification in &ids {
                for recipient in ["+447700900042", "a@example.com"] {
                    for channel in Channel::ALL.iter().copied() {
                        for purpose in ["sign-up", "sign-in"] {
                            bindings.push(Binding {
                                site,
                                verification,
                                recipient,
                                channel,
                                purpose,
                            });
                        }
                    }
                }
            }
        }
        let peppers = peppers(&[1]);
        for (row, made_for) in bindings.iter().enumerate() {
            let digest = peppers.digest(made_for, &code("123456"));
            for (column, tried_for) in bindings.iter().enumerate() {
                let matched = peppers.matches(&digest, tried_for, &code("123456"));
                assert_eq!(matched, row == column, "{made_for:?} {tried_for:?}");
            }
        }
    }

    #[test]
    fn s7_without_the_pepper_a_digest_matches_no_code_and_with_it_exactly_one() {
        let id = VerificationId::generate(Timestamp::default(), &mut SysRng).unwrap();
        let binding = binding(&id);
        let digest = peppers(&[1]).digest(&binding, &code("004217"));
        // The store shows the id of the pepper, but not the pepper.
        let owner = peppers(&[1]);
        let mut attacker = peppers(&[2]);
        attacker.0[0].0 = digest.pepper;
        let all = || (0..1_000_000).map(|number| code(&format!("{number:06}")));
        assert_eq!(all().filter(|guess| attacker.matches(&digest, &binding, guess)).count(), 0);
        assert_eq!(all().filter(|guess| owner.matches(&digest, &binding, guess)).count(), 1);
    }

    #[test]
    fn s7_a_rotated_pepper_still_matches_until_it_leaves_the_list() {
        let id = VerificationId::generate(Timestamp::default(), &mut SysRng).unwrap();
        let binding = binding(&id);
        let digest = peppers(&[1]).digest(&binding, &code("123456"));
        assert!(peppers(&[2, 1]).matches(&digest, &binding, &code("123456")));
        assert!(!peppers(&[2]).matches(&digest, &binding, &code("123456")));
    }

    #[test]
    fn a_stored_digest_reads_back_and_a_damaged_one_is_refused() {
        let id = VerificationId::generate(Timestamp::default(), &mut SysRng).unwrap();
        let binding = binding(&id);
        let digest = peppers(&[1]).digest(&binding, &code("123456"));
        let json = serde_json::to_string(&digest).unwrap();
        assert_eq!(serde_json::from_str::<CodeDigest>(&json).unwrap(), digest);
        assert!(serde_json::from_str::<CodeDigest>("\"AAAA\"").is_err());
    }

    #[test]
    fn s8_debug_shows_neither_pepper_nor_digest() {
        assert_eq!(format!("{:?}", Pepper::new([7; 32])), "Pepper(..)");
        let digest = CodeDigest { pepper: PepperId([0; 4]), mac: [7; 32] };
        assert_eq!(format!("{digest:?}"), "CodeDigest(..)");
    }
}
