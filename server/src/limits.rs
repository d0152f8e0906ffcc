//! What is counted, under which key, and how much of it is allowed.
//!
//! Recipients are counted across all their verifications, so that opening a new one never refills
//! anything (S5); callers by address, so that one machine cannot ask for everybody's codes. Counting
//! happens inside the store's atomic step, so parallel requests cannot slip past a limit together.

use std::{net::IpAddr, time::Duration};

use otp::{
    Recipient, Timestamp,
    quota::{Counters, Quota},
};

use crate::{derived_keys::Pseudonyms, store::CounterKey};

/// How much is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Messages to one recipient, each of the windows.
    pub recipient_sends: [Quota; 2],
    /// Wrong checks for one recipient; a right one clears them.
    pub recipient_wrong_checks: Quota,
    /// Messages asked for from one address.
    pub caller_sends: Quota,
    /// Checks from one address.
    pub caller_checks: Quota,
}

/// What ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Messages to one recipient.
    RecipientSends,
    /// Wrong checks for one recipient.
    RecipientChecks,
    /// Messages asked for from one address.
    CallerSends,
    /// Checks from one address.
    CallerChecks,
}

/// The refusal of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// Which limit.
    pub limit: Limit,
    /// When asking again can help.
    pub retry_at: Timestamp,
}

// Tallies of a recipient's account: one for each window of the sends, then the wrong checks.
const WRONG_CHECKS: usize = 2;
// Tallies of a caller's account.
const SENDS: usize = 0;
const CHECKS: usize = 1;

impl Limits {
    /// The key under which a recipient of a site is counted.
    pub fn recipient_key(
        &self,
        names: &Pseudonyms,
        site: &str,
        recipient: &Recipient,
        now: Timestamp,
    ) -> CounterKey {
        let sends = self.recipient_sends.map(|quota| quota.per);
        let longest = sends.into_iter().fold(self.recipient_wrong_checks.per, Duration::max);
        CounterKey { digest: names.recipient(site, recipient), expires_at: now + longest * 2 }
    }

    /// The key under which a caller is counted.
    pub fn caller_key(&self, names: &Pseudonyms, address: IpAddr, now: Timestamp) -> CounterKey {
        let longest = self.caller_sends.per.max(self.caller_checks.per);
        CounterKey { digest: names.caller(address), expires_at: now + longest * 2 }
    }

    /// Counts one message, or nothing at all where any limit refuses it.
    ///
    /// A recipient whose wrong checks are spent gets no message either: nobody could use its code.
    pub fn take_send(
        &self,
        recipient: &mut Counters,
        mut caller: Option<&mut Counters>,
        now: Timestamp,
    ) -> Result<(), Exceeded> {
        if let Some(caller) = &mut caller {
            refuse(Limit::CallerSends, caller.window(SENDS).would_take(self.caller_sends, now))?;
        }
        for (index, quota) in self.recipient_sends.into_iter().enumerate() {
            refuse(Limit::RecipientSends, recipient.window(index).would_take(quota, now))?;
        }
        self.allow_check(recipient, now)?;
        if let Some(caller) = caller {
            self.take_call(caller, now)?;
        }
        for (index, quota) in self.recipient_sends.into_iter().enumerate() {
            refuse(Limit::RecipientSends, recipient.window(index).take(quota, now))?;
        }
        Ok(())
    }

    /// Counts one message of a caller, whoever it is for.
    pub fn take_call(&self, caller: &mut Counters, now: Timestamp) -> Result<(), Exceeded> {
        refuse(Limit::CallerSends, caller.window(SENDS).take(self.caller_sends, now))
    }

    /// Counts one check of a caller, whatever comes of it.
    pub fn take_check(&self, caller: &mut Counters, now: Timestamp) -> Result<(), Exceeded> {
        refuse(Limit::CallerChecks, caller.window(CHECKS).take(self.caller_checks, now))
    }

