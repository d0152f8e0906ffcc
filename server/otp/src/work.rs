//! Work that a caller proves before a message is sent, once its network or the server sends more than usual.
//!
//! The work is to find a number by trial. Its size doubles with each doubling of the rate. A caller that cannot
//! compute waits instead, and gets one message for each wait.

use std::time::Duration;

use crate::time::Timestamp;

/// Rounds of PBKDF2 for each trial: a fraction of a millisecond, far more than the call itself takes in a browser.
pub const ROUNDS: u32 = 1_000;

/// Time for which a demand can be met once its wait is over. With the longest wait it is less than the ten
/// minutes for which the counters of a network, and with them the number that is spent, are kept at the least.
const GRACE: Duration = Duration::from_secs(240);

/// Numbers of messages within the span of the caller's limit, from which on the next one takes work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Messages asked for from one network.
    pub network: u32,
    /// Messages that strangers have asked the server for.
    pub server: u32,
}

impl Thresholds {
    /// The work for one more message; `None` below both thresholds.
    pub fn level(self, network: u64, server: u64) -> Option<Level> {
        Level::of(network, self.network).max(Level::of(server, self.server))
    }
}

/// Size of a work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level(u8);

impl Level {
    /// The largest one, from 32 times the threshold on.
    const LARGEST: u8 = 5;

    fn of(sends: u64, threshold: u32) -> Option<Self> {
        let doublings = (sends / u64::from(threshold.max(1))).checked_ilog2()?;
        Some(Self(u8::try_from(doublings).unwrap_or(u8::MAX).min(Self::LARGEST)))
    }

    /// The level of this number.
    pub fn new(number: u8) -> Option<Self> {
        (number <= Self::LARGEST).then_some(Self(number))
    }

    /// Its number.
    pub fn number(self) -> u8 {
        self.0
    }

    /// Zero bits that the result of a trial has to begin with: 512 trials on average at the least.
    pub fn bits(self) -> u8 {
        9 + self.0
    }

    /// Wait that stands in for the work.
    pub fn wait(self) -> Duration {
        Duration::from_secs(10 << self.0)
    }
}

/// A demand of work, made at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Size of the work.
    pub level: Level,
    /// Time of the demand.
    pub at: Timestamp,
}

impl Demand {
    /// A demand after the latest one that `network` has met.
    pub fn new(level: Level, met: Timestamp, now: Timestamp) -> Self {
        Self { level, at: now.max(met + Duration::from_millis(1)) }
    }

    /// Whether meeting it is good for a message that takes work of `level`, once. Each network meets its
    /// demands in their order, so one number per network remembers all that are spent, and whoever waits
    /// instead of working gets one message for each wait, however many demands were collected.
    pub fn counts(self, level: Level, met: Timestamp, now: Timestamp) -> bool {
        self.level >= level && self.at > met && now < self.opens_at() + GRACE
    }

    /// Time from which it is met without work.
    pub fn opens_at(self) -> Timestamp {
        self.at + self.level.wait()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
    const THRESHOLDS: Thresholds = Thresholds { network: 10, server: 600 };

    fn seconds(seconds: u64) -> Timestamp {
        START + Duration::from_secs(seconds)
    }

    #[test]
    fn s33_below_the_thresholds_no_work_is_asked_for() {
        assert_eq!(THRESHOLDS.level(0, 0), None);
        assert_eq!(THRESHOLDS.level(9, 599), None);
    }

    #[test]
    fn s33_the_work_doubles_with_the_rate_of_the_network_or_of_the_server() {
        let level = |network, server| THRESHOLDS.level(network, server).map(Level::number);
        assert_eq!([level(10, 0), level(19, 0), level(20, 0)], [Some(0), Some(0), Some(1)]);
        assert_eq!([level(0, 600), level(0, 2_400), level(25, 600)], [Some(0), Some(2), Some(1)]);
        assert_eq!(level(u64::MAX, 0), Some(5));
        let sizes = |number| Level::new(number).map(|level| (level.bits(), level.wait().as_secs()));
        assert_eq!([sizes(0), sizes(1)], [Some((9, 10)), Some((10, 20))]);
        assert_eq!([sizes(5), sizes(6)], [Some((14, 320)), None]);
        assert!(Level(5).wait() + GRACE < Duration::from_secs(600));
    }

    #[test]
    fn s33_a_demand_counts_once_and_for_its_level_and_time_only() {
        let [low, high] = [0, 1].map(Level);
        let demand = Demand::new(low, Timestamp::default(), START);
        assert_eq!(demand.opens_at(), seconds(10));
        assert!(demand.counts(low, Timestamp::default(), START));
        assert!(!demand.counts(high, Timestamp::default(), START), "it has become harder");
        assert!(!demand.counts(low, demand.at, START), "it is spent");
        assert!(demand.counts(low, Timestamp::default(), seconds(249)));
        assert!(!demand.counts(low, Timestamp::default(), seconds(250)), "it has expired");
    }

    #[test]
    fn s33_demands_that_were_collected_are_met_one_at_a_time() {
        let level = Level(0);
        let collected = [0, 1, 2].map(|at| Demand::new(level, Timestamp::default(), seconds(at)));
        let met = collected[2].at;
        assert!(collected.iter().all(|demand| !demand.counts(level, met, seconds(20))));
        let next = Demand::new(level, met, met);
        assert!(next.counts(level, met, met), "even at the same millisecond");
    }
}
