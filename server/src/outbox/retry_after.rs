//! Times before which a receiver asks not to be tried again.

use std::time::Duration;

use otp::Timestamp;

/// Longest `Retry-After` that is respected.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// The time of a `Retry-After`: seconds from now, or a date (RFC 9110, 10.2.3). `None` without a valid one.
pub fn not_before(after: Option<&str>, now: Timestamp) -> Option<Timestamp> {
    let after = after?.trim();
    let latest = now + LONGEST_WAIT;
    if !after.is_empty() && after.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number too large to parse is more than the longest wait.
        let seconds = after.parse().map_or(LONGEST_WAIT, Duration::from_secs);
        return Some((now + seconds).min(latest));
    }
    let date = jiff::fmt::rfc2822::parse(after).ok()?.timestamp().as_millisecond();
    Some(Timestamp::from_millis(date.try_into().ok()?).min(latest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half a second after a whole one.
    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_500);

    #[test]
    fn retry_after_is_read_in_both_forms_and_bounded() {
        let in_seconds = |after| Some(not_before(Some(after), NOW)?.since(NOW).as_secs_f64());
        assert_eq!(in_seconds("0"), Some(0.0));
        assert_eq!(in_seconds("120"), Some(120.0));
        // 1 700 000 000 is 14 November 2023, 22:13:20.
        assert_eq!(in_seconds("Tue, 14 Nov 2023 22:14:20 GMT"), Some(59.5));
        assert_eq!(in_seconds("Tue, 14 Nov 2023 22:00:00 GMT"), Some(0.0));
        let longest = Some(LONGEST_WAIT.as_secs_f64());
        for long in ["99999999", "99999999999999999999999", "Tue, 14 Nov 2090 22:14:20 GMT"] {
            assert_eq!(in_seconds(long), longest, "{long}");
        }
        for nothing in ["", "soon", "-5", "1.5", "14 Nov"] {
            assert_eq!(in_seconds(nothing), None, "{nothing}");
        }
    }
}
