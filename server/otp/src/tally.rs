//! Tallies: counts of a site, of a destination of a site, and of the whole server.
//!
//! They are counted across people, so a store may add to them once for many requests.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{copy_on_write::CopyOnWrite, quota::SlidingWindow, time::Timestamp};

/// One hour.
pub const HOUR: Duration = Duration::from_secs(3600);
/// 24 hours.
pub const DAY: Duration = Duration::from_secs(24 * 3600);
/// Window of [`Tally::sends`].
pub const FIVE_MINUTES: Duration = Duration::from_secs(300);
/// Days before today that a [`Daily`] remembers.
const DAYS: u64 = 14;

/// Tallies that a step reads and changes. Those that it names no key of are empty and not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tallies {
    /// Of the server.
    pub server: CopyOnWrite<Tally>,
    /// Of the site.
    pub site: CopyOnWrite<Tally>,
    /// Of the country, at the site.
    pub country: CopyOnWrite<Tally>,
    /// Of the prefix, at the site: the calling code and three digits.
    pub prefix: CopyOnWrite<Tally>,
}

impl Tallies {
    /// Counts an approval. `is_first` is whether the recipient had none today: one person raises what is usual by one
    /// a day.
    pub fn count_approval(&mut self, is_first: bool, now: Timestamp) {
        let Self { site, country, prefix, .. } = self;
        if is_first {
            for tally in [site, country, prefix] {
                tally.verified.add(u64::MAX, now);
            }
        }
    }

    /// Takes back a verification by text that has counted as one without approval from `counted` on.
    pub fn take_back(&mut self, counted: Timestamp) {
        let Self { country, prefix, .. } = self;
        for tally in [country, prefix] {
            tally.unverified.take_back(counted);
        }
    }
}

/// Counts of one site, of one destination of a site, or of the server. Each uses those that it needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// Time of the first text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Messages of all channels, in [`FIVE_MINUTES`].
    #[serde(skip_serializing_if = "SlidingWindow::is_empty")]
    pub sends: SlidingWindow,
    /// Texts.
    #[serde(skip_serializing_if = "HourAndDay::is_empty")]
    pub texts: HourAndDay,
    /// Price of the texts of a [`DAY`].
    #[serde(skip_serializing_if = "SlidingWindow::is_empty")]
    pub spent: SlidingWindow,
    /// Verifications by text that are not approved.
    #[serde(skip_serializing_if = "HourAndDay::is_empty")]
    pub unverified: HourAndDay,
    /// Approved verifications.
    #[serde(skip_serializing_if = "Daily::is_empty")]
    pub verified: Daily,
    /// Wrong checks.
    #[serde(skip_serializing_if = "Daily::is_empty")]
    pub wrong_checks: Daily,
    /// State of the destination, as the operator was told last; none while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<Closed>,
    /// Lines that were passed, each with the time at which the operator was told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) told: Vec<(Line, Timestamp)>,
}

/// State of a destination with too many verifications that are not approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closed {
    /// They begin all the same.
    Recorded,
    /// None begins.
    Refused,
}

/// A line, which the operator is told of when a count passes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// The ceiling of texts in an hour.
    HourlyTexts,
    /// The ceiling of texts in a day.
    DailyTexts,
    /// Four fifths of the daily cap of money.
    SpendingNear,
    /// The daily cap of money.
    SpendingReached,
    /// The number of wrong checks from which codes have eight digits.
    Guesses,
    /// The number of wrong checks from which codes have ten digits.
    ManyGuesses,
}

impl Tally {
    /// Whether the operator is to be told now that a line was passed: not twice within `span`.
    pub fn tells(&mut self, line: Line, span: Duration, now: Timestamp) -> bool {
        if self.is_told(line, span, now) {
            return false;
        }
        self.told.retain(|(told, _)| *told != line);
        self.told.push((line, now));
        true
    }

    /// Whether the operator was told within `span` that a line was passed.
    pub fn is_told(&self, line: Line, span: Duration, now: Timestamp) -> bool {
        self.told.iter().any(|(told, at)| *told == line && now.since(*at) < span)
    }
}

/// Events in the last hour and in the last day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HourAndDay {
    /// In an [`HOUR`].
    pub hour: SlidingWindow,
    /// In a [`DAY`].
    pub day: SlidingWindow,
}

impl HourAndDay {
    /// Counts one event.
    pub fn add(&mut self, now: Timestamp) {
        self.hour.add(HOUR, 1, now);
        self.day.add(DAY, 1, now);
    }

    /// Takes one event back that was counted at `at`.
    pub fn take_back(&mut self, at: Timestamp) {
        self.hour.take_back(HOUR, 1, at);
        self.day.take_back(DAY, 1, at);
    }

    fn is_empty(&self) -> bool {
        self.hour.is_empty() && self.day.is_empty()
    }
}

/// Events in the last 24 hours, and on each of the last days (UTC).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Daily {
    pub(crate) recent: SlidingWindow,
    /// (day since the epoch, events), oldest first, days without events left out.
    pub(crate) days: Vec<(u64, u32)>,
}

