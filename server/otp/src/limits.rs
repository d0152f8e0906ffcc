//! Limits across verifications.
//!
//! Recipients are counted across all their verifications, so that opening a new one never refills
//! anything (S5); callers by address, so that one machine cannot ask for everybody's codes. Counting
//! happens inside the store's atomic step, so parallel requests cannot slip past a limit together.

use std::time::Duration;

use otp_types::Limit;

use crate::{
    counters::{CallerCounters, RecipientCounters},
    quota::{Exhausted, Quota, SlidingWindow},
    risk,
    time::Timestamp,
};

/// Quotas of the limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Messages to one recipient, in the shorter window.
    pub recipient_sends_short: Quota,
    /// Messages to one recipient, in the longer window.
    pub recipient_sends_long: Quota,
    /// Wrong checks of test codes for one recipient; a right one clears them. Codes that are drawn need
    /// no such limit: [`crate::risk`] bounds their guesses when they are sent.
    pub recipient_wrong_checks: Quota,
    /// Messages asked for from one address.
    pub caller_sends: Quota,
    /// Checks from one address.
    pub caller_checks: Quota,
    /// Time after a recipient disowned a verification in which strangers can have no code sent to them.
    pub cool_down: Duration,
}

/// One of the identities that a caller is counted under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Its counters.
    pub counters: CallerCounters,
    /// Number of times that it may use up the limits on one address.
    pub times: u32,
}

/// The refusal of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// The limit.
    pub limit: Limit,
    /// Time from which asking again can help.
    pub retry_at: Timestamp,
}

impl Limits {
    /// Longest span over which a caller is counted.
    pub fn caller_span(&self) -> Duration {
        self.caller_sends.per.max(self.caller_checks.per)
    }

    /// Longest span over which a recipient is counted.
    pub fn recipient_span(&self) -> Duration {
        let sends = self.recipient_sends_short.per.max(self.recipient_sends_long.per);
        sends.max(self.recipient_wrong_checks.per).max(risk::SPAN).max(self.cool_down)
    }

    /// Counts one message, or nothing at all if any limit refuses it.
    ///
    /// # Errors
    /// The first limit that refuses the message.
    pub fn take_send(
        &self,
        callers: &mut [Caller],
        recipient: &mut RecipientCounters,
        now: Timestamp,
    ) -> Result<(), Exceeded> {
        let (short, long) = (self.recipient_sends_short, self.recipient_sends_long);
        refuse(Limit::RecipientSends, recipient.sends_short.would_take(short, now))?;
        refuse(Limit::RecipientSends, recipient.sends_long.would_take(long, now))?;
        self.take_caller_send(callers, now)?;
        refuse(Limit::RecipientSends, recipient.sends_short.take(short, now))?;
        refuse(Limit::RecipientSends, recipient.sends_long.take(long, now))
    }

    /// Whether strangers may have a code sent to the recipient, who may have disowned one (S35).
    ///
    /// # Errors
    /// The cool-down, until it is over.
    pub fn allow_stranger(
        &self,
        recipient: &RecipientCounters,
        now: Timestamp,
    ) -> Result<(), Exceeded> {
        match recipient.disowned_at.map(|at| at + self.cool_down) {
            Some(retry_at) if now < retry_at => {
                Err(Exceeded { limit: Limit::RecipientCooledDown, retry_at })
            }
            _ => Ok(()),
        }
    }

    /// Counts one message for the callers alone, or nothing at all if a limit refuses it.
    ///
    /// # Errors
    /// The callers' limit of messages.
    pub fn take_caller_send(&self, callers: &mut [Caller], now: Timestamp) -> Result<(), Exceeded> {
        take(Limit::CallerSends, self.caller_sends, callers, |caller| &mut caller.sends, now)
    }

    /// Counts one check of the callers, whatever comes of it, or nothing at all if a limit refuses it.
    ///
    /// # Errors
    /// The callers' limit of checks.
    pub fn take_check(&self, callers: &mut [Caller], now: Timestamp) -> Result<(), Exceeded> {
        take(Limit::CallerChecks, self.caller_checks, callers, |caller| &mut caller.checks, now)
    }

    /// Whether a test recipient may have one more wrong check.
    ///
    /// # Errors
    /// The recipient's limit of wrong checks.
    pub fn allow_check(
        &self,
        recipient: &RecipientCounters,
        now: Timestamp,
    ) -> Result<(), Exceeded> {
        let quota = self.recipient_wrong_checks;
        refuse(Limit::RecipientChecks, recipient.wrong_checks.would_take(quota, now))
    }

    /// Counts one wrong check of a test recipient, which [`Limits::allow_check`] has allowed.
    pub fn count_wrong_check(&self, recipient: &mut RecipientCounters, now: Timestamp) {
        // Allowed in the same atomic step, so this cannot be refused.
        let _ = recipient.wrong_checks.take(self.recipient_wrong_checks, now);
    }
}

/// Counts one event of each caller, or nothing at all if one of them has as many as it may.
fn take(
    limit: Limit,
    quota: Quota,
    callers: &mut [Caller],
    window: fn(&mut CallerCounters) -> &mut SlidingWindow,
    now: Timestamp,
) -> Result<(), Exceeded> {
    let of = |times| Quota { limit: quota.limit.saturating_mul(times), ..quota };
    for caller in &mut *callers {
        let quota = of(caller.times);
        refuse(limit, window(&mut caller.counters).would_take(quota, now))?;
    }
    for caller in callers {
        window(&mut caller.counters).add(quota.per, 1, now);
    }
    Ok(())
}

