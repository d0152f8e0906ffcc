//! Guesses spread over the recipients of a site.
//!
//! [`crate::risk`] bounds the guesses at one recipient. Five guesses at each of 100,000 recipients stay
//! within that and still find a code or two of six digits. So a site's codes grow when it has many more
//! wrong checks than usual, whoever makes them (S34): of eight digits from 300 more on, and of ten from
//! 10,000 more on. The guesses of a day then find less than one code in a thousand days.

use crate::{
    alert::Alert,
    code::MAX_LENGTH,
    tally::{DAY, Line, Tally},
    time::Timestamp,
};

/// Wrong checks in a day above the usual number, from which on codes have this many digits.
const TIERS: [(u64, u8, Line); 2] =
    [(10_000, MAX_LENGTH, Line::ManyGuesses), (300, 8, Line::Guesses)];

/// Usual number of wrong checks of a site in a day: the median of the last two weeks, and no more than a fifth
/// of the usual approvals, so that nobody can make wrong checks usual who has no right ones.
fn usual(site: &Tally, now: Timestamp) -> u64 {
    site.wrong_checks.median(now).min(site.verified.median(now) / 5)
}

/// Fewest digits of a code that a site's wrong checks allow; none if there are few. They stay for a day, so
/// that a few more guesses do not end the open codes again and again.
pub fn shortest_code(site: &Tally, now: Timestamp) -> u8 {
    let over = site.wrong_checks.last_day(now).saturating_sub(usual(site, now));
    let holds = |(from, _, line): &(u64, u8, Line)| over >= *from || site.is_told(*line, DAY, now);
    TIERS.into_iter().find(holds).map_or(0, |(_, length, _)| length)
}

/// Counts a wrong check at a site; an alert if its codes grow from now on. A day with many guesses does not
/// count as a usual one.
pub fn count_wrong_check(site: &mut Tally, name: &str, now: Timestamp) -> Option<Alert> {
    let usual = usual(site, now);
    site.wrong_checks.add(usual + 300, now);
    let wrong = site.wrong_checks.last_day(now);
    let passed = |(from, ..): &(u64, u8, Line)| wrong.saturating_sub(usual) >= *from;
    let (_, length, line) = TIERS.into_iter().find(passed)?;
    let alert = || Alert::GuessesUnusual { site: name.to_owned(), wrong, usual, length };
    site.tells(line, DAY, now).then(alert)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_700_006_400_000);

    /// Counts wrong checks and gives the alerts.
    fn guess(site: &mut Tally, times: u32, now: Timestamp) -> Vec<Alert> {
        (0..times).filter_map(|_| count_wrong_check(site, "shop", now)).collect()
    }

    #[test]
    fn s34_codes_grow_with_the_wrong_checks_and_the_operator_is_told_once() {
        let mut site = Tally::default();
        assert_eq!((guess(&mut site, 299, START), shortest_code(&site, START)), (vec![], 0));
        let alert =
            |wrong, length| Alert::GuessesUnusual { site: "shop".into(), wrong, usual: 0, length };
        assert_eq!(guess(&mut site, 2, START), [alert(300, 8)]);
        assert_eq!(shortest_code(&site, START), 8);
        assert_eq!(guess(&mut site, 10_000, START), [alert(10_000, 10)]);
        assert_eq!(shortest_code(&site, START), 10);
        assert_eq!(shortest_code(&site, START + DAY + DAY / 20), 0);
    }

    #[test]
    fn s34_the_usual_number_is_that_of_days_without_guessing() {
        let mut site = Tally::default();
        let day = |day: u32| START + DAY * day;
        for number in 0..7 {
            guess(&mut site, 400, day(number));
            (0..2000).for_each(|_| site.verified.add(u64::MAX, day(number)));
        }
        // It learns no more than it tolerates, from day to day.
        assert_eq!(usual(&site, day(7)), 400);
        guess(&mut site, 50_000, day(7));
        assert!(usual(&site, day(8)) <= 400);
        assert_eq!(shortest_code(&site, day(7)), 10);
    }

    #[test]
    fn s34_a_day_of_many_guesses_counts_as_one_with_a_few_more_than_usual() {
        let mut site = Tally::default();
        for number in 0..7 {
            guess(&mut site, 400, START + DAY * number);
            (0..2000).for_each(|_| site.verified.add(u64::MAX, START + DAY * number));
        }
        guess(&mut site, 50_000, START + DAY * 7);
        assert_eq!(site.wrong_checks.highest(START + DAY * 8), 400 + 300);
    }

    #[test]
    fn s34_no_more_wrong_checks_are_usual_than_a_fifth_of_the_approvals() {
        let mut site = Tally::default();
        guess(&mut site, 200, START);
        (0..100).for_each(|_| site.verified.add(u64::MAX, START));
        assert_eq!(usual(&site, START + DAY), 20);
    }

    #[test]
    fn s34_longer_codes_stay_for_a_day_even_when_the_count_falls_below_the_line() {
        let mut site = Tally::default();
        guess(&mut site, 150, START);
        let later = START + DAY / 2;
        assert_eq!(guess(&mut site, 150, later).len(), 1);
        // The first half has left the window.
        let below = START + DAY + DAY / 10;
        assert_eq!((site.wrong_checks.last_day(below), shortest_code(&site, below)), (150, 8));
        assert_eq!(shortest_code(&site, later + DAY), 0);
    }

    #[test]
    fn s34_wrong_checks_alone_are_never_usual() {
        let mut site = Tally::default();
        for day in 0..14 {
            guess(&mut site, 299, START + DAY * day);
        }
        assert_eq!(usual(&site, START + DAY * 14), 0);
    }

    #[test]
    fn s34_a_run_over_many_recipients_is_expected_to_find_less_than_one_code_in_a_thousand_days() {
        let mut site = Tally::default();
        let mut found = 0.0;
        for _ in 0..500_000 {
            let length = shortest_code(&site, START).max(6);
            found += 10_f64.powi(-i32::from(length));
            count_wrong_check(&mut site, "shop", START);
        }
        assert!(found < 1e-3, "{found}");
    }
}
