//! Identifiers of verifications.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::TryRng;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::time::Timestamp;

const CLOCK_BYTES: usize = 6;
const RANDOM_BYTES: usize = 18;
const _: () = assert!(RANDOM_BYTES * 8 >= 128, "S10");
const BYTES: usize = CLOCK_BYTES + RANDOM_BYTES;
/// Length as a text.
const TEXT: usize = BYTES / 3 * 4;

/// Id of a verification, and the capability to check and resend it, so it cannot be guessed.
///
/// 24 bytes, written as 32 characters of base64url: 48 bits of creation time in milliseconds, then
/// 144 random bits (S10 asks for 128). The time comes first so that rows made at the same time are
/// neighbours in the index, and a commit of many requests touches few pages.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VerificationId([u8; BYTES]);

/// The string is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id is 32 characters of base64url")]
pub struct InvalidId;

impl VerificationId {
    /// Makes a fresh id.
    ///
    /// # Errors
    /// The error of the generator.
    pub fn generate<R: TryRng>(now: Timestamp, rng: &mut R) -> Result<Self, R::Error> {
        let mut id = Self::first_at(now);
        rng.try_fill_bytes(&mut id.0[CLOCK_BYTES..])?;
        Ok(id)
    }

    /// The lowest id of the instant `now`: every earlier id sorts before it.
    pub fn first_at(now: Timestamp) -> Self {
        let mut bytes = [0; BYTES];
        bytes[..CLOCK_BYTES].copy_from_slice(&now.as_millis().to_be_bytes()[2..]);
        Self(bytes)
    }

    /// The id that a text names. A text that cannot be an id becomes one that nobody has, so that
    /// both are looked for alike (S9).
    pub fn parse_or_unknown(text: &str) -> Self {
        text.parse().unwrap_or(Self::first_at(Timestamp::default()))
    }

    /// Time of creation.
    pub fn created_at(&self) -> Timestamp {
        let mut millis = [0; 8];
        millis[2..].copy_from_slice(&self.0[..CLOCK_BYTES]);
        Timestamp::from_millis(u64::from_be_bytes(millis))
    }

    /// The 24 bytes, in the order in which ids sort.
    pub fn as_bytes(&self) -> &[u8; BYTES] {
        &self.0
    }

    /// Reads an id from its 24 bytes.
    ///
    /// # Errors
    /// If these are not 24 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidId> {
        bytes.try_into().map(Self).map_err(|_| InvalidId)
    }
}

impl FromStr for VerificationId {
    type Err = InvalidId;

    fn from_str(input: &str) -> Result<Self, InvalidId> {
        let mut bytes = [0; BYTES];
        match URL_SAFE_NO_PAD.decode_slice(input, &mut bytes) {
            Ok(BYTES) => Ok(Self(bytes)),
            _ => Err(InvalidId),
        }
    }
}

impl fmt::Display for VerificationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; TEXT];
        let written = URL_SAFE_NO_PAD.encode_slice(self.0, &mut text).map_err(|_| fmt::Error)?;
        f.write_str(str::from_utf8(&text[..written]).map_err(|_| fmt::Error)?)
    }
}

/// Shows the time only, since ids are capabilities.
impl fmt::Debug for VerificationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerificationId({}..)", &self.to_string()[..8])
    }
}

impl Serialize for VerificationId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for VerificationId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::rngs::SysRng;

    use super::*;

    #[test]
    fn ids_read_back_and_sort_by_the_time_they_were_made() {
        let earlier = VerificationId::generate(Timestamp::from_millis(1_000), &mut SysRng).unwrap();
        let later = VerificationId::generate(Timestamp::from_millis(1_001), &mut SysRng).unwrap();
        assert!(earlier < later);
        assert!(earlier < VerificationId::first_at(Timestamp::from_millis(1_001)));
        assert_eq!(later.created_at(), Timestamp::from_millis(1_001));
        assert_eq!(later.to_string().parse(), Ok(later));
        assert_eq!(later.to_string().len(), 32);
    }

    #[test]
    fn s10_two_ids_of_one_instant_share_nothing_but_the_instant() {
        let now = Timestamp::from_millis(1_000);
        let one = VerificationId::generate(now, &mut SysRng).unwrap();
        let other = VerificationId::generate(now, &mut SysRng).unwrap();
        assert_ne!(one.0[CLOCK_BYTES..], other.0[CLOCK_BYTES..]);
    }

    #[test]
    fn s8_debug_shows_only_the_time() {
        let id = VerificationId::generate(Timestamp::from_millis(1_000), &mut SysRng).unwrap();
        assert!(!format!("{id:?}").contains(&id.to_string()[8..]));
    }

    #[test]
    fn s9_a_text_that_cannot_be_an_id_becomes_one_that_nobody_has() {
        let nobody = VerificationId::parse_or_unknown("no id at all");
        assert_eq!(nobody, VerificationId::parse_or_unknown(""));
        assert_eq!(nobody.created_at(), Timestamp::default());
    }

    proptest! {
        #[test]
        fn no_input_makes_parsing_panic(input in "\\PC{0,64}") {
            if let Ok(id) = input.parse::<VerificationId>() {
                prop_assert_eq!(id.to_string(), input);
            }
        }
    }
}
