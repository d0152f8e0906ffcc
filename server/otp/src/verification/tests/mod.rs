//! Boundary tests of the state machine, and a comparison with a naive model.

mod risk;

use std::time::Duration;

use proptest::prelude::*;
use rand::rngs::SysRng;

use otp_types::CodeProblem;

use super::*;
use crate::{claim::Claim, digest::Pepper, policy};

pub(super) const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const LIFETIME: Duration = Duration::from_secs(300);
/// Wait before the first resend.
const WAIT: Duration = Duration::from_secs(30);
const MILLISECOND: Duration = Duration::from_millis(1);

pub(super) fn peppers() -> Peppers {
    Peppers::new([Pepper::new([7; 32])]).unwrap()
}

pub(super) fn code(digits: &str) -> Code {
    Code::parse(digits).unwrap()
}

fn opened(draft: policy::Draft, digits: &str) -> Verification {
    opened_for("jo@example.com", draft, digits)
}

/// By the recipient's usual channel.
fn opened_for(recipient: &str, draft: policy::Draft, digits: &str) -> Verification {
    let recipient = Recipient::parse(recipient, None, None).unwrap();
    let channel = recipient.channels()[0];
    let opening = Opening {
        id: VerificationId::generate(START, &mut SysRng).unwrap(),
        site: "demo".into(),
        recipient,
        purpose: "sign-up".into(),
        locale: "en".into(),
        policy: Policy::new(draft).unwrap(),
        details: Details::default(),
    };
    Verification::open(opening, channel, &code(digits), &peppers(), START)
}

pub(super) fn pending() -> Verification {
    opened(policy::Draft::default(), "123456")
}

fn check(verification: &mut Verification, digits: &str, now: Timestamp) -> Outcome {
    verification.check(digits, None, &peppers(), now)
}

#[test]
fn s2_a_code_passes_one_millisecond_before_its_expiry_and_fails_at_it() {
    let expiry = START + LIFETIME;
    assert_eq!(check(&mut pending(), "123456", expiry - MILLISECOND), Outcome::Approved);
    assert_eq!(check(&mut pending(), "123456", expiry), Outcome::Expired);
}

#[test]
fn s35_a_recipient_ends_a_verification_once_and_undoes_no_approval() {
    let mut verification = pending();
    assert!(verification.disown(START));
    assert!(!verification.disown(START + MILLISECOND));
    assert_eq!(verification.finished_at(), Some(START));
    assert_eq!(check(&mut verification, "123456", START), Outcome::Canceled);
    let mut approved = pending();
    check(&mut approved, "123456", START);
    assert!(approved.disown(START) && approved.is_disowned());
    assert_eq!(approved.state(START), State::Approved);
    let mut expired = pending();
    let end = expired.expires_at();
    assert!(expired.disown(end) && expired.is_disowned());
    assert_eq!((expired.state(end), expired.finished_at()), (State::Expired, None));
}

#[test]
fn s31_the_proof_is_claimed_by_the_check_that_is_approved_and_by_no_other() {
    let claims = [1, 2, 3].map(|_| Claim::generate(&mut SysRng).unwrap().digest());
    let [early, approving, late] = claims;
    let mut verification = pending();
    for (digits, claim, claimed) in [
        ("000000", early, [false, false, false]),
        ("123456", approving, [false, true, false]),
        ("123456", late, [false, true, false]),
    ] {
        verification.check(digits, Some(claim), &peppers(), START);
        assert_eq!(claims.map(|claim| verification.is_claimed_by(&claim)), claimed);
    }
    let stored = serde_json::to_string(&verification).unwrap();
    assert_eq!(serde_json::from_str::<Verification>(&stored).unwrap(), verification);
}

#[test]
fn s31_without_a_claim_the_proof_is_claimed_by_nobody() {
    let mut verification = pending();
    let claim = Claim::generate(&mut SysRng).unwrap().digest();
    check(&mut verification, "123456", START);
    assert_eq!(verification.check("123456", Some(claim), &peppers(), START), Outcome::AlreadyUsed);
    assert!(!verification.is_claimed_by(&claim));
    // Like every record of an earlier version.
    let stored = serde_json::to_string(&verification).unwrap();
    assert!(!stored.contains("claim"));
    assert_eq!(serde_json::from_str::<Verification>(&stored).unwrap(), verification);
}

