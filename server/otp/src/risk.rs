//! Risk that somebody guesses a code of one recipient, reserved when a code is sent.
//!
//! A code of `n` digits that may be checked `c` times is guessed with a probability of c / 10^n, whoever
//! asked for it. These probabilities are added up over all codes that a site sends to one recipient
//! within 24 hours, and the next code has as many digits as keep the sum below the site's daily risk. So
//! opening further verifications never adds guesses (S5, S34), and no recipient is ever locked out: the
//! codes grow longer instead.

use std::{ops::RangeInclusive, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{code::MAX_LENGTH, quota::SlidingWindow, time::Timestamp};

/// Time over which risks are added up.
pub const SPAN: Duration = Duration::from_secs(24 * 3600);

/// Fewest digits of a long code.
const LONG: u8 = 8;

/// A probability in units of 10^-10, the risk of one check of the longest code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Risk(u32);

impl Risk {
    /// Two in 100,000 (S34).
    pub const DEFAULT: Self = Self(200_000);

    /// Bounds of a daily risk, as probabilities.
    pub const BOUNDS: RangeInclusive<f64> = 1e-6..=1e-3;

    /// A probability within [`Risk::BOUNDS`], rounded to whole units; `None` outside of them.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "within the bounds the number of units is from 10,000 to 10,000,000"
    )]
    pub fn of(probability: f64) -> Option<Self> {
        let units = (probability * 1e10).round();
        Self::BOUNDS.contains(&probability).then_some(Self(units as u32))
    }

    /// The risk of `checks` guesses at a code of `length` digits.
    fn of_code(length: u8, checks: u32) -> Self {
        let exponent = u32::from(MAX_LENGTH.saturating_sub(length));
        Self(checks.saturating_mul(10_u32.saturating_pow(exponent)))
    }

    /// A part of it in per cent.
    fn percent(self, part: u64) -> u64 {
        u64::from(self.0) * part / 100
    }
}

impl Default for Risk {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Risks of the codes that were sent to one recipient of one site and not approved since.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reservations {
    /// Of codes of up to 7 digits, in units of [`Risk`].
    short: SlidingWindow,
    /// Of codes of 8 and 9 digits.
    long: SlidingWindow,
}

impl Reservations {
    /// The number of digits of the next code, which may be checked `checks` times: the fewest of
    /// `shortest`, 6, 8 and 10 whose risk fits.
    ///
    /// Three quarters of the daily risk are for codes of up to 7 digits and a fifth for those of 8 and 9.
    /// By default that is three codes of 6 digits and eighty of 8; the rest is more than all codes of 10
    /// digits that the limits of sending let out.
    pub fn next_length(&self, shortest: u8, checks: u32, daily: Risk, now: Timestamp) -> u8 {
        let fits = |length: u8| {
            let (window, part) = if length < LONG { (&self.short, 75) } else { (&self.long, 20) };
            let Risk(risk) = Risk::of_code(length, checks);
            window.sum(SPAN, now) + u64::from(risk) <= daily.percent(part)
        };
        let mut lengths = [shortest, 6, LONG].into_iter();
        lengths.find(|length| *length >= shortest && fits(*length)).unwrap_or(MAX_LENGTH)
    }

    /// Reserves the risk of a code that is sent at `now`.
    pub fn reserve(&mut self, length: u8, checks: u32, now: Timestamp) {
        let Risk(risk) = Risk::of_code(length, checks);
        self.window(length).add(SPAN, risk, now);
    }

    /// Gives back the risk of a code that was sent at `at` and that nobody can guess any more.
    pub fn give_back(&mut self, length: u8, checks: u32, at: Timestamp) {
        let Risk(risk) = Risk::of_code(length, checks);
        self.window(length).take_back(SPAN, risk, at);
    }

