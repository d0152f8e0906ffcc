//! One-time passcodes: strings of digits, so that leading zeros are kept.

use std::fmt;

use otp_types::{CodeProblem, typed_code};
use rand::TryRng;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Fewest digits in a code.
pub const MIN_LENGTH: u8 = 4;
/// Most digits in a code.
pub const MAX_LENGTH: u8 = 10;

/// A code in clear text: 4 to 10 ASCII digits. Its memory is wiped when it is dropped.
///
/// `Debug` does not show it, and it has neither `Display` nor serialisation; [`Code::as_str`] gives the
/// digits.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Code(String);

/// The string is not made of 4 to 10 ASCII digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a code has {MIN_LENGTH} to {MAX_LENGTH} digits and nothing else")]
pub struct Malformed;

impl Code {
    /// Draws a uniform code of `length` digits (S1).
    ///
    /// Rejection sampling: each random byte below 250 gives one digit, the others are drawn again. A
    /// plain remainder would prefer the low digits, since 256 is not a multiple of ten.
    ///
    /// # Errors
    /// The error of the generator.
    pub fn generate<R: TryRng>(length: u8, rng: &mut R) -> Result<Self, R::Error> {
        let length = usize::from(length.clamp(MIN_LENGTH, MAX_LENGTH));
        let mut digits = String::with_capacity(length);
        let mut bytes = [0_u8; 16];
        while digits.len() < length {
            rng.try_fill_bytes(&mut bytes)?;
            let wanted = length - digits.len();
            let uniform = bytes.iter().filter(|byte| **byte < 250).take(wanted);
            digits.extend(uniform.map(|byte| char::from(b'0' + byte % 10)));
        }
        bytes.zeroize();
        Ok(Self(digits))
    }

    /// The test code: `length` zeros.
    pub fn zeros(length: u8) -> Self {
        Self("0".repeat(usize::from(length.clamp(MIN_LENGTH, MAX_LENGTH))))
    }

    /// Parses a normalised code: ASCII digits only.
    ///
    /// # Errors
    /// If it is not made of 4 to 10 ASCII digits.
    pub fn parse(input: &str) -> Result<Self, Malformed> {
        let length = usize::from(MIN_LENGTH)..=usize::from(MAX_LENGTH);
        if length.contains(&input.len()) && input.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(input.to_owned()))
        } else {
            Err(Malformed)
        }
    }

    /// Reads a code of `length` digits as a person typed it, see [`typed_code`].
    ///
    /// # Errors
    /// The [`CodeProblem`] of a text that is no such code.
    pub fn read(typed: &str, length: u8) -> Result<Self, CodeProblem> {
        typed_code::read(typed, length).map(Self)
    }

    /// The first `length` digits, as uniform as the code itself.
    #[must_use]
    pub fn first(&self, length: u8) -> Self {
        Self(self.0.get(..usize::from(length)).unwrap_or(&self.0).to_owned())
    }

    /// The digits. Keep them out of logs, errors and responses.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Number of digits.
    pub fn length(&self) -> u8 {
        // At most `MAX_LENGTH`, by both constructors.
        u8::try_from(self.0.len()).unwrap_or(MAX_LENGTH)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(..)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{SeedableRng, rngs::StdRng, rngs::SysRng};

    use super::*;

    /// Upper critical value of chi-square with 9 degrees of freedom at p = 1e-6.
    const CRITICAL_9: f64 = 45.1;

    fn chi_square(counts: &[u32; 10], draws: f64) -> f64 {
        let expected = draws / 10.0;
        counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum()
    }

    #[test]
    fn s1_a_million_codes_pass_a_chi_square_test_at_every_position() {
        let mut counts = [[0_u32; 10]; 6];
        for _ in 0..1_000_000 {
            // As codes are made: digits for any length are drawn, and the policy's length is taken.
            let code = Code::generate(MAX_LENGTH, &mut SysRng).unwrap().first(6);
            for (position, digit) in code.as_str().bytes().enumerate() {
                counts[position][usize::from(digit - b'0')] += 1;
            }
        }
        for position in &counts {
            assert!(chi_square(position, 1e6) < CRITICAL_9, "{counts:?}");
        }
    }

    #[test]
    fn the_first_digits_of_a_code_keep_their_zeros() {
        let drawn = Code::parse("0012345678").unwrap();
        for (length, digits) in [(4, "0012"), (6, "001234"), (10, "0012345678")] {
            assert_eq!(drawn.first(length).as_str(), digits);
        }
    }

    #[test]
    fn s1_the_chi_square_test_notices_a_plain_remainder() {
        // Without rejection, six values of a byte too many fall on the low digits.
        let mut counts = [0_u32; 10];
        let mut bytes = vec![0_u8; 1_000_000];
        SysRng.try_fill_bytes(&mut bytes).unwrap();
        for byte in bytes {
            counts[usize::from(byte % 10)] += 1;
        }
        assert!(chi_square(&counts, 1e6) > CRITICAL_9);
    }

    proptest! {
        #[test]
        fn a_generated_code_has_the_length_asked_for_and_reads_back(length in 4_u8..=10, seed: u64) {
            let mut rng = StdRng::seed_from_u64(seed);
            let code = Code::generate(length, &mut rng).unwrap();
            prop_assert_eq!(code.length(), length);
            prop_assert_eq!(Code::parse(code.as_str()), Ok(code));
        }

        #[test]
        fn anything_but_four_to_ten_digits_is_malformed(input in "\\PC{0,12}") {
            let fine = (4..=10).contains(&input.len()) && input.bytes().all(|b| b.is_ascii_digit());
            prop_assert_eq!(Code::parse(&input).is_ok(), fine);
        }
    }

    #[test]
    fn leading_zeros_are_kept() {
        assert_eq!(Code::parse("000042").unwrap().as_str(), "000042");
    }

    #[test]
    fn s8_debug_shows_no_digit() {
        assert_eq!(format!("{:?}", Code::parse("123456").unwrap()), "Code(..)");
    }
}
