//! Events of a verification, for webhooks.
//!
//! Events are computed by comparing a verification before and after a step, so that no place that
//! changes a verification has to remember to raise one.

use otp_types::{DeliveryState, State};
use serde::{Deserialize, Serialize};

use crate::{time::Timestamp, verification::Verification};

/// One event of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The right code was entered in time.
    Approved,
    /// The verification ended without approval.
    Failed(Reason),
    /// The delivery state of a message changed.
    DeliveryUpdated {
        /// Number of the message, from 1.
        number: u32,
    },
}

/// Reason of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// All checks were used.
    MaxAttemptsReached,
    /// Cancelled by the site or the person.
    Canceled,
    /// No message could be delivered.
    Undeliverable,
    /// The right code was not entered in time.
    Expired,
}

/// The events of a step that ran at `now`: delivery updates first, then the end of the verification.
///
/// An expiry is not among them, since no step causes it; see [`lapsed`].
pub fn between(before: Option<&Verification>, after: &Verification, now: Timestamp) -> Vec<Event> {
    let mut events = Vec::new();
    let mut old = before.into_iter().flat_map(Verification::deliveries);
    for (new, number) in after.deliveries().zip(1..) {
        // A new message begins as accepted, which is not an event.
        if new != old.next().unwrap_or(DeliveryState::Accepted) {
            events.push(Event::DeliveryUpdated { number });
        }
    }
    let old_state = before.map_or(State::Pending, |before| before.state(now));
    if old_state == State::Pending {
        events.extend(end_event(after.state(now)));
    }
    events
}

/// The event of a verification that has ended by time alone; `None` if it is pending or was ended by
/// a step.
pub fn lapsed(verification: &Verification, now: Timestamp) -> Option<Event> {
    match verification.finished_at() {
        Some(_) => None,
        None => end_event(verification.state(now)),
    }
}

fn end_event(state: State) -> Option<Event> {
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

    /// The verification after a change at `now`, and the events of the change.
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
    fn opening_a_verification_and_a_wrong_code_are_no_events() {
        let opened = opened();
        assert_eq!(between(None, &opened, START), []);
        let (_, found) = events(&opened, START, |verification| {
            verification.check("000000", None, &peppers(), START);
        });
        assert_eq!(found, []);
    }

    #[test]
    fn an_approval_is_one_event() {
        let check = |verification: &mut Verification| {
            verification.check("123456", None, &peppers(), START);
        };
        let (approved, found) = events(&opened(), START, check);
        assert_eq!(found, [Event::Approved]);
        assert_eq!(events(&approved, START, check).1, []);
    }

    #[test]
    fn the_last_wrong_code_is_an_event_and_cancelling_afterwards_is_none() {
        let mut verification = opened();
        let mut found = Vec::new();
        for wrong in 0..6 {
            let (after, more) = events(&verification, START, |verification| {
                verification.check(&format!("00000{wrong}"), None, &peppers(), START);
            });
            (verification, found) = (after, [found, more].concat());
        }
        assert_eq!(found, [Event::Failed(Reason::MaxAttemptsReached)]);
        assert_eq!(events(&verification, START, |over| over.cancel(START)).1, []);
        let (_, found) = events(&opened(), START, |pending| pending.cancel(START));
        assert_eq!(found, [Event::Failed(Reason::Canceled)]);
    }

    #[test]
    fn each_change_of_a_delivery_state_is_an_event_and_a_failed_try_is_none() {
        let mut verification = opened();
        let mut found = Vec::new();
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
            (verification, found) = (after, [found, more].concat());
        }
        assert_eq!(found, [Event::DeliveryUpdated { number: 1 }; 2]);
        let later = START + Duration::from_secs(30);
        let (resent, found) = events(&verification, later, |verification| {
            verification.resend(Channel::Email, &code("654321"), &peppers(), later).unwrap();
        });
        assert_eq!(found, []);
        let (_, found) = events(&resent, later, |verification| {
            verification.record_delivery(2, DeliveryState::Sent, 1);
        });
        assert_eq!(found, [Event::DeliveryUpdated { number: 2 }]);
    }

    #[test]
    fn a_permanent_refusal_gives_a_delivery_update_and_then_the_failure() {
        let (_, found) = events(&opened(), START, |verification| {
            verification.record_delivery(1, DeliveryState::Undelivered, 1);
            verification.record_refusal(START);
        });
        let failed = Event::Failed(Reason::Undeliverable);
        assert_eq!(found, [Event::DeliveryUpdated { number: 1 }, failed]);
    }

    #[test]
    fn an_expiry_is_an_event_of_time_and_never_of_a_step() {
        let opened = opened();
        let end = opened.expires_at();
        let before = end - Duration::from_millis(1);
        assert_eq!(lapsed(&opened, before), None);
        assert_eq!(lapsed(&opened, end), Some(Event::Failed(Reason::Expired)));
        // A message that is given up just then changes the reason, and the step still has no such event.
        let (late, found) = events(&opened, end, |verification| {
            verification.record_delivery(1, DeliveryState::Undelivered, 1);
            verification.record_refusal(end);
        });
        assert_eq!(found, [Event::DeliveryUpdated { number: 1 }]);
        assert_eq!(lapsed(&late, end), Some(Event::Failed(Reason::Undeliverable)));
        let (canceled, _) = events(&opened, START, |pending| pending.cancel(START));
        assert_eq!(lapsed(&canceled, end), None);
    }
}