    fn window(&mut self, length: u8) -> &mut SlidingWindow {
        if length < LONG { &mut self.short } else { &mut self.long }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    /// Shortest code, checks and daily risk of a policy.
    type Policy = (u8, u32, Risk);

    /// Sends a code and returns its length.
    fn send(reserved: &mut Reservations, policy: Policy, now: Timestamp) -> u8 {
        let (shortest, checks, daily) = policy;
        let length = reserved.next_length(shortest, checks, daily, now);
        reserved.reserve(length, checks, now);
        length
    }

    #[test]
    fn s34_three_codes_have_six_digits_eighty_have_eight_and_the_others_ten() {
        let (mut reserved, policy) = (Reservations::default(), (6, 5, Risk::DEFAULT));
        let lengths: Vec<_> = (0..100).map(|_| send(&mut reserved, policy, START)).collect();
        let expected = [[6; 3].as_slice(), &[8; 80], &[10; 17]].concat();
        assert_eq!(lengths, expected);
        assert_eq!(SPAN.as_secs(), 86_400);
        let a_day_later = START + SPAN + SPAN / 20;
        assert_eq!(send(&mut reserved, policy, a_day_later), 6);
    }

    #[test]
    fn longer_codes_of_the_policy_stay_and_shorter_ones_grow_to_what_fits() {
        let lengths = |shortest, checks, daily| {
            let mut reserved = Reservations::default();
            [(); 4].map(|()| send(&mut reserved, (shortest, checks, daily), START))
        };
        assert_eq!(lengths(4, 5, Risk::DEFAULT), [6, 6, 6, 8]);
        assert_eq!(lengths(4, 5, Risk::of(1e-3).unwrap()), [4, 6, 6, 6]);
        assert_eq!(lengths(6, 10, Risk::DEFAULT), [6, 8, 8, 8]);
        assert_eq!(lengths(6, 1, Risk::of(1e-6).unwrap()), [8, 8, 8, 8]);
        assert_eq!(lengths(7, 5, Risk::DEFAULT), [7, 7, 7, 7]);
        assert_eq!(lengths(9, 5, Risk::DEFAULT), [9, 9, 9, 9]);
        assert_eq!(lengths(10, 5, Risk::DEFAULT), [10; 4]);
    }

    #[test]
    fn s34_a_code_that_must_be_long_grows_too_when_those_are_spent() {
        let mut reserved = Reservations::default();
        for _ in 0..80 {
            assert_eq!(reserved.next_length(8, 5, Risk::DEFAULT, START), 8);
            reserved.reserve(8, 5, START);
        }
        assert_eq!(reserved.next_length(8, 5, Risk::DEFAULT, START), 10);
        assert_eq!(reserved.next_length(6, 5, Risk::DEFAULT, START), 6);
    }

    #[test]
    fn s34_what_is_given_back_makes_room_and_what_stays_counts_for_a_day() {
        let mut reserved = Reservations::default();
        (0..3).for_each(|_| reserved.reserve(6, 5, START));
        assert_eq!(reserved.next_length(6, 5, Risk::DEFAULT, START), 8);
        reserved.give_back(6, 5, START);
        assert_eq!(reserved.next_length(6, 5, Risk::DEFAULT, START), 6);
        reserved.reserve(6, 5, START);
        let hours = |hours: u64| START + Duration::from_secs(hours * 3600);
        assert_eq!(reserved.next_length(6, 5, Risk::DEFAULT, hours(24)), 8);
        assert_eq!(reserved.next_length(6, 5, Risk::DEFAULT, hours(26)), 6);
        (0..80).for_each(|_| reserved.reserve(8, 5, START));
        reserved.give_back(8, 5, START);
        assert_eq!(reserved.next_length(8, 5, Risk::DEFAULT, START), 8);
    }

    #[test]
    fn a_risk_outside_of_its_bounds_is_none() {
        for probability in [0.0, -1.0, 9e-7, 1.1e-3, 1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Risk::of(probability), None, "{probability}");
        }
        assert_eq!(Risk::of(2e-5), Some(Risk::DEFAULT));
    }

    proptest! {
        /// An independent sum of the probabilities, over any mixture of policies.
        #[test]
        fn s34_the_codes_of_a_day_are_guessed_with_less_than_the_daily_risk(
            sends in prop::collection::vec((4_u8..=10, 1_u32..=10, 0_u64..3_600_000), 1..240),
        ) {
            let mut reserved = Reservations::default();
            let mut now = START;
            let mut sent: Vec<(Timestamp, f64)> = Vec::new();
            for (code_length, checks, wait) in sends {
                now = now + Duration::from_millis(wait);
                let policy = (code_length, checks, Risk::DEFAULT);
                let length = send(&mut reserved, policy, now);
                prop_assert!(length >= code_length);
                sent.push((now, f64::from(checks) / 10_f64.powi(i32::from(length))));
                let day = sent.iter().filter(|(at, _)| now.since(*at) < SPAN);
                let risk: f64 = day.map(|(_, risk)| risk).sum();
                prop_assert!(risk < 2e-5, "{risk}");
            }
        }
    }
}
