//! Countdowns by the server's clock.
//!
//! The browser's clock may be wrong by hours, so it is only used to measure the time since a response
//! with the server's `now` arrived. Each tick computes the remaining time anew, so a tab that was
//! suspended is right again at once.

/// The server's clock in the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerClock {
    server: u64,
    browser: u64,
}

impl ServerClock {
    /// The server's time was `server` at the browser's time `browser`, both in milliseconds.
    pub fn set(server: u64, browser: u64) -> Self {
        Self { server, browser }
    }

    /// The server's time at the browser's time `browser`, both in milliseconds. Never before the time
    /// that it was set to, even if the browser's clock is set back.
    pub fn at(&self, browser: u64) -> u64 {
        self.server.saturating_add(browser.saturating_sub(self.browser))
    }
}

/// Whole seconds from `now` to `until`, both in milliseconds, rounded up; zero after `until`.
pub fn seconds_left(until: u64, now: u64) -> u64 {
    until.saturating_sub(now).div_ceil(1000)
}

/// Seconds formatted as `0:07`, `4:32` or `1:00:00`.
pub fn clock_face(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let two = |n: u64| if n < 10 { format!("0{n}") } else { n.to_string() };
    if hours == 0 {
        [minutes.to_string(), two(seconds)].join(":")
    } else {
        [hours.to_string(), two(minutes), two(seconds)].join(":")
    }
}

/// Phases of the countdown. Screen readers announce a change of phase, not every second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// More than five minutes.
    Plenty,
    /// Five minutes or less.
    FiveMinutes,
    /// One minute or less.
    OneMinute,
    /// Half a minute or less.
    HalfAMinute,
    /// No time is left.
    Over,
}

impl Phase {
    /// The phase with this many seconds left.
    pub fn of(seconds: u64) -> Self {
        match seconds {
            0 => Self::Over,
            1..=30 => Self::HalfAMinute,
            31..=60 => Self::OneMinute,
            61..=300 => Self::FiveMinutes,
            _ => Self::Plenty,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_browser_clock_that_is_wrong_by_hours_changes_nothing() {
        let clock = ServerClock::set(1_000_000, 99_000_000_000);
        assert_eq!(clock.at(99_000_004_000), 1_004_000);
    }

    #[test]
    fn a_suspended_tab_resumes_with_the_right_time() {
        let clock = ServerClock::set(0, 0);
        assert_eq!(seconds_left(300_000, clock.at(1_000)), 299);
        assert_eq!(seconds_left(300_000, clock.at(3_600_000)), 0);
    }

    #[test]
    fn seconds_are_rounded_up_so_that_zero_means_expired() {
        assert_eq!(seconds_left(300_000, 299_999), 1);
        assert_eq!(seconds_left(300_000, 300_000), 0);
    }

    #[test]
    fn time_is_shown_as_on_a_clock() {
        assert_eq!(clock_face(0), "0:00");
        assert_eq!(clock_face(7), "0:07");
        assert_eq!(clock_face(272), "4:32");
        assert_eq!(clock_face(3600), "1:00:00");
        assert_eq!(clock_face(36_061), "10:01:01");
    }

    #[test]
    fn a_phase_begins_exactly_at_its_bound() {
        assert_eq!(Phase::of(301), Phase::Plenty);
        assert_eq!(Phase::of(300), Phase::FiveMinutes);
        assert_eq!(Phase::of(60), Phase::OneMinute);
        assert_eq!(Phase::of(30), Phase::HalfAMinute);
        assert_eq!(Phase::of(0), Phase::Over);
    }

    proptest! {
        #[test]
        fn the_servers_time_never_runs_backwards(server: u64, set: u64, a: u64, b: u64) {
            let clock = ServerClock::set(server, set);
            prop_assert!(clock.at(a.min(b)) <= clock.at(a.max(b)));
            prop_assert!(clock.at(a) >= server);
        }
    }
}