#[test]
fn s3_the_right_code_is_approved_once_and_then_already_used() {
    let mut verification = pending();
    assert_eq!(check(&mut verification, "123456", START), Outcome::Approved);
    assert_eq!(check(&mut verification, "123456", START), Outcome::AlreadyUsed);
    assert_eq!(verification.state(START + LIFETIME * 100), State::Approved);
}

#[test]
fn s4_the_budget_is_the_number_of_wrong_codes_that_are_ever_compared() {
    let mut verification = pending();
    for attempts_left in (0..5).rev() {
        let wrong = format!("00000{attempts_left}");
        assert_eq!(check(&mut verification, &wrong, START), Outcome::Incorrect { attempts_left });
    }
    assert_eq!(verification.state(START), State::MaxAttemptsReached);
    assert_eq!(check(&mut verification, "123456", START), Outcome::TooManyAttempts);
}

#[test]
fn s4_the_same_wrong_code_again_costs_nothing_until_there_is_a_new_code() {
    let mut verification = pending();
    assert_eq!(check(&mut verification, "135790", START), Outcome::Incorrect { attempts_left: 4 });
    for same in ["135790", " 135-790 "] {
        let outcome = check(&mut verification, same, START);
        assert_eq!(outcome, Outcome::AlreadyTried { attempts_left: 4 });
    }
    let stored = serde_json::to_string(&verification).unwrap();
    assert!(!stored.contains("135790"));
    let mut verification: Verification = serde_json::from_str(&stored).unwrap();
    assert_eq!(check(&mut verification, "000001", START), Outcome::Incorrect { attempts_left: 3 });
    assert_eq!(
        check(&mut verification, "135790", START),
        Outcome::AlreadyTried { attempts_left: 3 }
    );

    // It may be the new one, so it is a guess like any other.
    let later = START + Duration::from_secs(30);
    let mut lucky = verification.clone();
    lucky.resend(Channel::Email, &code("135790"), &peppers(), later).unwrap();
    assert_eq!(check(&mut lucky, "135790", later), Outcome::Approved);
    verification.resend(Channel::Email, &code("654321"), &peppers(), later).unwrap();
    assert_eq!(check(&mut verification, "135790", later), Outcome::Incorrect { attempts_left: 2 });
    assert_eq!(check(&mut verification, "123456", later), Outcome::Approved);
    assert!(!serde_json::to_string(&verification).unwrap().contains("refused"), "rows are small");
}

#[test]
fn s5_a_resent_code_leaves_the_budget_of_checks_as_it_was() {
    let mut verification = pending();
    check(&mut verification, "000000", START);
    let later = START + Duration::from_secs(30);
    verification.resend(Channel::Email, &code("654321"), &peppers(), later).unwrap();
    assert_eq!(check(&mut verification, "000000", later), Outcome::Incorrect { attempts_left: 3 });
}

#[test]
fn the_code_before_a_resend_stays_valid_for_its_own_lifetime() {
    let later = START + Duration::from_secs(30);
    let mut verification = pending();
    verification.resend(Channel::Email, &code("654321"), &peppers(), later).unwrap();
    let last_moment = START + LIFETIME - MILLISECOND;
    assert_eq!(check(&mut verification.clone(), "123456", last_moment), Outcome::Approved);
    let expired = Outcome::Incorrect { attempts_left: 4 };
    assert_eq!(check(&mut verification.clone(), "123456", START + LIFETIME), expired);
    assert_eq!(check(&mut verification, "654321", START + LIFETIME), Outcome::Approved);
}

#[test]
fn a_third_code_ends_the_first() {
    let mut verification = pending();
    let second = START + Duration::from_secs(30);
    let third = second + Duration::from_secs(40);
    verification.resend(Channel::Email, &code("222222"), &peppers(), second).unwrap();
    verification.resend(Channel::Email, &code("333333"), &peppers(), third).unwrap();
    let first_code = check(&mut verification.clone(), "123456", third);
    assert_eq!(first_code, Outcome::Incorrect { attempts_left: 4 });
    assert_eq!(check(&mut verification.clone(), "222222", third), Outcome::Approved);
    assert_eq!(check(&mut verification, "333333", third), Outcome::Approved);
}

#[test]
fn with_one_live_code_a_resend_ends_the_code_before_it() {
    let mut verification =
        opened(policy::Draft { live_codes: 1, ..policy::Draft::default() }, "123456");
    let later = START + Duration::from_secs(30);
    verification.resend(Channel::Email, &code("654321"), &peppers(), later).unwrap();
    let old = check(&mut verification.clone(), "123456", later);
    assert_eq!(old, Outcome::Incorrect { attempts_left: 4 });
    assert_eq!(check(&mut verification, "654321", later), Outcome::Approved);
}