impl Daily {
    /// Counts one event. It does not count for its day if that has `most` already.
    pub fn add(&mut self, most: u64, now: Timestamp) {
        self.recent.add(DAY, 1, now);
        let newest = self.days.last().map_or(0, |(day, _)| *day);
        let today = day_of(now).max(newest);
        self.days.retain(|(day, _)| day.saturating_add(DAYS) >= today);
        match self.days.last_mut() {
            Some((day, events)) if *day == today => {
                if u64::from(*events) < most {
                    *events = events.saturating_add(1);
                }
            }
            _ => self.days.push((today, 1)),
        }
    }

    /// Number of events in the last 24 hours.
    pub fn last_day(&self, now: Timestamp) -> u64 {
        self.recent.sum(DAY, now)
    }

    /// Highest number of events on one of the 14 days before today.
    pub fn highest(&self, now: Timestamp) -> u64 {
        self.earlier(now).max().unwrap_or(0)
    }

    /// Lower median of the 14 days before today, of those from the first one with an event on.
    pub fn median(&self, now: Timestamp) -> u64 {
        let today = day_of(now);
        let first =
            self.days.iter().map(|(day, _)| *day).find(|day| *day < today && *day + DAYS >= today);
        let Some(first) = first else { return 0 };
        let mut events: Vec<_> = self.earlier(now).collect();
        let span = usize::try_from((today - first).min(DAYS)).unwrap_or(usize::MAX);
        events.resize(span, 0);
        events.sort_unstable();
        events[(events.len() - 1) / 2]
    }

    fn earlier(&self, now: Timestamp) -> impl Iterator<Item = u64> {
        let today = day_of(now);
        let earlier = self.days.iter().filter(move |(day, _)| *day < today && *day + DAYS >= today);
        earlier.map(|(_, events)| u64::from(*events))
    }

    fn is_empty(&self) -> bool {
        self.days.is_empty()
    }
}

fn day_of(time: Timestamp) -> u64 {
    time.as_millis() / 86_400_000
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_700_006_400_000);

    fn on_day(day: u32) -> Timestamp {
        START + DAY * day
    }

    fn daily(events: &[u32]) -> Daily {
        let mut daily = Daily::default();
        for (day, events) in (0..).zip(events) {
            (0..*events).for_each(|_| daily.add(u64::MAX, on_day(day)));
        }
        daily
    }

    #[test]
    fn days_are_counted_for_two_weeks_and_today_is_none_of_them() {
        let daily = daily(&[9, 0, 3, 5]);
        assert_eq!((daily.highest(on_day(3)), daily.median(on_day(3))), (9, 3));
        assert_eq!((daily.highest(on_day(4)), daily.median(on_day(4))), (9, 3));
        assert_eq!(daily.last_day(on_day(3)), 5 + 3);
        assert_eq!((daily.highest(on_day(14)), daily.highest(on_day(15))), (9, 5));
        assert_eq!((daily.median(on_day(15)), daily.median(on_day(18))), (0, 0));
        assert_eq!(Daily::default().median(START), 0);
        // Days of more than two weeks ago are not the first ones.
        let weeks = self::daily(&[5, 0, 0, 0, 0, 0, 0, 0, 0, 5, 5, 5, 5, 5, 5]);
        assert_eq!((weeks.median(on_day(14)), weeks.median(on_day(15))), (0, 5));
    }

    #[test]
    fn events_beyond_the_most_of_a_day_do_not_count_for_it() {
        let mut daily = Daily::default();
        (0..9).for_each(|_| daily.add(4, START));
        assert_eq!((daily.last_day(START), daily.highest(on_day(1))), (9, 4));
    }

    #[test]
    fn s33_one_person_raises_what_is_verified_by_one_a_day() {
        let mut tallies = Tallies::default();
        for is_first in [true, false, false] {
            tallies.count_approval(is_first, START);
        }
        assert_eq!(tallies.prefix.verified.last_day(START), 1);
    }

    #[test]
    fn a_daily_has_constant_size() {
        let daily = daily(&[1; 100]);
        assert_eq!(daily.days.len(), 15);
    }

    #[test]
    fn the_operator_is_told_once_in_a_span() {
        let mut tally = Tally::default();
        assert!(tally.tells(Line::Guesses, DAY, START));
        assert!(tally.tells(Line::ManyGuesses, DAY, START));
        assert!(!tally.tells(Line::Guesses, DAY, START + HOUR));
        assert!(tally.tells(Line::Guesses, DAY, on_day(1)));
        assert_eq!(tally.told.len(), 2);
    }

    #[test]
    fn a_day_is_stored_after_the_events_of_its_last_hour_were_taken_back() {
        let mut tally = Tally::default();
        tally.unverified.add(START);
        tally.unverified.add(START + HOUR * 2);
        tally.unverified.take_back(START + HOUR * 2);
        assert!(tally.unverified.hour.is_empty());
        let stored = serde_json::to_string(&tally).unwrap();
        let stored: Tally = serde_json::from_str(&stored).unwrap();
        assert_eq!(stored.unverified.day.sum(DAY, START + HOUR * 2), 1);
    }

    #[test]
    fn an_empty_tally_takes_no_room_in_its_row() {
        assert_eq!(serde_json::to_string(&Tally::default()).unwrap(), "{}");
        let mut tally = Tally::default();
        tally.texts.add(START);
        tally.verified.add(u64::MAX, START);
        tally.tells(Line::HourlyTexts, HOUR, START);
        let stored = serde_json::to_string(&tally).unwrap();
        assert_eq!(serde_json::from_str::<Tally>(&stored).unwrap(), tally);
    }
}
