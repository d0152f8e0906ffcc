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

/// Time that a retry leaves of the code's life at least. A code that arrives later cannot be typed in time.
pub const LEAST_LEFT: Duration = Duration::from_secs(10);

/// Shortens a wait to half of the time that is `left`, and so that [`LEAST_LEFT`] of it is left afterwards. `None` if
/// that is not possible.
pub fn within(wait: Duration, left: Duration) -> Option<Duration> {
    let latest = left.checked_sub(LEAST_LEFT).filter(|latest| !latest.is_zero())?;
    Some(wait.min(left / 2).min(latest))
}

/// Shortens `wait` by a random share of at most `part`: not at all if `jitter` is `u32::MAX`, by all of `part` if it
/// is zero.
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
        assert_eq!(within(seconds(30), seconds(14)), Some(seconds(4)));
        assert_eq!(within(seconds(10), seconds(10)), None);
        assert_eq!(within(seconds(10), seconds(3)), None);
        assert_eq!(within(seconds(2), Duration::ZERO), None);
    }
}