#[test]
fn s34_a_longer_code_ends_those_before_it() {
    let mut verification = pending();
    let later = START + Duration::from_secs(30);
    verification.resend(Channel::Email, &code("87654321"), &peppers(), later).unwrap();
    assert_eq!(verification.code_length(), 8);
    let expected = Outcome::Malformed { expected: 8, problem: CodeProblem::TooShort };
    assert_eq!(check(&mut verification, "123456", later), expected);
    let stored = serde_json::to_string(&verification).unwrap();
    let mut read: Verification = serde_json::from_str(&stored).unwrap();
    assert_eq!(read, verification);
    assert_eq!(check(&mut read, "87654321", later), Outcome::Approved);
}

#[test]
fn a_code_of_another_length_is_malformed_and_costs_nothing() {
    for (code_length, right, wrong, problem) in [
        (4, "1234", "12345", CodeProblem::TooLong),
        (5, "12345", "123456", CodeProblem::TooLong),
        (10, "1234567890", "123456", CodeProblem::TooShort),
    ] {
        let mut verification =
            opened(policy::Draft { code_length, ..policy::Draft::default() }, right);
        for (typed, problem) in
            [(wrong, problem), ("", CodeProblem::Empty), ("abcdefghij", CodeProblem::NotDigits)]
        {
            let malformed = Outcome::Malformed { expected: code_length, problem };
            assert_eq!(check(&mut verification, typed, START), malformed);
        }
        assert_eq!(verification.attempts_left(), 5);
        assert_eq!(check(&mut verification, right, START), Outcome::Approved);
    }
}

#[test]
fn a_person_whose_code_has_expired_may_ask_for_another_while_the_window_is_open() {
    let mut verification = pending();
    let later = START + LIFETIME;
    assert_eq!(check(&mut verification, "000000", later), Outcome::Expired);
    assert_eq!(verification.attempts_left(), 5, "no live code, nothing compared");
    verification.resend(Channel::Email, &code("654321"), &peppers(), later).unwrap();
    assert_eq!(check(&mut verification, "654321", later), Outcome::Approved);
}

#[test]
fn after_the_window_the_verification_is_expired_for_good() {
    let mut verification = pending();
    verification.record_delivery(1, DeliveryState::Sent, 1);
    let end = START + Duration::from_secs(900);
    assert_eq!(verification.state(end - MILLISECOND), State::Pending);
    assert_eq!(verification.state(end), State::Expired);
    let resent = verification.resend(Channel::Email, &code("654321"), &peppers(), end);
    assert_eq!(resent, Err(ResendRefused::Finished(State::Expired)));
}

#[test]
fn a_resend_waits_its_time_and_ends_with_the_budget_of_sends() {
    let mut verification = pending();
    let mut now = START;
    for wait in [30, 40, 60, 90] {
        let at = now + Duration::from_secs(wait);
        let early =
            verification.resend(Channel::Email, &code("222222"), &peppers(), at - MILLISECOND);
        assert_eq!(early, Err(ResendRefused::TooEarly { at }));
        verification.resend(Channel::Email, &code("222222"), &peppers(), at).unwrap();
        now = at;
    }
    let sixth = verification.resend(Channel::Email, &code("222222"), &peppers(), now + LIFETIME);
    assert_eq!(sixth, Err(ResendRefused::NoSendsLeft));
}

#[test]
fn a_recipient_gets_codes_by_the_channels_of_its_kind_alone() {
    let later = START + LIFETIME;
    let phone = opened_for("+447400123456", policy::Draft::default(), "123456");
    for channel in Channel::ALL.iter().copied() {
        let (right, wrong) =
            if channel.is_of_phones() { (&phone, &pending()) } else { (&pending(), &phone) };
        assert_eq!(right.may_resend(channel, later), Ok(()));
        assert_eq!(wrong.may_resend(channel, later), Err(ResendRefused::WrongChannel));
    }
}

#[test]
fn s25_providers_of_another_channel_are_not_avoided() {
    let mut verification = opened_for("+447400123456", policy::Draft::default(), "123456");
    verification.record_provider(1, "texts");
    for (channel, seconds, avoided) in [
        (Channel::Voice, 60, &[][..]),
        (Channel::Voice, 120, &["calls"]),
        (Channel::Sms, 200, &["texts"]),
    ] {
        let later = START + Duration::from_secs(seconds);
        verification.resend(channel, &code("654321"), &peppers(), later).unwrap();
        let found: Vec<_> = verification.earlier_providers().collect();
        assert_eq!(found, avoided, "{channel:?}");
        if channel == Channel::Voice {
            verification.record_provider(verification.send_count(), "calls");
        }
    }
}

