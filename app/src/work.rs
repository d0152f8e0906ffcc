//! Demands of work before a message is sent, as clients see them.
//!
//! The text of a challenge says its level, its time and its seal. Answers repeat it, with the number that was
//! found behind it, or without one after the wait.

use std::fmt;

/// A demand of work that the server has sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Size of the work.
    pub level: u8,
    /// Time of the demand, in milliseconds.
    pub at: u64,
    /// Proof that the server has made it, for one client and one door.
    pub seal: u128,
}

impl Challenge {
    /// Reads an answer: a challenge, and the number that was found, if any.
    pub fn read_answer(text: &str) -> Option<(Self, Option<u64>)> {
        let mut parts = text.split('-');
        let level = parts.next()?.parse().ok()?;
        let at = parts.next()?.parse().ok()?;
        let seal = u128::from_str_radix(parts.next()?, 16).ok()?;
        let number = parts.next().map(str::parse).transpose().ok()?;
        parts.next().is_none().then_some((Self { level, at, seal }, number))
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{:032x}", self.level, self.at, self.seal)
    }
}

#[cfg(feature = "ssr")]
impl serde::Serialize for Challenge {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Work, or a wait in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "ssr", derive(serde::Serialize))]
pub struct Work {
    /// The challenge. The number to find makes PBKDF2 with SHA-256, the text of the challenge as its password
    /// and the number in decimal digits as its salt, begin with `bits` zero bits.
    pub challenge: Challenge,
    /// Zero bits.
    pub bits: u8,
    /// Rounds of PBKDF2.
    pub rounds: u32,
    /// Whole seconds after which the challenge is accepted without a number.
    pub retry_after: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_it_is_written_and_nothing_else_is() {
        let challenge = Challenge { level: 3, at: 1_700_000_000_000, seal: 0xabc };
        let text = challenge.to_string();
        assert_eq!(text, "3-1700000000000-00000000000000000000000000000abc");
        assert_eq!(Challenge::read_answer(&text), Some((challenge, None)));
        assert_eq!(Challenge::read_answer(&format!("{text}-17")), Some((challenge, Some(17))));
        for wrong in ["", "3", "3-1", "3-1-x", "3-1-2-", "3-1-2-3-4", "3-1-2-x", "300-1-2", "é-1-2"]
        {
            assert_eq!(Challenge::read_answer(wrong), None, "{wrong:?}");
        }
    }
}
