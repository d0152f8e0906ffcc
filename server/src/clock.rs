//! The server's clock, and the only place that reads the system's clocks.
//!
//! The time runs with the clock that counts from the boot and goes on in suspends (`CLOCK_BOOTTIME`), and
//! follows the wall clock forward: a code is as old as it is after a suspend, and a server that started
//! before its clock was set issues no tokens that have expired already. It never goes back, not over a
//! restart either: it starts at the latest time in the store, if that is later, so that setting
//! the wall clock back does not revive expired codes (S28).
//!
//! A wall clock that is far away from that time is wrong or was wrong before, and either would reach into
//! everything that comes after. So a server refuses to start on it until the operator accepts it (S37), and
//! a running one does not follow it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use otp::Timestamp;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// Longest pause of a server that needs no word of the operator, and longest leap of the wall clock
/// that a running one follows.
const LONGEST_LEAP: Duration = Duration::from_secs(90 * 24 * 3600);
/// Most that the wall clock may be behind the latest time in the store.
const LONGEST_STEP_BACK: Duration = DAY;

/// A source of the current time.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The system's clocks.
    System(Arc<SystemClock>),
    /// For tests: stands still until it is advanced.
    Manual(Arc<AtomicU64>),
}

/// The wall clock is too far from the latest time in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the machine's clock says {}, and the latest time in the database is {}; set the clock, or, if it is \
     right, start once with --accept-clock",
    utc(*wall), utc(*latest)
)]
pub struct ClockRefused {
    /// Time of the wall clock.
    pub wall: Timestamp,
    /// Latest time in the store.
    pub latest: Timestamp,
}

impl Clock {
    /// A system clock that starts at the wall clock's time or at `latest`, whichever is later. With
    /// `accept` it starts at the wall clock's time however far that is from `latest`.
    ///
    /// # Errors
    /// [`ClockRefused`], without `accept`.
    pub fn system(latest: Timestamp, accept: bool) -> Result<Self, ClockRefused> {
        let start = match start(wall(), latest) {
            Err(refused) if accept => refused.wall,
            start => start?,
        };
        Ok(Self::System(Arc::new(SystemClock::starting_at(start))))
    }

    /// Whether a server could start on the wall clock with a store that has seen `latest`.
    ///
    /// # Errors
    /// [`ClockRefused`].
    pub fn is_credible(latest: Timestamp) -> Result<(), ClockRefused> {
        start(wall(), latest).map(|_| ())
    }

    /// A manual clock at `now`.
    pub fn manual(now: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicU64::new(now.as_millis())))
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System(system) => {
                // In this order: a pause in between must not make the wall clock look ahead.
                let wall = wall();
                system.time(wall, system.started.elapsed())
            }
            Self::Manual(millis) => Timestamp::from_millis(millis.load(Ordering::SeqCst)),
        }
    }

    /// Distance from another machine's time; none for a manual clock, which tells no machine's.
    pub fn distance(&self, other: Timestamp) -> Duration {
        match self {
            Self::System(_) => self.now().since(other).max(other.since(self.now())),
            Self::Manual(_) => Duration::ZERO,
        }
    }

    /// Distance of the wall clock from another machine's time.
    pub fn distance_of_wall(other: Timestamp) -> Duration {
        wall().since(other).max(other.since(wall()))
    }

    /// Advances a manual clock; does nothing to a system clock.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(millis) = self {
            let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
            millis.fetch_add(by, Ordering::SeqCst);
        }
    }
}

/// A clock that runs with the time since boot and follows the wall clock forward.
#[derive(Debug)]
pub struct SystemClock {
    started: Stopwatch,
    /// Milliseconds from the epoch to the start, as known by now; never reduced, so that the time goes on at
    /// its rate after the wall clock was ahead for a while.
    origin: AtomicU64,
    has_warned: AtomicBool,
}

impl SystemClock {
    fn starting_at(start: Timestamp) -> Self {
        Self {
            started: Stopwatch::start(),
            origin: AtomicU64::new(start.as_millis()),
            has_warned: AtomicBool::new(false),
        }
    }

    /// The time at which the wall clock says `wall`, `elapsed` after the start.
    fn time(&self, wall: Timestamp, elapsed: Duration) -> Timestamp {
        let own = Timestamp::from_millis(self.origin.load(Ordering::Relaxed)) + elapsed;
        if wall <= own {
            return own;
        }
        if wall.since(own) > LONGEST_LEAP {
            if !self.has_warned.swap(true, Ordering::Relaxed) {
                let (wall, own) = (utc(wall), utc(own));
                tracing::error!(
                    wall,
                    own,
                    "the machine's clock has leapt and is not followed; set it, or, if it is right, \
                     start again once with --accept-clock"
                );
            }
            return own;
        }
        let origin = (wall - elapsed).as_millis();
        let before = self.origin.fetch_max(origin, Ordering::Relaxed);
        Timestamp::from_millis(before.max(origin)) + elapsed
    }
}

