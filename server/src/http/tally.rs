//! Count of events that strangers can cause as often as they like.
//!
//! A log line for each would let them fill the disk. The first is logged at once, and then one line a
//! minute, with the number of events since the line before.

use std::{
    mem,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Shortest time between two lines.
const EVERY: Duration = Duration::from_secs(60);

/// Events of one kind.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    count: u64,
    logged: Option<Instant>,
}

impl Tally {
    /// Counts an event. Returns the number of events that a line should tell now, if there should be one.
    pub(super) fn count(&self) -> Option<u64> {
        let now = Instant::now();
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.count += 1;
        if inner.logged.is_some_and(|logged| now < logged + EVERY) {
            return None;
        }
        inner.logged = Some(now);
        Some(mem::take(&mut inner.count))
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_first_event_is_told_at_once_and_the_others_once_a_minute() {
        let tally = Tally::default();
        assert_eq!(tally.count(), Some(1));
        for _ in 0..1000 {
            assert_eq!(tally.count(), None);
        }
        advance(EVERY).await;
        assert_eq!(tally.count(), Some(1001));
        assert_eq!(tally.count(), None);
        advance(10 * EVERY).await;
        assert_eq!(tally.count(), Some(2));
    }
}
