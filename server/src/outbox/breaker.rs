//! Leaving a provider alone that keeps failing, while there is another one.
//!
//! Without it, every message that an outage holds up would first wait for the broken provider's
//! time-outs, several times, before the next one has its turn.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use otp::Timestamp;

use super::Failure;

/// Failures in a row after which a provider is left alone.
const FAILURES: u32 = 5;
/// For how long. The first message after that finds out whether it is back.
const REST: Duration = Duration::from_secs(30);

/// How one provider has done lately.
#[derive(Debug, Default)]
pub(super) struct Breaker(Mutex<Record>);

#[derive(Debug, Default)]
struct Record {
    failures: u32,
    rests_until: Timestamp,
}

impl Breaker {
    /// Whether the provider is left alone at `now`.
    pub(super) fn rests(&self, now: Timestamp) -> bool {
        now < self.record().rests_until
    }

    /// The provider has taken a message.
    pub(super) fn succeeded(&self) {
        *self.record() = Record::default();
    }

    /// The provider has not taken a message, which was tried at `now`.
    pub(super) fn failed(&self, kind: Failure, now: Timestamp) {
        // A refusal for good is about the message or the settings, and comes from a provider that
        // answers.
        if kind == Failure::Permanent {
            return;
        }
        let mut record = self.record();
        record.failures = record.failures.saturating_add(1);
        if record.failures >= FAILURES {
            record.rests_until = now + REST;
        }
    }

    fn record(&self) -> std::sync::MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn failing(times: u32) -> Breaker {
        let breaker = Breaker::default();
        (0..times).for_each(|_| breaker.failed(Failure::Transient, START));
        breaker
    }

    #[test]
    fn s25_a_provider_rests_after_five_failures_in_a_row_and_is_asked_again_later() {
        assert!(!failing(4).rests(START));
        let breaker = failing(5);
        assert!(breaker.rests(START));
        assert!(breaker.rests(START + REST - Duration::from_millis(1)));
        assert!(!breaker.rests(START + REST));
        breaker.failed(Failure::Ambiguous, START + REST);
        assert!(breaker.rests(START + REST), "it has failed again");
    }

    #[test]
    fn a_success_forgets_what_was_before_it_and_a_refusal_is_no_failure() {
        let breaker = failing(5);
        breaker.succeeded();
        assert!(!breaker.rests(START));
        (0..4).for_each(|_| breaker.failed(Failure::Transient, START));
        breaker.failed(Failure::Permanent, START);
        assert!(!breaker.rests(START));
    }
}