#[test]
fn s6_an_approval_proves_the_channel_of_the_code_that_was_right() {
    let later = START + Duration::from_secs(60);
    let switched = || {
        let mut verification = opened_for("+447400123456", policy::Draft::default(), "123456");
        verification.resend(Channel::Whatsapp, &code("654321"), &peppers(), later).unwrap();
        verification
    };
    assert_eq!(switched().proven_channel(), Channel::Whatsapp, "as long as none is right");
    for (typed, channel) in [("123456", Channel::Sms), ("654321", Channel::Whatsapp)] {
        let mut verification = switched();
        assert_eq!(check(&mut verification, typed, later), Outcome::Approved);
        assert_eq!(verification.proven_channel(), channel, "{typed}");
        let stored = serde_json::to_value(&verification).unwrap();
        let read: Verification = serde_json::from_value(stored).unwrap();
        assert_eq!(read, verification);
    }
    // As an earlier version stored it.
    let mut verification = switched();
    check(&mut verification, "123456", later);
    let mut stored = serde_json::to_value(&verification).unwrap();
    stored["finished"].as_object_mut().unwrap().remove("channel").unwrap();
    let read: Verification = serde_json::from_value(stored).unwrap();
    assert_eq!(read.proven_channel(), Channel::Whatsapp);
}

#[test]
fn a_canceled_verification_takes_no_code() {
    let mut verification = pending();
    verification.cancel(START);
    assert_eq!(check(&mut verification, "123456", START), Outcome::Canceled);
    let mut approved = pending();
    check(&mut approved, "123456", START);
    approved.cancel(START);
    assert_eq!(approved.state(START), State::Approved);
}

#[test]
fn s24_delivery_never_goes_backwards() {
    let mut verification = pending();
    verification.record_delivery(1, DeliveryState::Sent, 2);
    verification.record_delivery(1, DeliveryState::Accepted, 1);
    assert_eq!(verification.last_send().delivery, DeliveryState::Sent);
    assert_eq!(verification.last_send().tries, 2);
    verification.record_delivery(1, DeliveryState::Undelivered, 2);
    verification.record_delivery(1, DeliveryState::Delivered, 2);
    assert_eq!(verification.last_send().delivery, DeliveryState::Delivered);
    for unknown in [0, 2, u32::MAX] {
        verification.record_delivery(unknown, DeliveryState::Sent, 1);
    }
}

#[test]
fn each_message_has_the_provider_that_took_it() {
    let mut verification = pending();
    verification.record_provider(1, "first");
    verification.resend(Channel::Email, &code("654321"), &peppers(), START + WAIT).unwrap();
    verification.record_provider(2, "second");
    for unknown in [0, 3, u32::MAX] {
        verification.record_provider(unknown, "none");
    }
    let providers = [1, 2].map(|number| verification.send(number).unwrap().provider.as_deref());
    assert_eq!(providers, [Some("first"), Some("second")]);
    assert_eq!(verification.earlier_providers().collect::<Vec<_>>(), ["first"]);
}

#[test]
fn a_recipient_that_refuses_every_message_fails_the_verification() {
    let mut verification = pending();
    verification.record_delivery(1, DeliveryState::Undelivered, 1);
    verification.record_refusal(START);
    assert_eq!(verification.state(START), State::Failed);
    assert_eq!(check(&mut verification, "123456", START), Outcome::Expired);
}

#[test]
fn one_message_that_got_through_keeps_the_verification_alive() {
    let mut verification = pending();
    verification.record_delivery(1, DeliveryState::Sent, 1);
    let later = START + Duration::from_secs(30);
    verification.resend(Channel::Email, &code("654321"), &peppers(), later).unwrap();
    verification.record_delivery(2, DeliveryState::Undelivered, 1);
    verification.record_refusal(later);
    assert_eq!(check(&mut verification, "123456", later), Outcome::Approved);
}

#[test]
fn s8_neither_debug_nor_the_stored_form_shows_a_code() {
    let verification = pending();
    let stored = serde_json::to_string(&verification).unwrap();
    assert!(!stored.contains("123456"));
    assert!(!format!("{verification:?}").contains("123456"));
    assert!(!format!("{verification:?}").contains("jo@example.com"));
    assert_eq!(serde_json::from_str::<Verification>(&stored).unwrap(), verification);
}

