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
        Self::new(draft)
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

/// The field of a [`Draft`] that is out of bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the field `{0}` of a policy is out of bounds")]
pub struct OutOfBounds(pub &'static str);

impl Policy {
    /// Validates a draft.
    ///
    /// # Errors
    /// The first field that is out of bounds.
    pub fn new(draft: Draft) -> Result<Self, OutOfBounds> {
        let within = |duration: Duration, bounds: RangeInclusive<u64>| {
            let (low, high) = bounds.into_inner();
            (Duration::from_secs(low)..=Duration::from_secs(high)).contains(&duration)
        };
        let Draft { lifetime, window, resend_waits, .. } = &draft;
        let waits_fit = resend_waits.iter().all(|wait| within(*wait, RESEND_WAIT_SECONDS));
        let fields = [
            ("code_length", CODE_LENGTH.contains(&draft.code_length)),
            ("lifetime", within(*lifetime, LIFETIME_SECONDS)),
            ("checks", CHECKS.contains(&draft.checks)),
            ("sends", SENDS.contains(&draft.sends)),
            ("resend_waits", waits_fit && !resend_waits.is_empty()),
            ("live_codes", LIVE_CODES.contains(&draft.live_codes)),
            ("window", lifetime <= window && within(*window, WINDOW_SECONDS)),
        ];
        match fields.into_iter().find(|(_, fits)| !fits) {
            Some((name, _)) => Err(OutOfBounds(name)),
            None => Ok(Self(draft)),
        }
    }

    /// Fewest digits in a code.
    pub fn code_length(&self) -> u8 {
        self.0.code_length
    }

    /// Digits of the next code, `shortest` at the least, by what is reserved for the recipient.
    pub fn next_length(&self, reserved: &Reservations, shortest: u8, now: Timestamp) -> u8 {
        reserved.next_length(shortest, self.0.checks, self.0.daily_risk, now)
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
    fn every_number_outside_its_bounds_is_refused_by_its_name() {
        let good = Draft::default;
        let seconds = Duration::from_secs;
        for (name, draft) in [
            ("code_length", Draft { code_length: 3, ..good() }),
            ("code_length", Draft { code_length: 11, ..good() }),
            ("lifetime", Draft { lifetime: seconds(29), ..good() }),
            ("lifetime", Draft { lifetime: seconds(3601), window: seconds(7200), ..good() }),
            ("checks", Draft { checks: 0, ..good() }),
            ("checks", Draft { checks: 11, ..good() }),
            ("sends", Draft { sends: 0, ..good() }),
            ("sends", Draft { sends: 11, ..good() }),
            ("resend_waits", Draft { resend_waits: vec![], ..good() }),
            ("resend_waits", Draft { resend_waits: vec![seconds(3601)], ..good() }),
            ("live_codes", Draft { live_codes: 0, ..good() }),
            ("live_codes", Draft { live_codes: 3, ..good() }),
            ("window", Draft { window: seconds(299), ..good() }),
            ("window", Draft { window: seconds(86_401), ..good() }),
        ] {
            assert_eq!(Policy::new(draft), Err(OutOfBounds(name)));
        }
        let text = "the field `checks` of a policy is out of bounds";
        assert_eq!(OutOfBounds("checks").to_string(), text);
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
    fn every_field_reads_back_from_the_policy_and_from_its_row() {
        let draft = Draft {
            code_length: 7,
            lifetime: Duration::from_secs(60),
            checks: 3,
            sends: 4,
            resend_waits: vec![Duration::from_secs(10)],
            live_codes: 2,
            window: Duration::from_secs(120),
            daily_risk: Risk::of(1e-4).unwrap(),
        };
        let policy = Policy::new(draft.clone()).unwrap();
        assert_eq!((policy.code_length(), policy.checks(), policy.sends()), (7, 3, 4));
        assert_eq!((policy.lifetime(), policy.window()), (draft.lifetime, draft.window));
        assert_eq!((policy.live_codes(), policy.daily_risk()), (2, draft.daily_risk));
        let one_code = Policy::new(Draft { live_codes: 1, ..draft.clone() }).unwrap();
        assert_eq!(one_code.live_codes(), 1);
        let next = policy.next_length(&Reservations::default(), 6, Timestamp::default());
        assert_eq!(next, 6, "checks and daily risk of the policy");
        let stored = serde_json::to_string(&policy).unwrap();
        assert_eq!(serde_json::from_str::<Policy>(&stored).unwrap(), policy);
        assert_eq!(Draft::from(policy), draft);
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