fn refuse(limit: Limit, taken: Result<(), Exhausted>) -> Result<(), Exceeded> {
    taken.map_err(|exhausted| Exceeded { limit, retry_at: exhausted.retry_at })
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn limits() -> Limits {
        let quota = |limit, seconds| Quota { limit, per: Duration::from_secs(seconds) };
        Limits {
            recipient_sends_short: quota(5, 600),
            recipient_sends_long: quota(10, 3600),
            recipient_wrong_checks: quota(30, 24 * 3600),
            caller_sends: quota(30, 300),
            caller_checks: quota(60, 60),
            cool_down: Duration::from_secs(24 * 3600),
        }
    }

    fn caller(times: u32) -> [Caller; 1] {
        [Caller { counters: CallerCounters::default(), times }]
    }

    fn counters() -> (RecipientCounters, [Caller; 1]) {
        (RecipientCounters::default(), caller(1))
    }

    #[test]
    fn a_refused_message_is_counted_nowhere() {
        let (mut recipient, mut caller) = counters();
        for _ in 0..5 {
            limits().take_send(&mut caller, &mut recipient, START).unwrap();
        }
        let before = (recipient.clone(), caller.clone());
        let refused = limits().take_send(&mut caller, &mut recipient, START).unwrap_err();
        assert_eq!(refused.limit, Limit::RecipientSends);
        assert_eq!((recipient, caller), before);
    }

    #[test]
    fn the_longer_window_refuses_after_the_shorter_one_has_opened_again() {
        let (mut recipient, mut caller) = counters();
        let mut now = START;
        for _ in 0..2 {
            for _ in 0..5 {
                limits().take_send(&mut caller, &mut recipient, now).unwrap();
            }
            now = now + Duration::from_secs(700);
        }
        let refused = limits().take_send(&mut caller, &mut recipient, now).unwrap_err();
        assert!(refused.retry_at >= START + Duration::from_secs(3600));
    }

    #[test]
    fn s5_a_test_recipient_whose_wrong_checks_are_spent_waits() {
        let mut recipient = RecipientCounters::default();
        for _ in 0..30 {
            limits().allow_check(&recipient, START).unwrap();
            limits().count_wrong_check(&mut recipient, START);
        }
        let refused = limits().allow_check(&recipient, START).unwrap_err();
        assert_eq!(refused.limit, Limit::RecipientChecks);
        recipient.wrong_checks.clear();
        assert!(limits().allow_check(&recipient, START).is_ok());
    }

    #[test]
    fn s35_a_cool_down_ends_at_its_time_and_as_soon_as_it_is_switched_off() {
        let recipient =
            RecipientCounters { disowned_at: Some(START), ..RecipientCounters::default() };
        let end = START + Duration::from_secs(24 * 3600);
        let refused = Exceeded { limit: Limit::RecipientCooledDown, retry_at: end };
        let just_before = end - Duration::from_millis(1);
        assert_eq!(limits().allow_stranger(&recipient, just_before), Err(refused));
        assert_eq!(limits().allow_stranger(&recipient, end), Ok(()));
        let off = Limits { cool_down: Duration::ZERO, ..limits() };
        assert_eq!(off.allow_stranger(&recipient, START), Ok(()));
        assert_eq!(limits().allow_stranger(&RecipientCounters::default(), START), Ok(()));
    }

    #[test]
    fn s35_counters_are_kept_for_the_whole_cool_down() {
        let week = Duration::from_secs(7 * 24 * 3600);
        assert_eq!(Limits { cool_down: week, ..limits() }.recipient_span(), week);
    }

    #[test]
    fn a_caller_has_its_own_limits() {
        let mut caller = caller(1);
        for _ in 0..30 {
            limits().take_send(&mut caller, &mut RecipientCounters::default(), START).unwrap();
        }
        let refused = limits().take_send(&mut caller, &mut RecipientCounters::default(), START);
        assert_eq!(refused.unwrap_err().limit, Limit::CallerSends);
        for _ in 0..60 {
            limits().take_check(&mut caller, START).unwrap();
        }
        let refused = limits().take_check(&mut caller, START);
        assert_eq!(refused.unwrap_err().limit, Limit::CallerChecks);
    }

    #[test]
    fn a_wider_network_has_a_multiple_of_the_limits_and_a_refusal_is_counted_nowhere() {
        let callers = || [caller(1), caller(8)].concat();
        let [mut first, mut second] = [callers(), callers()];
        for _ in 0..60 {
            limits().take_check(&mut first, START).unwrap();
        }
        let before = first.clone();
        assert!(limits().take_check(&mut first, START).is_err());
        assert_eq!(first, before);
        for _ in 0..420 {
            second[1].counters.checks.add(Duration::from_secs(60), 1, START);
        }
        for _ in 0..60 {
            limits().take_check(&mut second, START).unwrap();
        }
        let another_address = &mut [caller(1), [second[1].clone()]].concat();
        assert!(limits().take_check(another_address, START).is_err());
    }
}
