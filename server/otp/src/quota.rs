//! Counting events in a sliding window, in constant memory.
//!
//! A window is cut into twenty slots. An event is counted in the slot it falls into, and a slot
//! leaves the sum only when all of it is older than the window. So no stretch of the window's
//! length ever holds more events than the limit; the price is that an exhausted quota opens up to
//! one slot, a twentieth of the window, later than an exact log would.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

const SLOTS: u64 = 20;

/// At most `limit` events in any stretch of `per`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// How many events.
    pub limit: u32,
    /// In which time; a second at the least.
    pub per: Duration,
}

/// Length of a slot in milliseconds.
fn slot_millis(per: Duration) -> u64 {
    let per = u64::try_from(per.as_millis()).unwrap_or(u64::MAX);
    (per / SLOTS).max(1)
}

/// The refusal of an exhausted quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted {
    /// When at least one event will be allowed again.
    pub retry_at: Timestamp,
}

/// The events of the last window of one quota.
///
/// A window does not know its quota: the configuration may change it between two takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlidingWindow {
    /// (slot, events in it), oldest first, empty slots left out.
    pub(crate) slots: Vec<(u64, u32)>,
}

impl SlidingWindow {
    /// Whether one more event would fit, without counting it.
    ///
    /// # Errors
    /// [`Exhausted`] if it would not.
    pub fn would_take(&self, quota: Quota, now: Timestamp) -> Result<(), Exhausted> {
        let total = self.sum(quota.per, now);
        if total < u64::from(quota.limit) {
            return Ok(());
        }
        // As slots leave from the oldest on, find the one whose leaving makes room for one event.
        let mut over = total - u64::from(quota.limit) + 1;
        let mut leaving = self.current_slot(quota.per, now);
        for (slot, events) in self.recent(quota.per, now) {
            leaving = *slot;
            over = over.saturating_sub(u64::from(*events));
            if over == 0 {
                break;
            }
        }
        let millis = leaving.saturating_add(SLOTS + 1).saturating_mul(slot_millis(quota.per));
        Err(Exhausted { retry_at: Timestamp::from_millis(millis) })
    }

    /// Counts one event, if the quota has room for it.
    ///
    /// # Errors
    /// [`Exhausted`] if it has none; nothing is counted then.
    pub fn take(&mut self, quota: Quota, now: Timestamp) -> Result<(), Exhausted> {
        self.would_take(quota, now)?;
        self.add(quota.per, 1, now);
        Ok(())
    }

    /// Number of events within `per` before `now`.
    pub fn sum(&self, per: Duration, now: Timestamp) -> u64 {
        self.recent(per, now).map(|(_, events)| u64::from(*events)).sum()
    }

    /// The events of both windows, which are of one quota.
    #[must_use]
    pub fn joined(&self, other: &Self) -> Self {
        let mut slots = [self.slots.as_slice(), &other.slots].concat();
        slots.sort_unstable();
        slots.dedup_by(|(later, more), (slot, events)| {
            let is_same = later == slot;
            if is_same {
                *events = events.saturating_add(*more);
            }
            is_same
        });
        Self { slots }
    }

    /// Counts events without a limit.
    pub fn add(&mut self, per: Duration, events: u32, now: Timestamp) {
        let current = self.current_slot(per, now);
        self.slots.retain(|(slot, _)| slot.saturating_add(SLOTS) >= current);
        match self.slots.last_mut() {
            Some((slot, counted)) if *slot == current => *counted = counted.saturating_add(events),
            _ => self.slots.push((current, events)),
        }
    }

    /// Takes events back that were counted at `at`. Those that cannot be found in their slot stay.
    pub fn take_back(&mut self, per: Duration, events: u32, at: Timestamp) {
        let counted_in = at.as_millis() / slot_millis(per);
        for (slot, counted) in &mut self.slots {
            if *slot == counted_in {
                *counted = counted.saturating_sub(events);
            }
        }
        self.slots.retain(|(_, counted)| *counted > 0);
    }

    /// Whether no event is counted, be it older than the window.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Forgets all events.
    pub fn clear(&mut self) {
        self.slots.clear();
    }

    /// The slot of `now`; never before the newest slot that has events, so that a clock stepped
    /// back does not make room (S28).
    fn current_slot(&self, per: Duration, now: Timestamp) -> u64 {
        let newest = self.slots.last().map_or(0, |(slot, _)| *slot);
        (now.as_millis() / slot_millis(per)).max(newest)
    }