#[test]
fn events_are_numbered_and_records_without_events_read_back() {
    let mut verification = pending();
    let stored = serde_json::to_string(&verification).unwrap();
    assert!(!stored.contains("events"), "{stored}");
    assert_eq!([verification.number_event(), verification.number_event()], [1, 2]);
    let mut read: Verification = serde_json::from_str(&stored).unwrap();
    assert_eq!(read.number_event(), 1);
    let stored = serde_json::to_string(&verification).unwrap();
    assert_eq!(serde_json::from_str::<Verification>(&stored).unwrap(), verification);
}

/// An operation on a verification.
#[derive(Clone, Debug)]
enum Action {
    Check { which: usize },
    Wrong,
    SameWrong,
    Short,
    Resend,
    Cancel,
}

fn actions() -> impl Strategy<Value = Vec<(Duration, Action)>> {
    let action = prop_oneof![
        2 => (0_usize..4).prop_map(|which| Action::Check { which }),
        4 => Just(Action::Wrong),
        2 => Just(Action::SameWrong),
        1 => Just(Action::Short),
        4 => Just(Action::Resend),
        1 => Just(Action::Cancel),
    ];
    prop::collection::vec(((0_u64..200_000).prop_map(Duration::from_millis), action), 1..40)
}

proptest! {
    /// The model keeps all codes in clear text with their times and searches them.
    #[test]
    fn the_state_machine_agrees_with_a_naive_model(actions in actions(), live_codes in 1_u8..=2) {
        let draft = policy::Draft { live_codes, ..policy::Draft::default() };
        let waits = draft.resend_waits.clone();
        let mut verification = opened(draft, "100000");
        verification.record_delivery(1, DeliveryState::Sent, 1);
        let mut codes = vec![("100000".to_owned(), START)];
        let mut wrong = 0_u32;
        let mut refused: Vec<String> = Vec::new();
        let mut end: Option<Outcome> = None;
        let mut now = START;
        for (pause, action) in actions {
            now = now + pause;
            let last = codes.last().unwrap().1;
            let over = now >= (START + Duration::from_secs(900)).max(last + LIFETIME);
            let live: Vec<_> = codes.iter().rev().take(usize::from(live_codes))
                .filter(|(_, made)| now < *made + LIFETIME).map(|(digits, _)| digits.clone()).collect();
            let judge = |guess: &str| match end {
                Some(outcome) => outcome,
                None if over => Outcome::Expired,
                None if guess.len() < 6 => {
                    Outcome::Malformed { expected: 6, problem: CodeProblem::TooShort }
                }
                None if live.is_empty() => Outcome::Expired,
                None if live.iter().any(|code| code == guess) => Outcome::Approved,
                None if refused.iter().any(|tried| tried == guess) => {
                    Outcome::AlreadyTried { attempts_left: 5 - wrong }
                }
                None => Outcome::Incorrect { attempts_left: 5 - (wrong + 1) },
            };
            let guess = match action {
                Action::Check { which } => codes[which % codes.len()].0.clone(),
                Action::Wrong => format!("{:06}", 999_999 - wrong),
                Action::SameWrong => format!("{:06}", 999_999 - wrong.saturating_sub(1)),
                Action::Short => "1234".to_owned(),
                Action::Resend => {
                    let sent = codes.len();
                    let allowed = end.is_none() && !over && sent < 5 && now >= last + waits[sent - 1];
                    let digits = format!("{}00000", sent + 1);
                    let resent = verification.resend(Channel::Email, &code(&digits), &peppers(), now);
                    prop_assert_eq!(resent.is_ok(), allowed);
                    if allowed {
                        codes.push((digits, now));
                        refused.clear();
                    }
                    continue;
                }
                Action::Cancel => {
                    verification.cancel(now);
                    if end.is_none() && !over { end = Some(Outcome::Canceled); }
                    continue;
                }
            };
            let expected = judge(&guess);
            prop_assert_eq!(check(&mut verification, &guess, now), expected);
            match expected {
                Outcome::Approved => end = Some(Outcome::AlreadyUsed),
                Outcome::Incorrect { attempts_left } => {
                    wrong += 1;
                    refused.push(guess);
                    if attempts_left == 0 { end = Some(Outcome::TooManyAttempts); }
                }
                _ => {}
            }
            prop_assert!(wrong <= 5);
        }
    }
}
