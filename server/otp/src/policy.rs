//! Policies: length and lifetime of codes, and how many checks and sends a verification has.

use std::{ops::RangeInclusive, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    code,
    risk::{Reservations, Risk},
    time::Timestamp,
};

/// Bounds of [`Draft::code_length`].
pub const CODE_LENGTH: RangeInclusive<u8> = code::MIN_LENGTH..=code::MAX_LENGTH;
/// Bounds of [`Draft::lifetime`], in seconds.
pub const LIFETIME_SECONDS: RangeInclusive<u64> = 30..=3600;
/// Bounds of [`Draft::checks`].
pub const CHECKS: RangeInclusive<u32> = 1..=10;
/// Bounds of [`Draft::sends`].
pub const SENDS: RangeInclusive<u32> = 1..=10;
/// Bounds of each of [`Draft::resend_waits`], in seconds.
pub const RESEND_WAIT_SECONDS: RangeInclusive<u64> = 0..=3600;
/// Bounds of [`Draft::live_codes`].
pub const LIVE_CODES: RangeInclusive<u8> = 1..=2;
/// Bounds of [`Draft::window`], in seconds; it is at least the lifetime as well.
pub const WINDOW_SECONDS: RangeInclusive<u64> = 30..=86_400;

/// The rules of one verification, fixed when it is created.
///
/// Every policy is made by [`Policy::new`] and so within its bounds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Draft", into = "Draft")]
pub struct Policy(Draft);

impl From<Policy> for Draft {
    fn from(Policy(draft): Policy) -> Self {
        draft
    }
}

impl TryFrom<Draft> for Policy {
    type Error = OutOfBounds;

    fn try_from(draft: Draft) -> Result<Self, OutOfBounds> {
        Self::new(draft).map_err(|mut problems| problems.swap_remove(0))
    }
}

/// A policy that has not been validated. Its times are stored in whole seconds to keep rows small.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// Fewest digits in a code, 4 to 10.
    pub code_length: u8,
    /// How long a code is accepted, 30 s to 1 h.
    #[serde(with = "seconds")]
    pub lifetime: Duration,
    /// Wrong checks allowed in one verification, 1 to 10.
    pub checks: u32,
    /// Messages allowed in one verification, 1 to 10.
    pub sends: u32,
    /// Wait before each resend, 0 s to 1 h each; the last one repeats. At least one.
    #[serde(with = "seconds::list")]
    pub resend_waits: Vec<Duration>,
    /// Codes that are accepted at the same time, 1 or 2.
    pub live_codes: u8,
    /// How long after its creation a verification sends codes: at least one code's lifetime, up to 24 h.
    #[serde(with = "seconds")]
    pub window: Duration,
    /// Probability that somebody guesses a code of one recipient within 24 hours.
    #[serde(default, skip_serializing_if = "is_default")]
    pub daily_risk: Risk,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_default(risk: &Risk) -> bool {
    *risk == Risk::DEFAULT
}

/// Durations in whole seconds, rounded down.
mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        duration: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        duration.as_secs().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_secs)
    }

    /// Lists of them.
    pub(super) mod list {
        use super::{Deserialize, Deserializer, Duration, Serializer};

        pub(in super::super) fn serialize<S: Serializer>(
            list: &[Duration],
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            serializer.collect_seq(list.iter().map(Duration::as_secs))
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Vec<Duration>, D::Error> {
            let seconds = Vec::deserialize(deserializer)?;
            Ok(seconds.into_iter().map(Duration::from_secs).collect())
        }
    }
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            code_length: 6,
            lifetime: Duration::from_secs(300),
            checks: 5,
            sends: 5,
            resend_waits: [30, 40, 60, 90, 120].map(Duration::from_secs).to_vec(),
            live_codes: 2,
            window: Duration::from_secs(900),
            daily_risk: Risk::DEFAULT,
        }
    }
}

/// A number of a policy that is out of bounds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} is {actual}, but must be {bounds}")]
pub struct OutOfBounds {
    /// Name of the field in [`Draft`].
    pub name: &'static str,
    /// The value, with its unit.
    pub actual: String,
    /// The bounds.
    pub bounds: &'static str,
}

