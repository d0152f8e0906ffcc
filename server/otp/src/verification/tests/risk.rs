//! Lengths of codes: what is reserved for them, what is given back, and codes that have become too short.

use super::*;
use crate::risk::{Reservations, Risk};

const HOUR: Duration = Duration::from_secs(3600);

/// Digits of the next code of somebody who has this reserved.
fn next(reserved: &Reservations, now: Timestamp) -> u8 {
    pending().next_length(reserved, 0, now)
}

#[test]
fn s34_the_newest_code_is_reserved_and_the_next_one_is_as_long_as_the_rest_demands() {
    let mut reserved = Reservations::default();
    let verification = pending();
    assert_eq!(verification.next_length(&reserved, 8, START), 8, "the site's codes are longer");
    let mut expected = Reservations::default();
    for lengths in [6, 6, 6] {
        assert_eq!(next(&reserved, START), lengths);
        verification.reserve(&mut reserved, HOUR);
        expected.reserve(6, 5, START + HOUR);
    }
    assert_eq!(reserved, expected);
    assert_eq!(next(&reserved, START + HOUR), 8);

    let mut longer = pending();
    longer.resend(Channel::Email, &code("87654321"), &peppers(), START + WAIT).unwrap();
    longer.reserve(&mut reserved, HOUR);
    expected.reserve(8, 5, START + WAIT + HOUR);
    assert_eq!(reserved, expected);
    assert_eq!(longer.next_length(&Reservations::default(), 0, START), 8, "never shorter again");
}

#[test]
fn s34_an_approval_gives_back_what_was_not_guessed_of_every_code() {
    let mut verification = pending();
    let mut reserved = Reservations::default();
    verification.reserve(&mut reserved, HOUR);
    verification.resend(Channel::Email, &code("87654321"), &peppers(), START + WAIT).unwrap();
    verification.reserve(&mut reserved, HOUR);
    for wrong in ["00000000", "00000001"] {
        check(&mut verification, wrong, START + WAIT);
    }
    verification.give_back(&mut reserved, HOUR);
    let mut guessed = Reservations::default();
    guessed.reserve(6, 2, START + HOUR);
    guessed.reserve(8, 2, START + WAIT + HOUR);
    for (length, checks) in [(6, 1_000_000), (6, 13), (6, 14), (8, 398), (8, 399)] {
        let of = |reserved: &Reservations| {
            reserved.next_length(length, checks, Risk::DEFAULT, START + HOUR)
        };
        assert_eq!(of(&reserved), of(&guessed), "{length} {checks}");
    }
}

#[test]
fn s34_codes_that_have_become_too_short_end_at_once_and_the_next_one_waits_for_nothing() {
    let now = START + WAIT / 2;
    let mut verification = pending();
    let end = verification.expires_at();
    verification.withdraw_codes_shorter_than(6, now);
    assert!(!verification.is_code_withdrawn());
    assert_eq!(verification.resend_at(), START + WAIT);

    verification.withdraw_codes_shorter_than(7, now);
    assert!(verification.is_code_withdrawn());
    assert_eq!((verification.code_expires_at(), verification.resend_at()), (now, now));
    assert_eq!(verification.expires_at(), end, "the verification lasts as long as it would have");
    assert_eq!(check(&mut verification, "123456", now), Outcome::Expired);
    let withdrawn = verification.clone();
    verification.withdraw_codes_shorter_than(7, now + MILLISECOND);
    assert_eq!(verification, withdrawn, "once");
    verification.resend(Channel::Email, &code("7654321"), &peppers(), now).unwrap();
    assert!(!verification.is_code_withdrawn());
    assert_eq!(check(&mut verification, "7654321", now), Outcome::Approved);
}

#[test]
fn s34_a_code_that_has_expired_or_is_over_is_not_withdrawn() {
    let expiry = START + LIFETIME;
    let mut expired = pending();
    expired.withdraw_codes_shorter_than(7, expiry);
    assert!(!expired.is_code_withdrawn());
    expired.withdraw_codes_shorter_than(7, expiry - MILLISECOND);
    assert!(expired.is_code_withdrawn(), "one millisecond before it is");
    let mut canceled = pending();
    canceled.cancel(START);
    let before = canceled.clone();
    canceled.withdraw_codes_shorter_than(7, START);
    assert_eq!(canceled, before);
}
