//! The server's clock, and the only place that reads the system clock.
//!
//! While the server runs it follows the monotonic clock, so steps of the wall clock have no effect. At the
//! start it is never earlier than the latest time in the store, so that setting the wall clock back does
//! not revive expired codes (S28).

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use otp::Timestamp;

/// A source of the current time.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The system clock.
    System {
        /// Time at the start.
        base: Timestamp,
        /// Monotonic clock at the start.
        started: Instant,
    },
    /// For tests: stands still until it is advanced.
    Manual(Arc<AtomicU64>),
}

impl Clock {
    /// A system clock that starts at the wall clock's time or at `latest`, whichever is later.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    pub fn system(latest: Timestamp) -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall = Timestamp::default() + wall;
        Self::System { base: wall.max(latest), started: Instant::now() }
    }

    /// A manual clock at `now`.
    pub fn manual(now: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicU64::new(now.as_millis())))
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System { base, started } => *base + started.elapsed(),
            Self::Manual(millis) => Timestamp::from_millis(millis.load(Ordering::SeqCst)),
        }
    }

    /// Advances a manual clock; does nothing to a system clock.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(millis) = self {
            let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
            millis.fetch_add(by, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s28_the_clock_never_starts_before_the_latest_time_the_store_has_seen() {
        let real = Clock::system(Timestamp::default()).now();
        let an_hour_ahead = real + Duration::from_secs(3600);
        assert!(Clock::system(an_hour_ahead).now() >= an_hour_ahead);
        assert!(Clock::system(real - Duration::from_secs(3600)).now() >= real);
    }
}
