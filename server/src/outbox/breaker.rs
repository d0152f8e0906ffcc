//! Leaving somebody alone who keeps failing.
//!
//! Without it, every message that an outage holds up would wait for the time-outs of whoever is
//! broken, several times, while others could be served.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use otp::Timestamp;

/// Failures in a row after which somebody is left alone.
const FAILURES: u32 = 5;
/// For how long. The first message after that finds out whether it is back.
const REST: Duration = Duration::from_secs(30);

/// How one receiver of messages has done lately.
#[derive(Debug, Default)]
pub struct Breaker(Mutex<Record>);

#[derive(Debug, Default)]
struct Record {
    failures: u32,
    rests_until: Timestamp,
}

impl Breaker {
    /// Until when it is left alone, if it is at `now`.
    pub fn rests_until(&self, now: Timestamp) -> Option<Timestamp> {
        Some(self.record().rests_until).filter(|until| now < *until)
    }

    /// It has taken a message.
    pub fn succeeded(&self) {
        *self.record() = Record::default();
    }

    /// It has not taken a message, which was tried at `now`.
    pub fn failed(&self, now: Timestamp) {
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
        (0..times).for_each(|_| breaker.failed(START));
        breaker
    }

    #[test]
    fn s25_who_has_failed_five_times_in_a_row_is_left_alone_and_asked_again_later() {
        assert_eq!(failing(4).rests_until(START), None);
        let breaker = failing(5);
        assert_eq!(breaker.rests_until(START), Some(START + REST));
        assert!(breaker.rests_until(START + REST - Duration::from_millis(1)).is_some());
        assert_eq!(breaker.rests_until(START + REST), None);
        breaker.failed(START + REST);
        assert!(breaker.rests_until(START + REST).is_some(), "it has failed again");
    }

    #[test]
    fn a_success_forgets_what_was_before_it() {
        let breaker = failing(5);
        breaker.succeeded();
        assert_eq!(breaker.rests_until(START), None);
        (0..4).for_each(|_| breaker.failed(START));
        assert_eq!(breaker.rests_until(START), None);
    }
}