    /// Whether a recipient may have one more wrong check.
    pub fn allow_check(&self, recipient: &mut Counters, now: Timestamp) -> Result<(), Exceeded> {
        let window = recipient.window(WRONG_CHECKS);
        refuse(Limit::RecipientChecks, window.would_take(self.recipient_wrong_checks, now))
    }

    /// Counts one wrong check of a recipient, which [`Limits::allow_check`] has allowed.
    pub fn count_wrong_check(&self, recipient: &mut Counters, now: Timestamp) {
        // Allowed in the same atomic step, so this cannot be refused.
        let _ = recipient.window(WRONG_CHECKS).take(self.recipient_wrong_checks, now);
    }

    /// Forgets a recipient's wrong checks, because the right code came.
    pub fn clear_wrong_checks(&self, recipient: &mut Counters) {
        recipient.window(WRONG_CHECKS).clear();
    }
}

fn refuse(limit: Limit, taken: Result<(), otp::quota::Exhausted>) -> Result<(), Exceeded> {
    taken.map_err(|exhausted| Exceeded { limit, retry_at: exhausted.retry_at })
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn limits() -> Limits {
        let quota = |limit, seconds| Quota { limit, per: Duration::from_secs(seconds) };
        Limits {
            recipient_sends: [quota(5, 600), quota(10, 3600)],
            recipient_wrong_checks: quota(30, 24 * 3600),
            caller_sends: quota(30, 300),
            caller_checks: quota(60, 60),
        }
    }

    #[test]
    fn a_refused_message_is_counted_nowhere() {
        let (mut recipient, mut caller) = (Counters::default(), Counters::default());
        for _ in 0..5 {
            limits().take_send(&mut recipient, Some(&mut caller), START).unwrap();
        }
        let before = (recipient.clone(), caller.clone());
        let refused = limits().take_send(&mut recipient, Some(&mut caller), START).unwrap_err();
        assert_eq!(refused.limit, Limit::RecipientSends);
        assert_eq!((recipient, caller), before);
    }

    #[test]
    fn the_longer_window_refuses_after_the_shorter_one_has_opened_again() {
        let (mut recipient, mut caller) = (Counters::default(), Counters::default());
        let mut now = START;
        for _ in 0..2 {
            for _ in 0..5 {
                limits().take_send(&mut recipient, Some(&mut caller), now).unwrap();
            }
            now = now + Duration::from_secs(700);
        }
        let refused = limits().take_send(&mut recipient, Some(&mut caller), now).unwrap_err();
        assert!(refused.retry_at >= START + Duration::from_secs(3600));
    }

    #[test]
    fn s5_a_recipient_whose_wrong_checks_are_spent_gets_no_further_message() {
        let (mut recipient, mut caller) = (Counters::default(), Counters::default());
        for _ in 0..30 {
            limits().allow_check(&mut recipient, START).unwrap();
            limits().count_wrong_check(&mut recipient, START);
        }
        let refused = limits().allow_check(&mut recipient, START).unwrap_err();
        assert_eq!(refused.limit, Limit::RecipientChecks);
        let refused = limits().take_send(&mut recipient, Some(&mut caller), START).unwrap_err();
        assert_eq!(refused.limit, Limit::RecipientChecks);
        limits().clear_wrong_checks(&mut recipient);
        assert!(limits().take_send(&mut recipient, Some(&mut caller), START).is_ok());
    }

    #[test]
    fn a_caller_has_its_own_limits() {
        let mut caller = Counters::default();
        for _ in 0..30 {
            limits().take_send(&mut Counters::default(), Some(&mut caller), START).unwrap();
        }
        let refused = limits().take_send(&mut Counters::default(), Some(&mut caller), START);
        assert_eq!(refused.unwrap_err().limit, Limit::CallerSends);
        for _ in 0..60 {
            limits().take_check(&mut caller, START).unwrap();
        }
        let refused = limits().take_check(&mut caller, START);
        assert_eq!(refused.unwrap_err().limit, Limit::CallerChecks);
    }
}
