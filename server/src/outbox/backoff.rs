//! Waits between the tries of a message.

use std::time::Duration;

/// Exponential back-off with jitter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The wait after the first failure; doubled with each further one.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
}

impl Backoff {
    /// The wait after failure number `tries` (from 1): between half and all of the doubled wait.
    ///
    /// `jitter` is a uniform number. It spreads the messages that an outage has delayed.
    pub fn wait(self, tries: u32, jitter: u32) -> Duration {
        let doubled = self.first.saturating_mul(1 << tries.saturating_sub(1).min(20));
        with_jitter(doubled.min(self.longest), 0.5, jitter)
    }
}

/// Shortens a wait to half of the time that is `left`, so that a try is made before that time is over. `None` if
/// too little is left for another one.
pub fn within(wait: Duration, left: Duration) -> Option<Duration> {
    /// A message that is sent later than this before its code expires helps nobody.
    const LEAST: Duration = Duration::from_secs(1);
    (left > LEAST).then(|| wait.min(left / 2))
}

/// Shortens `wait` by up to `part` of it: not at all if `jitter` is `u32::MAX`, by all of `part` if it is
/// zero.
pub fn with_jitter(wait: Duration, part: f64, jitter: u32) -> Duration {
    let fraction = f64::from(u32::MAX - jitter) / f64::from(u32::MAX);
    wait.saturating_sub(wait.mul_f64(part * fraction))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_keep_at_least_half() {
        let seconds = Duration::from_secs;
        let backoff = Backoff { first: seconds(2), longest: seconds(30) };
        let longest: Vec<_> = (1..=6).map(|tries| backoff.wait(tries, u32::MAX)).collect();
        assert_eq!(longest, [2, 4, 8, 16, 30, 30].map(seconds));
        let shortest: Vec<_> = (1..=6).map(|tries| backoff.wait(tries, 0)).collect();
        assert_eq!(shortest, [1, 2, 4, 8, 15, 15].map(seconds));
        assert_eq!(backoff.wait(u32::MAX, u32::MAX), seconds(30));
    }

    #[test]
    fn s25_a_wait_is_at_most_half_of_the_life_that_a_code_has_left() {
        let seconds = Duration::from_secs;
        assert_eq!(within(seconds(8), seconds(200)), Some(seconds(8)));
        assert_eq!(within(seconds(30), seconds(20)), Some(seconds(10)));
        assert_eq!(within(seconds(30), seconds(2)), Some(seconds(1)));
        assert_eq!(within(seconds(2), seconds(1)), None);
        assert_eq!(within(seconds(2), Duration::ZERO), None);
    }
}
