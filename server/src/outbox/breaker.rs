//! Circuit breaker for one provider or webhook receiver.
//!
//! Without it, every message of an outage would wait for the time-outs of the broken receiver, several
//! times, and delay the messages to others.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use otp::Timestamp;

/// Consecutive failures that open the breaker.
const FAILURES: u32 = 5;
/// How long the breaker stays open. The next message then probes the receiver.
const OPEN: Duration = Duration::from_secs(30);

/// Counts the consecutive failures of one receiver and stays open for a while after too many.
#[derive(Debug, Default)]
pub struct Breaker(Mutex<Record>);

#[derive(Debug, Default)]
struct Record {
    failures: u32,
    open_until: Timestamp,
}

impl Breaker {
    /// The time until which the breaker is open; `None` if it is closed at `now`.
    pub fn open_until(&self, now: Timestamp) -> Option<Timestamp> {
        Some(self.record().open_until).filter(|until| now < *until)
    }

    /// Records that the receiver is asked at `now`. Lets one try through: until its result, others still find the
    /// breaker open.
    pub fn asked(&self, now: Timestamp) {
        let mut record = self.record();
        if record.failures >= FAILURES {
            record.open_until = record.open_until.max(now + OPEN);
        }
    }

    /// Records an answer to what was asked, which closes the breaker.
    pub fn succeeded(&self) {
        *self.record() = Record::default();
    }

    /// Records a failed try at `now`.
    pub fn failed(&self, now: Timestamp) {
        let mut record = self.record();
        record.failures = record.failures.saturating_add(1);
        if record.failures >= FAILURES {
            record.open_until = now + OPEN;
        }
    }

    /// Records a failure at `now` that retries cannot change, and opens the breaker at once.
    pub fn refused(&self, now: Timestamp) {
        let mut record = self.record();
        record.failures = record.failures.max(FAILURES);
        record.open_until = now + OPEN;
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
    fn s25_five_failures_in_a_row_open_the_breaker_for_a_while() {
        assert_eq!(failing(4).open_until(START), None);
        let breaker = failing(5);
        assert_eq!(breaker.open_until(START), Some(START + OPEN));
        assert!(breaker.open_until(START + OPEN - Duration::from_millis(1)).is_some());
        assert_eq!(breaker.open_until(START + OPEN), None);
        breaker.failed(START + OPEN);
        assert!(breaker.open_until(START + OPEN).is_some(), "the next failure opens it again");
    }

    #[test]
    fn s25_one_try_alone_probes_a_receiver_that_was_left_alone() {
        let breaker = failing(5);
        let end = START + OPEN;
        assert_eq!(breaker.open_until(end), None);
        breaker.asked(end);
        assert_eq!(breaker.open_until(end), Some(end + OPEN));
        breaker.succeeded();
        assert_eq!(breaker.open_until(end), None);
        breaker.asked(end);
        assert_eq!(breaker.open_until(end), None, "it is closed");
    }

    #[test]
    fn s25_a_refusal_opens_the_breaker_at_once() {
        let breaker = Breaker::default();
        breaker.refused(START);
        assert_eq!(breaker.open_until(START), Some(START + OPEN));
        breaker.succeeded();
        assert_eq!(breaker.open_until(START), None);
    }

    #[test]
    fn a_success_closes_the_breaker_and_resets_its_count() {
        let breaker = failing(5);
        breaker.succeeded();
        assert_eq!(breaker.open_until(START), None);
        (0..4).for_each(|_| breaker.failed(START));
        assert_eq!(breaker.open_until(START), None);
    }
}
