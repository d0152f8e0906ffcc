//! What happens to a verification that its relying party is told of.
//!
//! Events are not raised where things change, which would have to be remembered at each place. They
//! are read off the verification as it stood before a step and as it stands after it.

use otp_types::{DeliveryState, State};
use serde::{Deserialize, Serialize};

use crate::{time::Timestamp, verification::Verification};

/// Something that a relying party is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The right code was typed in time.
    Approved,
    /// The verification is over and proves nothing.
    Failed(Reason),
    /// A message has come further, or never will arrive.
    DeliveryUpdated {
        /// Which message, from 1.
        number: u32,
    },
}

/// Why a verification has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The budget of checks is spent.
    MaxAttemptsReached,
    /// It was called off.
    Canceled,
    /// No message could be delivered.
    Undeliverable,
    /// Nobody typed the right code in time.
    Expired,
}

/// What a step has brought about that was made at `now`: first how messages fared, then how the
/// verification ended.
///
/// A verification ends once. Where time alone has ended it, no step has, and [`lapsed`] tells.
pub fn between(before: Option<&Verification>, after: &Verification, now: Timestamp) -> Vec<Event> {
    let mut events = Vec::new();
    let mut were = before.into_iter().flat_map(Verification::deliveries);
    for (send, number) in after.deliveries().zip(1..) {
        // A message is accepted where it is committed, and that is no news to who asked for it.
        if send != were.next().unwrap_or(DeliveryState::Accepted) {
            events.push(Event::DeliveryUpdated { number });
        }
    }
    let was = before.map_or(State::Pending, |before| before.state(now));
    if was == State::Pending {
        events.extend(ending(after.state(now)));
    }
    events
}

/// What has become of a verification that time alone has ended, if it has.
pub fn lapsed(verification: &Verification, now: Timestamp) -> Option<Event> {
    match verification.finished_at() {
        Some(_) => None,
        None => ending(verification.state(now)),
    }
}

fn ending(state: State) -> Option<Event> {
    match state {
        State::Pending => None,
        State::Approved => Some(Event::Approved),
        State::Canceled => Some(Event::Failed(Reason::Canceled)),
        State::Expired => Some(Event::Failed(Reason::Expired)),
        State::MaxAttemptsReached => Some(Event::Failed(Reason::MaxAttemptsReached)),
        State::Failed => Some(Event::Failed(Reason::Undeliverable)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rand::rngs::SysRng;

    use super::*;
    use crate::{
        Channel, Code, Details, Policy, Recipient, VerificationId,
        digest::{Pepper, Peppers},
        verification::Opening,
    };

    const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn peppers() -> Peppers {
        Peppers::new([Pepper::new([7; 32])]).unwrap()
    }

    fn code(digits: &str) -> Code {
        Code::parse(digits).unwrap()
    }

    fn opened() -> Verification {
        let opening = Opening {
            id: VerificationId::generate(START, &mut SysRng).unwrap(),
            site: "shop".into(),
            recipient: Recipient::parse("jo@example.com", None, None).unwrap(),
            purpose: String::new(),
            locale: "en".into(),
            policy: Policy::default(),
            details: Details::default(),
        };
        Verification::open(opening, Channel::Email, &code("123456"), &peppers(), START)
    }

    /// What a change brings about that is made at `now`.
    fn events(
        before: &Verification,
        now: Timestamp,
        change: impl FnOnce(&mut Verification),
    ) -> (Verification, Vec<Event>) {
        let mut after = before.clone();
        change(&mut after);
        let events = between(Some(before), &after, now);
        (after, events)
    }

    #[test]
    fn opening_one_is_no_event_and_neither_is_a_wrong_code() {
        let opened = opened();
        assert_eq!(between(None, &opened, START), []);
        let (_, told) = events(&opened, START, |verification| {
            verification.check("000000", &peppers(), START);
        });
        assert_eq!(told, []);
    }

    #[test]
    fn the_right_code_is_told_once() {
        let check = |verification: &mut Verification| {
            verification.check("123456", &peppers(), START);
        };
        let (approved, told) = events(&opened(), START, check);
        assert_eq!(told, [Event::Approved]);
        assert_eq!(events(&approved, START, check).1, []);
    }

    #[test]
    fn the_last_wrong_code_is_told_and_calling_off_what_is_over_is_not() {
        let mut verification = opened();
        let mut told = Vec::new();
        for _ in 0..6 {
            let (after, more) = events(&verification, START, |verification| {
                verification.check("000000", &peppers(), START);
            });
            (verification, told) = (after, [told, more].concat());
        }
        assert_eq!(told, [Event::Failed(Reason::MaxAttemptsReached)]);
        assert_eq!(events(&verification, START, |over| over.cancel(START)).1, []);
        let (_, told) = events(&opened(), START, |pending| pending.cancel(START));
        assert_eq!(told, [Event::Failed(Reason::Canceled)]);
    }

    #[test]
    fn a_message_is_told_of_each_time_it_comes_further_and_at_no_other_try() {
        let mut verification = opened();
        let mut told = Vec::new();
        for (delivery, tries) in [
            (DeliveryState::Accepted, 1),
            (DeliveryState::Sent, 2),
            (DeliveryState::Sent, 2),
            (DeliveryState::Delivered, 2),
            (DeliveryState::Undelivered, 2),
        ] {
            let (after, more) = events(&verification, START, |verification| {
                verification.record_delivery(1, delivery, tries);
            });
            (verification, told) = (after, [told, more].concat());
        }
        assert_eq!(told, [Event::DeliveryUpdated { number: 1 }; 2]);
        let later = START + Duration::from_secs(30);
        let (resent, told) = events(&verification, later, |verification| {
            verification.resend(Channel::Email, &code("654321"), &peppers(), later).unwrap();
        });
        assert_eq!(told, []);
        let (_, told) = events(&resent, later, |verification| {
            verification.record_delivery(2, DeliveryState::Sent, 1);
        });
        assert_eq!(told, [Event::DeliveryUpdated { number: 2 }]);
    }

    #[test]
    fn a_refusal_for_good_tells_how_the_message_fared_and_then_how_it_ended() {
        let (_, told) = events(&opened(), START, |verification| {
            verification.record_delivery(1, DeliveryState::Undelivered, 1);
            verification.record_refusal(START);
        });
        let failed = Event::Failed(Reason::Undeliverable);
        assert_eq!(told, [Event::DeliveryUpdated { number: 1 }, failed]);
    }

    #[test]
    fn what_time_has_ended_is_told_by_nobody_but_time() {
        let opened = opened();
        let end = opened.expires_at();
        let before = end - Duration::from_millis(1);
        assert_eq!(lapsed(&opened, before), None);
        assert_eq!(lapsed(&opened, end), Some(Event::Failed(Reason::Expired)));
        // A message that is given up just then changes the reason and not who tells it.
        let (late, told) = events(&opened, end, |verification| {
            verification.record_delivery(1, DeliveryState::Undelivered, 1);
            verification.record_refusal(end);
        });
        assert_eq!(told, [Event::DeliveryUpdated { number: 1 }]);
        assert_eq!(lapsed(&late, end), Some(Event::Failed(Reason::Undeliverable)));
        let (canceled, _) = events(&opened, START, |pending| pending.cancel(START));
        assert_eq!(lapsed(&canceled, end), None);
    }
}
