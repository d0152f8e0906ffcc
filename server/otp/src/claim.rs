//! Claims to the proof of an approved verification (S31).
//!
//! A verification's page belongs to everybody who has its address, but its proof only to the client whose
//! check was approved. So each page that asks for a code carries a fresh claim, the check that is approved
//! stores its digest, and the proof is given to whoever repeats it.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::TryRng;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

const BYTES: usize = 16;

/// A claim: 128 random bits, written as 22 characters of base64url. Its memory is wiped when it is
/// dropped.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Claim([u8; BYTES]);

impl Claim {
    /// Draws a fresh claim.
    ///
    /// # Errors
    /// The error of the generator.
    pub fn generate<R: TryRng>(rng: &mut R) -> Result<Self, R::Error> {
        let mut claim = Self([0; BYTES]);
        rng.try_fill_bytes(&mut claim.0)?;
        Ok(claim)
    }

    /// Reads a claim; `None` for any other text, which claims nothing.
    pub fn parse(text: &str) -> Option<Self> {
        let mut claim = Self([0; BYTES]);
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut claim.0);
        (length == Ok(BYTES)).then_some(claim)
    }

    /// The claim as it stands in a page.
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The form in which it is stored.
    pub fn digest(&self) -> ClaimDigest {
        ClaimDigest(Sha256::digest(self.0).into())
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claim(..)")
    }
}

/// SHA-256 of a claim. A claim cannot be guessed, so it needs no key.
#[derive(Clone, Copy)]
pub struct ClaimDigest([u8; 32]);

/// Compares in constant time.
impl PartialEq for ClaimDigest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for ClaimDigest {}

impl fmt::Debug for ClaimDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClaimDigest(..)")
    }
}

/// 43 characters of base64url.
impl Serialize for ClaimDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for ClaimDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        let mut digest = Self([0; 32]);
        match URL_SAFE_NO_PAD.decode_slice(&*text, &mut digest.0) {
            Ok(32) => Ok(digest),
            _ => Err(serde::de::Error::custom("the digest of a claim is 32 bytes in base64url")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::rngs::SysRng;

    use super::*;

    fn claim() -> Claim {
        Claim::generate(&mut SysRng).unwrap()
    }

    #[test]
    fn s31_a_claim_reads_back_and_no_two_are_alike() {
        let (one, other) = (claim(), claim());
        assert_eq!(one.encode().len(), 22);
        assert_eq!(Claim::parse(&one.encode()).unwrap().digest(), one.digest());
        assert_ne!(one.digest(), other.digest());
    }

    #[test]
    fn s31_another_text_claims_nothing() {
        let good = claim().encode();
        let last = |c: &str| [&good[..21], c].concat();
        for text in ["", &good[1..], &last(""), &last("B"), &last("="), &[&good, "A"].concat()] {
            assert_eq!(Claim::parse(text), None, "{text:?}");
        }
        assert!(Claim::parse(&"A".repeat(22)).is_some());
    }

    #[test]
    fn a_stored_digest_reads_back_and_a_damaged_one_is_refused() {
        let digest = claim().digest();
        let json = serde_json::to_string(&digest).unwrap();
        assert_eq!(serde_json::from_str::<ClaimDigest>(&json).unwrap(), digest);
        assert!(serde_json::from_str::<ClaimDigest>("\"AAAA\"").is_err());
    }

    #[test]
    fn s8_debug_shows_neither_claim_nor_digest() {
        let shown = format!("{:?} {:?}", claim(), claim().digest());
        assert_eq!(shown, "Claim(..) ClaimDigest(..)");
    }

    proptest! {
        #[test]
        fn no_input_makes_parsing_panic(input in "\\PC{0,40}") {
            if let Some(claim) = Claim::parse(&input) {
                prop_assert_eq!(claim.encode(), input);
            }
        }
    }
}
