//! Clients from which a recipient was approved lately.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Time for which an approval makes a client known.
pub const KNOWN_FOR: Duration = Duration::from_secs(90 * 24 * 3600);

/// Number of clients that are remembered of one recipient.
const CLIENTS: usize = 4;

const DAY: u64 = 24 * 3600 * 1000;

/// A keyed digest of a client and the recipient that was approved from it. It tells nothing of either, and
/// two recipients have no mark in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mark(pub u64);

/// The latest clients from which a recipient was approved, each with the day of its latest approval.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KnownClients {
    /// Latest last.
    marks: Vec<(Mark, u64)>,
}

impl KnownClients {
    /// Remembers an approval from a client, instead of the oldest one if there are too many.
    pub fn remember(&mut self, mark: Mark, now: Timestamp) {
        self.marks.retain(|(known, day)| *known != mark && until(*day) > now);
        self.marks.push((mark, now.as_millis() / DAY));
        let too_many = self.marks.len().saturating_sub(CLIENTS);
        self.marks.drain(..too_many);
    }

    /// Whether the recipient was approved from this client lately.
    pub fn contains(&self, mark: Mark, now: Timestamp) -> bool {
        self.marks.iter().any(|(known, day)| *known == mark && until(*day) > now)
    }

    /// Whether the recipient was approved lately, from any client.
    pub fn is_recent(&self, now: Timestamp) -> bool {
        self.needed_until() > now
    }

    /// Whether the recipient was approved on the day of `now` (UTC).
    pub fn is_of_today(&self, now: Timestamp) -> bool {
        self.marks.iter().any(|(_, day)| *day == now.as_millis() / DAY)
    }

    /// Whether none is remembered.
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// Time until which they are needed.
    pub fn needed_until(&self) -> Timestamp {
        self.marks.iter().map(|(_, day)| until(*day)).max().unwrap_or_default()
    }
}

/// Time until which a client is known that was approved on `day`: whole days are kept, so it ends with one.
fn until(day: u64) -> Timestamp {
    Timestamp::from_millis(day.saturating_add(1).saturating_mul(DAY)) + KNOWN_FOR
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    #[test]
    fn an_approval_of_today_and_a_recent_one_are_told_apart() {
        let mut known = KnownClients::default();
        assert!(!known.is_of_today(START) && !known.is_recent(START));
        known.remember(Mark(1), START);
        assert!(known.is_of_today(START) && known.is_recent(START));
        assert!(known.is_of_today(START + Duration::from_secs(5400)));
        let tomorrow = START + Duration::from_secs(24 * 3600);
        assert!(!known.is_of_today(tomorrow) && known.is_recent(tomorrow));
        assert!(!known.is_recent(START + KNOWN_FOR + Duration::from_secs(2 * 24 * 3600)));
    }

    #[test]
    fn s35_a_client_is_known_for_ninety_days_after_its_latest_approval() {
        let mut known = KnownClients::default();
        assert!(!known.contains(Mark(1), START));
        known.remember(Mark(1), START);
        let later = START + KNOWN_FOR;
        assert!(known.contains(Mark(1), later));
        assert!(!known.contains(Mark(2), later));
        assert!(known.needed_until() > later);
        let over = known.needed_until();
        assert!(over.since(later) <= Duration::from_secs(24 * 3600));
        assert!(!known.contains(Mark(1), over) && !known.is_recent(over));
        assert_eq!(KNOWN_FOR.as_secs(), 7_776_000);
        known.remember(Mark(1), later);
        assert!(known.contains(Mark(1), over));
    }

    #[test]
    fn s35_the_four_latest_clients_are_known() {
        let mut known = KnownClients::default();
        for mark in [1, 2, 3, 4, 1, 5] {
            known.remember(Mark(mark), START);
        }
        let found = [1, 2, 3, 4, 5].map(|mark| known.contains(Mark(mark), START));
        assert_eq!(found, [true, false, true, true, true]);
        (0..4).for_each(|_| known.remember(Mark(5), START));
        assert!(known.contains(Mark(3), START), "each is remembered once");
    }

    #[test]
    fn clients_that_are_known_no_more_are_dropped_with_the_next_approval() {
        let mut known = KnownClients::default();
        known.remember(Mark(1), START);
        known.remember(Mark(2), known.needed_until());
        assert_eq!(known.marks.len(), 1);
    }
}
