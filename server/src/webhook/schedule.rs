//! When an event that was not taken is posted again.
//!
//! Close together at first, since most receivers are away for a moment, then ever further apart
//! over a day, which gives people the time to repair one.

use std::time::Duration;

use crate::outbox::shortened;

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
/// How much of a wait chance may take away, so that what one outage has held up comes back spread.
const SPREAD: f64 = 0.2;

/// Nobody is told of an event that is older than this, however often its receiver has asked to wait.
pub(super) const OLDEST: Duration = Duration::from_secs(3 * 24 * 3600);

/// The wait after failure number `tries` (from 1); `None` after the last one. `jitter` is a uniform
/// number.
pub(super) fn wait_after(tries: u32, jitter: u32) -> Option<Duration> {
    let wait = WAITS.get(tries.checked_sub(1)? as usize)?;
    Some(shortened(*wait, SPREAD, jitter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_over_a_day_and_then_there_is_no_more() {
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
