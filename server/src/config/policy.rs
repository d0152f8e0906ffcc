//! `[policy]` and `[limits]`: the rules of one verification and the quotas across all of them.

use std::time::Duration;

use otp::{
    Policy,
    policy::{self, Draft},
};

use super::settings::Settings;

/// The rules of one verification, of the server or of a site. The domain owns their bounds.
pub(super) fn read_policy(settings: &mut Settings) -> Draft {
    let waits: Vec<u64> = settings.get("policy.resend_waits");
    let (low, high) = policy::RESEND_WAIT_SECONDS.into_inner();
    if !(1..=10).contains(&waits.len()) || waits.iter().any(|wait| !(low..=high).contains(wait)) {
        let message = format!("must be 1 to 10 numbers from {low} to {high}");
        settings.refuse("policy.resend_waits", message);
    }
    let draft = Draft {
        code_length: settings.number("policy.code_length", policy::CODE_LENGTH),
        lifetime: settings.seconds("policy.lifetime", policy::LIFETIME_SECONDS),
        checks: settings.number("policy.checks", policy::CHECKS),
        sends: settings.number("policy.sends", policy::SENDS),
        resend_waits: waits.into_iter().map(Duration::from_secs).collect(),
        live_codes: settings.number("policy.live_codes", policy::LIVE_CODES),
        window: settings.seconds("policy.window", policy::WINDOW_SECONDS),
    };
    settings.refuse_unless_ordered("policy.lifetime", "policy.window");
    if settings.is_fine("policy")
        && let Err(problems) = Policy::new(draft.clone())
    {
        // A bound that only the domain knows.
        for problem in problems {
            settings.refuse("policy", problem.to_string());
        }
    }
    draft
}

/// The policy of numbers that were read; a stand-in where one of them was refused.
pub(super) fn policy(draft: Draft) -> Policy {
    Policy::new(draft).unwrap_or_default()
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
    pub(super) fn read(settings: &mut Settings) -> Self {
        let mut limit = |key, most| settings.number(key, 1..=most);
        Self {
            recipient_sends_per_10_minutes: limit("limits.recipient_sends_per_10_minutes", 1000),
            recipient_sends_per_hour: limit("limits.recipient_sends_per_hour", 1000),
            recipient_wrong_checks_per_day: limit("limits.recipient_wrong_checks_per_day", 1000),
            caller_sends_per_5_minutes: limit("limits.caller_sends_per_5_minutes", 1_000_000),
            caller_checks_per_minute: limit("limits.caller_checks_per_minute", 1_000_000),
        }
    }
}
