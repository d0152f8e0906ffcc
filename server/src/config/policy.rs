//! `[policy]`, `[limits]` and `[work]`: the rules of one verification, the quotas across all of them, and the
//! rates from which on a message takes work.

use std::time::Duration;

use otp::{
    Policy,
    limits::Limits,
    policy::{self, Draft},
    quota::Quota,
    risk::Risk,
    work::Thresholds,
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
    let daily_risk: f64 = settings.get("policy.daily_risk");
    let risk = Risk::of(daily_risk).unwrap_or_else(|| {
        let (low, high) = Risk::BOUNDS.into_inner();
        settings
            .refuse("policy.daily_risk", format!("must be from {low} to {high}, not {daily_risk}"));
        Risk::DEFAULT
    });
    let draft = Draft {
        code_length: settings.number("policy.code_length", policy::CODE_LENGTH),
        lifetime: settings.seconds("policy.lifetime", policy::LIFETIME_SECONDS),
        checks: settings.number("policy.checks", policy::CHECKS),
        sends: settings.number("policy.sends", policy::SENDS),
        resend_waits: waits.into_iter().map(Duration::from_secs).collect(),
        live_codes: settings.number("policy.live_codes", policy::LIVE_CODES),
        window: settings.seconds("policy.window", policy::WINDOW_SECONDS),
        daily_risk: risk,
    };
    settings.refuse_unless_ordered("policy.lifetime", "policy.window");
    draft
}

/// The policy of numbers that were read; a stand-in where one of them was refused.
pub(super) fn policy(draft: Draft) -> Policy {
    Policy::new(draft).unwrap_or_default()
}

/// The limits across verifications; each key names its span.
pub(super) fn read_limits(settings: &mut Settings) -> Limits {
    let cool_down = settings.seconds("limits.cool_down", 0..=604_800);
    let mut quota = |key, most, seconds| Quota {
        limit: settings.number(key, 1..=most),
        per: Duration::from_secs(seconds),
    };
    Limits {
        recipient_sends_short: quota("limits.recipient_sends_per_10_minutes", 1000, 600),
        recipient_sends_long: quota("limits.recipient_sends_per_hour", 1000, 3600),
        recipient_wrong_checks: quota("limits.recipient_wrong_checks_per_day", 1000, 24 * 3600),
        caller_sends: quota("limits.caller_sends_per_5_minutes", 1_000_000, 300),
        caller_checks: quota("limits.caller_checks_per_minute", 1_000_000, 60),
        cool_down,
    }
}

/// The rates from which on a message takes work, unless that is switched off.
pub(super) fn read_work(settings: &mut Settings) -> Option<Thresholds> {
    let thresholds = Thresholds {
        network: settings.number("work.network_sends_per_5_minutes", 1..=1_000_000),
        server: settings.number("work.server_sends_per_5_minutes", 1..=1_000_000),
    };
    settings.get::<bool>("work.enabled").then_some(thresholds)
}
