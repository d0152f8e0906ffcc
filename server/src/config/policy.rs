//! The rules of one verification and the quotas across all of them, as plain numbers.

use std::time::Duration;

use otp::{Policy, policy::Draft};

use super::reader::Reader;

/// The rules of one verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicySettings {
    /// Digits of a code.
    pub code_length: u8,
    /// How long a code is accepted.
    pub lifetime: Duration,
    /// How long after its start the verification sends further codes; at least `lifetime`.
    pub window: Duration,
    /// Guesses for one verification.
    pub checks: u32,
    /// Messages for one verification.
    pub sends: u32,
    /// Waits before the second, third... message, never empty; the last one repeats.
    pub resend_waits: Vec<Duration>,
    /// Codes that are accepted at the same time.
    pub live_codes: u8,
}

impl PolicySettings {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let settings = Self {
            code_length: reader.number("policy.code_length", 4..=10),
            lifetime: reader.seconds("policy.lifetime", 30..=3600),
            window: reader.seconds("policy.window", 30..=86_400),
            checks: reader.number("policy.checks", 1..=10),
            sends: reader.number("policy.sends", 1..=10),
            resend_waits: reader.list_of_seconds("policy.resend_waits", &(0..=3600)),
            live_codes: reader.number("policy.live_codes", 1..=2),
        };
        reader.refuse_unless_ordered(
            ("policy.lifetime", settings.lifetime),
            ("policy.window", settings.window),
        );
        if reader.is_fine("policy.resend_waits") && !(1..=10).contains(&settings.resend_waits.len())
        {
            reader.refuse("policy.resend_waits", "must hold 1 to 10 values");
        }
        settings
    }

    /// The same numbers, in the domain's hands.
    pub fn draft(&self) -> Draft {
        Draft {
            code_length: self.code_length,
            lifetime: self.lifetime,
            checks: self.checks,
            sends: self.sends,
            resend_waits: self.resend_waits.clone(),
            live_codes: self.live_codes,
            window: self.window,
        }
    }

    /// The policy that they make. What is out of bounds has been told in words by now; should the
    /// domain have a bound that is not known here, that is told instead.
    pub(super) fn policy(&self, reader: &mut Reader) -> Option<Policy> {
        let problems = match Policy::new(self.draft()) {
            Ok(policy) => return Some(policy),
            Err(problems) => problems,
        };
        if reader.is_fine_within("policy.") {
            for problem in problems {
                let key = format!("policy.{}", problem.name);
                reader.refuse(&key, format!("must be {}", problem.bounds));
            }
        }
        None
    }
}

/// The quotas across verifications; each is a number of events in its span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitSettings {
    /// Messages to one recipient in 10 minutes.
    pub recipient_sends_per_10_minutes: u32,
    /// Messages to one recipient in an hour.
    pub recipient_sends_per_hour: u32,
    /// Wrong guesses for one recipient in 24 hours.
    pub recipient_wrong_checks_per_day: u32,
    /// Messages asked for from one address in 5 minutes.
    pub caller_sends_per_5_minutes: u32,
    /// Guesses from one address in a minute.
    pub caller_checks_per_minute: u32,
}

impl LimitSettings {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut of_recipient = |name| reader.number(name, 1..=1000);
        Self {
            recipient_sends_per_10_minutes: of_recipient("limits.recipient_sends_per_10_minutes"),
            recipient_sends_per_hour: of_recipient("limits.recipient_sends_per_hour"),
            recipient_wrong_checks_per_day: of_recipient("limits.recipient_wrong_checks_per_day"),
            caller_sends_per_5_minutes: reader
                .number("limits.caller_sends_per_5_minutes", 1..=1_000_000),
            caller_checks_per_minute: reader
                .number("limits.caller_checks_per_minute", 1..=1_000_000),
        }
    }
}
