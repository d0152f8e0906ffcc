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
}
