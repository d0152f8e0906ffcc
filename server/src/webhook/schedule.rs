//! Retry schedule of events: soon at first, for short outages, then less often over a day, which gives
//! people the time for a repair.

use std::time::Duration;

use crate::outbox::with_jitter;

/// The wait after each failure.
const WAITS: [Duration; 7] = [
    Duration::from_secs(5),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 3600),
    Duration::from_secs(5 * 3600),
    Duration::from_secs(8 * 3600),
    Duration::from_secs(8 * 3600),
];
/// Part of a wait that is random, to spread the events that an outage has delayed.
const JITTER: f64 = 0.2;

/// Age at which an event is discarded, even if its receiver has asked to wait.
pub(super) const MAX_AGE: Duration = Duration::from_secs(3 * 24 * 3600);

/// The wait after failure number `tries` (from 1); `None` after the last one. `jitter` is a uniform
/// number.
pub(super) fn wait_after(tries: u32, jitter: u32) -> Option<Duration> {
    let wait = WAITS.get(tries.checked_sub(1)? as usize)?;
    Some(with_jitter(*wait, JITTER, jitter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_over_a_day_and_then_end() {
        let waits: Vec<_> = (1..).map_while(|tries| wait_after(tries, u32::MAX)).collect();
        assert_eq!(waits, WAITS);
        let hours = |waits: &[Duration]| waits.iter().sum::<Duration>().as_secs_f64() / 3600.0;
        assert!((23.0..24.0).contains(&hours(&waits)), "{}", hours(&waits));
        let shortest: Vec<_> = (1..).map_while(|tries| wait_after(tries, 0)).collect();
        assert!((18.0..19.0).contains(&hours(&shortest)), "{}", hours(&shortest));
        assert_eq!(wait_after(0, 0), None);
        assert_eq!(wait_after(u32::MAX, 0), None);
    }
}