impl Policy {
    /// Validates a draft.
    ///
    /// # Errors
    /// Every number that is out of bounds.
    pub fn new(draft: Draft) -> Result<Self, Vec<OutOfBounds>> {
        let mut problems = Vec::new();
        let mut require = |in_bounds: bool, name, actual: String, bounds| {
            if !in_bounds {
                problems.push(OutOfBounds { name, actual, bounds });
            }
        };
        let seconds = |duration: Duration| format!("{} s", duration.as_secs_f64());
        let within = |duration: Duration, bounds: RangeInclusive<u64>| {
            let (low, high) = bounds.into_inner();
            (Duration::from_secs(low)..=Duration::from_secs(high)).contains(&duration)
        };
        require(
            CODE_LENGTH.contains(&draft.code_length),
            "code_length",
            draft.code_length.to_string(),
            "4 to 10 digits",
        );
        require(
            within(draft.lifetime, LIFETIME_SECONDS),
            "lifetime",
            seconds(draft.lifetime),
            "30 to 3600 s",
        );
        require(CHECKS.contains(&draft.checks), "checks", draft.checks.to_string(), "1 to 10");
        require(SENDS.contains(&draft.sends), "sends", draft.sends.to_string(), "1 to 10");
        require(
            !draft.resend_waits.is_empty(),
            "resend_waits",
            "empty".into(),
            "at least one wait",
        );
        for wait in &draft.resend_waits {
            require(
                within(*wait, RESEND_WAIT_SECONDS),
                "resend_waits",
                seconds(*wait),
                "0 to 3600 s each",
            );
        }
        require(
            LIVE_CODES.contains(&draft.live_codes),
            "live_codes",
            draft.live_codes.to_string(),
            "1 or 2",
        );
        require(
            draft.lifetime <= draft.window && within(draft.window, WINDOW_SECONDS),
            "window",
            seconds(draft.window),
            "at least the code's lifetime and at most 86400 s",
        );
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self(draft))
    }

    /// Fewest digits in a code.
    pub fn code_length(&self) -> u8 {
        self.0.code_length
    }

    /// Digits of the next code, by what is reserved for the recipient.
    pub fn next_length(&self, reserved: &Reservations, now: Timestamp) -> u8 {
        reserved.next_length(self.0.code_length, self.0.checks, self.0.daily_risk, now)
    }

    /// How long a code is accepted.
    pub fn lifetime(&self) -> Duration {
        self.0.lifetime
    }

    /// Wrong checks allowed in one verification.
    pub fn checks(&self) -> u32 {
        self.0.checks
    }

    /// Messages allowed in one verification, the first included.
    pub fn sends(&self) -> u32 {
        self.0.sends
    }

    /// Codes that are accepted at the same time.
    pub fn live_codes(&self) -> usize {
        usize::from(self.0.live_codes)
    }

    /// How long after its creation a verification sends codes.
    pub fn window(&self) -> Duration {
        self.0.window
    }

    /// Probability that somebody guesses a code of one recipient within 24 hours.
    pub fn daily_risk(&self) -> Risk {
        self.0.daily_risk
    }

    /// The wait after message number `sent` (from 1) before the next one may be requested.
    pub fn wait_after(&self, sent: u32) -> Duration {
        let index = usize::try_from(sent.saturating_sub(1)).unwrap_or(usize::MAX);
        let last = self.0.resend_waits.len().saturating_sub(1);
        self.0.resend_waits.get(index.min(last)).copied().unwrap_or_default()
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::new(Draft::default()).unwrap_or_else(|_| unreachable!("the defaults are in bounds"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_lie_within_the_bounds() {
        assert_eq!(Policy::default().code_length(), 6);
    }

    #[test]
    fn every_number_outside_its_bounds_is_reported_at_once() {
        let problems = Policy::new(Draft {
            code_length: 3,
            lifetime: Duration::from_secs(29),
            checks: 0,
            sends: 11,
            resend_waits: vec![Duration::from_secs(3601)],
            live_codes: 3,
            window: Duration::from_secs(28),
            daily_risk: Risk::DEFAULT,
        })
        .unwrap_err();
        let names: Vec<_> = problems.iter().map(|problem| problem.name).collect();
        assert_eq!(
            names,
            ["code_length", "lifetime", "checks", "sends", "resend_waits", "live_codes", "window"]
        );
        assert_eq!(problems[0].to_string(), "code_length is 3, but must be 4 to 10 digits");
    }

    #[test]
    fn a_stored_policy_reads_back_and_one_out_of_bounds_does_not() {
        let stored = serde_json::to_string(&Policy::default()).unwrap();
        let form = r#"{"code_length":6,"lifetime":300,"checks":5,"sends":5,"resend_waits":[30,40,60,90,120],"live_codes":2,"window":900}"#;
        assert_eq!(stored, form, "rows of other versions have this form");
        assert_eq!(serde_json::from_str::<Policy>(&stored).unwrap(), Policy::default());
        let altered = stored.replace("\"checks\":5", "\"checks\":500");
        assert!(serde_json::from_str::<Policy>(&altered).is_err());
    }

    #[test]
    fn both_ends_of_every_bound_are_allowed() {
        for (code_length, seconds, count, live_codes) in [(4, 30, 1, 1), (10, 3600, 10, 2)] {
            let lifetime = Duration::from_secs(seconds);
            let policy = Policy::new(Draft {
                code_length,
                lifetime,
                checks: count,
                sends: count,
                resend_waits: vec![Duration::ZERO, Duration::from_secs(3600)],
                live_codes,
                window: lifetime,
                daily_risk: Risk::DEFAULT,
            });
            assert!(policy.is_ok());
        }
    }

    #[test]
    fn the_last_wait_repeats() {
        let policy = Policy::default();
        let waits: Vec<_> = (1..=7).map(|sent| policy.wait_after(sent).as_secs()).collect();
        assert_eq!(waits, [30, 40, 60, 90, 120, 120, 120]);
    }
}
