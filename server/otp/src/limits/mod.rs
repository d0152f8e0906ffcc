//! Limits across verifications.
//!
//! Recipients are counted across all their verifications, so that opening a new one never refills
//! anything (S5); callers by address, so that one machine cannot ask for everybody's codes. Counting
//! happens inside the store's atomic step, so parallel requests cannot slip past a limit together.

use std::time::Duration;

use otp_types::Limit;

use crate::{
    copy_on_write::CopyOnWrite,
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
    pub counters: CopyOnWrite<CallerCounters>,
    /// Counters of the same identity that this step adds nothing to, and that the limits hold for as well:
    /// callers of pages are counted by themselves, and those that a back end tells of for its site.
    pub elsewhere: CopyOnWrite<CallerCounters>,
    /// Number of times that it may use up the limits on one address.
    pub times: u32,
}

/// Standing of a client towards a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The recipient was approved from it lately, or it is a back end that vouches for the person.
    Known,
    /// Any other client.
    Stranger,
}

impl Standing {
    /// The part of a recipient's quota that such clients may use up. Two fifths are out of the reach of
    /// strangers, so that they lock nobody out (S35): 2 of 5, 4 of 10, none of 1 or 2.
    fn part_of(self, quota: Quota) -> Quota {
        let kept = match self {
            Self::Known => 0,
            Self::Stranger => quota.limit / 5 * 2 + quota.limit % 5 * 2 / 5,
        };
        Quota { limit: quota.limit - kept, ..quota }
    }
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

    /// Counts one message, or nothing at all if any limit refuses it. A client's standing bounds the messages of
    /// all clients, not its own: the recipient never gets more of them for it.
    ///
    /// # Errors
    /// The first limit that refuses the message.
    pub fn take_send(
        &self,
        callers: &mut [Caller],
        recipient: &mut RecipientCounters,
        standing: Standing,
        now: Timestamp,
    ) -> Result<(), Exceeded> {
        if standing == Standing::Stranger {
            self.allow_stranger(recipient, now)?;
        }
        let quotas = (self.recipient_sends_short, self.recipient_sends_long);
        let (short, long) = (standing.part_of(quotas.0), standing.part_of(quotas.1));
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
    fn allow_stranger(
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
        let windows: Windows = (|caller| &caller.sends, |caller| &mut caller.sends);
        take(Limit::CallerSends, self.caller_sends, callers, windows, now)
    }

    /// Counts one check of the callers, whatever comes of it, or nothing at all if a limit refuses it.
    ///
    /// # Errors
    /// The callers' limit of checks.
    pub fn take_check(&self, callers: &mut [Caller], now: Timestamp) -> Result<(), Exceeded> {
        let windows: Windows = (|caller| &caller.checks, |caller| &mut caller.checks);
        take(Limit::CallerChecks, self.caller_checks, callers, windows, now)
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

/// The window of a caller that a limit is about, to be read and to be changed.
type Windows =
    (fn(&CallerCounters) -> &SlidingWindow, fn(&mut CallerCounters) -> &mut SlidingWindow);

/// Counts one event of each caller, or nothing at all if one of them has as many as it may.
fn take(
    limit: Limit,
    quota: Quota,
    callers: &mut [Caller],
    (window, window_mut): Windows,
    now: Timestamp,
) -> Result<(), Exceeded> {
    let of = |times| Quota { limit: quota.limit.saturating_mul(times), ..quota };
    for caller in &*callers {
        let (counted, elsewhere) = (window(&caller.counters), window(&caller.elsewhere));
        let quota = of(caller.times);
        let taken = if elsewhere.is_empty() {
            counted.would_take(quota, now)
        } else {
            counted.joined(elsewhere).would_take(quota, now)
        };
        refuse(limit, taken)?;
    }
    for caller in callers {
        window_mut(&mut caller.counters).add(quota.per, 1, now);
    }
    Ok(())
}

fn refuse(limit: Limit, taken: Result<(), Exhausted>) -> Result<(), Exceeded> {
    taken.map_err(|exhausted| Exceeded { limit, retry_at: exhausted.retry_at })
}

#[cfg(test)]
mod tests;