    fn recent(&self, per: Duration, now: Timestamp) -> impl Iterator<Item = &(u64, u32)> {
        let current = self.current_slot(per, now);
        self.slots.iter().filter(move |(slot, _)| slot.saturating_add(SLOTS) >= current)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIVE_IN_TEN_MINUTES: Quota = Quota { limit: 5, per: Duration::from_secs(600) };
    const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    #[test]
    fn the_event_after_the_limit_is_refused_until_the_time_it_names() {
        let mut window = SlidingWindow::default();
        for _ in 0..5 {
            window.take(FIVE_IN_TEN_MINUTES, START).unwrap();
        }
        let Exhausted { retry_at } = window.take(FIVE_IN_TEN_MINUTES, START).unwrap_err();
        let wait = retry_at.since(START);
        assert!(wait >= Duration::from_secs(600) && wait <= Duration::from_secs(630), "{wait:?}");
        let just_before = retry_at - Duration::from_millis(1);
        assert_eq!(window.take(FIVE_IN_TEN_MINUTES, just_before), Err(Exhausted { retry_at }));
        assert_eq!(window.take(FIVE_IN_TEN_MINUTES, retry_at), Ok(()));
    }

    #[test]
    fn a_refusal_names_the_time_at_which_enough_events_have_left() {
        let (mut window, slot) = (SlidingWindow::default(), Duration::from_secs(30));
        for number in 0..5 {
            window.take(FIVE_IN_TEN_MINUTES, START + slot * number).unwrap();
        }
        let retry_at = |limit| {
            let quota = Quota { limit, ..FIVE_IN_TEN_MINUTES };
            window.would_take(quota, START + slot * 4).unwrap_err().retry_at
        };
        // Of five events one has to leave, of a lower limit as many more.
        let [one, two, five] = [5, 4, 1].map(retry_at);
        assert_eq!((two.since(one), five.since(one)), (slot, slot * 4));
        assert_eq!(retry_at(0), five);
        assert!(
            one > START + FIVE_IN_TEN_MINUTES.per && one <= START + FIVE_IN_TEN_MINUTES.per + slot
        );
    }

    #[test]
    fn events_that_are_taken_back_are_those_of_their_time() {
        let (mut window, per) = (SlidingWindow::default(), Duration::from_secs(600));
        let later = START + Duration::from_secs(60);
        window.add(per, 3, START);
        window.add(per, 2, later);
        window.take_back(per, 1, START);
        assert_eq!(window.sum(per, later), 4);
        window.take_back(per, 9, START);
        window.take_back(per, 1, START + Duration::from_secs(120));
        assert_eq!(window.sum(per, later), 2);
        window.take_back(per, 2, later);
        assert!(window.is_empty());
    }

    #[test]
    fn a_cleared_tally_is_as_good_as_new() {
        let mut window = SlidingWindow::default();
        for _ in 0..5 {
            window.take(FIVE_IN_TEN_MINUTES, START).unwrap();
        }
        window.clear();
        assert_eq!(window, SlidingWindow::default());
    }

    #[test]
    fn s28_a_clock_stepped_back_makes_no_room() {
        let mut window = SlidingWindow::default();
        for _ in 0..5 {
            window.take(FIVE_IN_TEN_MINUTES, START).unwrap();
        }
        let an_hour_earlier = START - Duration::from_secs(3600);
        assert!(window.take(FIVE_IN_TEN_MINUTES, an_hour_earlier).is_err());
    }

    #[test]
    fn joined_windows_hold_the_events_of_both() {
        let [mut one, mut other, mut both] = <[SlidingWindow; 3]>::default();
        for (number, minutes) in [0, 1, 1, 3, 8].into_iter().enumerate() {
            let now = START + Duration::from_secs(60 * minutes);
            let window = if number % 2 == 0 { &mut one } else { &mut other };
            window.add(FIVE_IN_TEN_MINUTES.per, 1, now);
            both.add(FIVE_IN_TEN_MINUTES.per, 1, now);
        }
        assert_eq!(one.joined(&other), both);
        assert_eq!(other.joined(&one), both);
        assert_eq!(one.joined(&SlidingWindow::default()), one);
    }

    proptest! {
        /// The naive model keeps every instant and counts.
        #[test]
        fn no_stretch_of_the_window_holds_more_than_the_limit(
            limit in 1_u32..8,
            steps in prop::collection::vec(0_u64..20_000, 1..200),
        ) {
            let quota = Quota { limit, per: Duration::from_secs(60) };
            let mut window = SlidingWindow::default();
            let mut taken: Vec<u64> = Vec::new();
            let mut now = START;
            for step in steps {
                now = now + Duration::from_millis(step);
                if let Err(Exhausted { retry_at }) = window.take(quota, now) {
                    // Refused only where an exact log with one more slot would be full too.
                    let since = now.as_millis() - 63_000;
                    let recent = taken.iter().filter(|at| **at > since).count();
                    prop_assert!(recent >= limit as usize);
                    prop_assert!(retry_at > now);
                } else {
                    taken.push(now.as_millis());
                }
                let since = now.as_millis() - 60_000;
                let recent = taken.iter().filter(|at| **at > since).count();
                prop_assert!(recent <= limit as usize);
                prop_assert!(window.slots.len() <= 21);
            }
        }
    }
}