/// The time at which to start, where the two are close enough. A store that has seen no time yet believes
/// any.
fn start(wall: Timestamp, latest: Timestamp) -> Result<Timestamp, ClockRefused> {
    let is_new = latest == Timestamp::default();
    let is_close = wall.since(latest) <= LONGEST_LEAP && latest.since(wall) <= LONGEST_STEP_BACK;
    if is_new || is_close { Ok(wall.max(latest)) } else { Err(ClockRefused { wall, latest }) }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
fn wall() -> Timestamp {
    Timestamp::default() + SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Time that includes suspends.
#[cfg(target_os = "linux")]
#[derive(Debug)]
struct Stopwatch(rustix::time::Timespec);

#[cfg(target_os = "linux")]
impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    fn start() -> Self {
        Self(rustix::time::clock_gettime(rustix::time::ClockId::Boottime))
    }

    fn elapsed(&self) -> Duration {
        let elapsed = Self::start().0 - self.0;
        elapsed.try_into().unwrap_or_default()
    }
}

/// Time of the monotonic clock, which stops in suspends on some systems.
#[cfg(not(target_os = "linux"))]
#[derive(Debug)]
struct Stopwatch(std::time::Instant);

#[cfg(not(target_os = "linux"))]
impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    fn start() -> Self {
        Self(std::time::Instant::now())
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// A time for people, in UTC to the second.
fn utc(time: Timestamp) -> String {
    let seconds = i64::try_from(time.as_millis() / 1000).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
    const SECOND: Duration = Duration::from_secs(1);
    const HOUR: Duration = Duration::from_secs(3600);

    fn seconds(number: u32) -> Duration {
        SECOND * number
    }

    #[test]
    fn s28_the_clock_never_starts_before_the_latest_time_the_store_has_seen() {
        let real = Clock::system(Timestamp::default(), false).unwrap().now();
        let an_hour_ahead = real + HOUR;
        assert!(Clock::system(an_hour_ahead, false).unwrap().now() >= an_hour_ahead);
        assert!(Clock::system(real - HOUR, false).unwrap().now() >= real);
    }

    #[test]
    fn s28_a_suspend_counts_although_the_wall_clock_does_not_tell_it() {
        let clock = SystemClock::starting_at(START);
        assert_eq!(clock.time(START, Duration::ZERO), START);
        // Not set yet after the suspend of an hour.
        assert_eq!(clock.time(START + SECOND, HOUR), START + HOUR);
    }

    #[test]
    fn s28_a_clock_that_was_an_hour_behind_is_followed_forward() {
        let clock = SystemClock::starting_at(START);
        assert_eq!(clock.time(START + SECOND, SECOND), START + SECOND);
        assert_eq!(clock.time(START + HOUR + seconds(2), seconds(2)), START + HOUR + seconds(2));
        assert_eq!(clock.time(START + HOUR + seconds(3), seconds(3)), START + HOUR + seconds(3));
    }

    #[test]
    fn s28_a_clock_that_is_set_back_is_not_followed_and_time_goes_on() {
        let clock = SystemClock::starting_at(START);
        assert_eq!(clock.time(START - HOUR, SECOND), START + SECOND);
        // An hour ahead for a moment, and right again: neither back nor still.
        assert_eq!(clock.time(START + HOUR, seconds(2)), START + HOUR);
        assert_eq!(clock.time(START + seconds(3), seconds(3)), START + HOUR + SECOND);
        assert_eq!(clock.time(START + seconds(63), seconds(63)), START + HOUR + seconds(61));
    }

    #[test]
    fn s37_a_running_clock_does_not_follow_a_leap_of_years() {
        let clock = SystemClock::starting_at(START);
        let years_ahead = START + LONGEST_LEAP + seconds(2);
        assert_eq!(clock.time(years_ahead, SECOND), START + SECOND);
        assert_eq!(clock.time(START + seconds(2), seconds(2)), START + seconds(2));
        // The longest leap that is.
        let months_ahead = START + seconds(3) + LONGEST_LEAP;
        assert_eq!(clock.time(months_ahead, seconds(3)), months_ahead);
    }

    #[test]
    fn s37_a_wall_clock_far_from_the_store_is_refused_in_both_directions() {
        assert_eq!(start(START, Timestamp::default()), Ok(START), "a new store believes any");
        assert_eq!(start(START + LONGEST_LEAP, START), Ok(START + LONGEST_LEAP));
        assert_eq!(start(START - DAY, START), Ok(START));
        let late = start(START + LONGEST_LEAP + SECOND, START).unwrap_err();
        assert_eq!(
            late.to_string(),
            "the machine's clock says 2024-02-12T22:13:21Z, and the latest time in the database is \
             2023-11-14T22:13:20Z; set the clock, or, if it is right, start once with --accept-clock"
        );
        assert!(start(START - DAY - SECOND, START).is_err());
    }

    #[test]
    fn s37_an_accepted_clock_is_followed_in_both_directions() {
        let real = Clock::system(Timestamp::default(), false).unwrap().now();
        for latest in [real + LONGEST_LEAP, real - LONGEST_LEAP - HOUR] {
            assert!(Clock::system(latest, false).is_err());
            let accepted = Clock::system(latest, true).unwrap().now();
            assert!(accepted.since(real) < HOUR && accepted >= real, "{accepted:?}");
        }
    }
}
