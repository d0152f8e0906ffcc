//! What the card shows, worked out from the verification and what happened last.
//!
//! Plain data and plain functions: the same on the server and in the browser, tested without one.

use crate::{
    countdown::{clock_face, seconds_left},
    flash::Flash,
    texts::{CardTexts, Slotted},
    wire::{Channel, DeliveryState, State, VerificationView},
    wire_codec::pack_fields,
};

/// A verification, as far as it is known, and what is to be told about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Card {
    /// The verification; `None` where it has expired or never was.
    pub(crate) view: Option<VerificationView>,
    /// What went wrong last.
    pub(crate) flash: Option<Flash>,
}

pack_fields!(Card { view, flash });

/// How a verification has ended for whoever looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Verified.
    Approved,
    /// Verified before; this use of the code was one too many.
    AlreadyUsed,
    /// Nobody typed the right code in time.
    Expired,
    /// Too many wrong codes.
    TooManyAttempts,
    /// Called off.
    Canceled,
    /// Nothing could be delivered.
    Failed,
}

impl Ending {
    /// Is it what everybody hoped for?
    pub(crate) fn is_good(self) -> bool {
        self == Self::Approved
    }
}

impl Card {
    /// How it ended, or `None` while a code may still be typed.
    pub(crate) fn ending(&self) -> Option<Ending> {
        match self.view.as_ref().map_or(State::Expired, |view| view.state) {
            State::Pending => None,
            State::Approved if self.flash == Some(Flash::AlreadyUsed) => Some(Ending::AlreadyUsed),
            State::Approved => Some(Ending::Approved),
            State::Canceled => Some(Ending::Canceled),
            State::Expired => Some(Ending::Expired),
            State::MaxAttemptsReached => Some(Ending::TooManyAttempts),
            State::Failed => Some(Ending::Failed),
        }
    }

    /// Does the page report an error, to be named in its title?
    pub(crate) fn is_error(&self) -> bool {
        self.ending().map_or(self.flash.is_some(), |ending| !ending.is_good())
    }

    /// Is the field itself wrong, rather than something around it?
    pub(crate) fn is_field_invalid(&self) -> bool {
        self.flash.is_some_and(Flash::concerns_field)
    }

    /// What went wrong, in words; empty if nothing did.
    pub(crate) fn complaint(&self, texts: &CardTexts, malformed: &str) -> String {
        let Some(flash) = self.flash else { return String::new() };
        let invalid = |detail: &str| [malformed, detail].join(". ");
        match flash {
            Flash::Incorrect => {
                let left = self.view.as_ref().map_or(0, |view| view.attempts_left);
                texts.incorrect.of(left).to_owned()
            }
            Flash::Empty => malformed.to_owned(),
            Flash::TooShort => invalid(&texts.too_short),
            Flash::TooLong => invalid(&texts.too_long),
            Flash::NotDigits => invalid(&texts.not_digits),
            Flash::AlreadyUsed => texts.already_used.clone(),
            Flash::Expired => texts.expired.clone(),
            Flash::LimitSends(seconds) => texts.limit_sends.with(&clock_face(seconds)),
            Flash::LimitChecks(seconds) => texts.limit_checks.with(&clock_face(seconds)),
            Flash::TooEarly(seconds) => texts.too_early.with(&clock_face(seconds)),
            Flash::NoSendsLeft => texts.resend_over.clone(),
            Flash::Unavailable => texts.unavailable.clone(),
            Flash::NotUnderstood => texts.not_understood.clone(),
            Flash::Internal => texts.internal.clone(),
        }
    }

    /// How far the newest message has come, around the masked recipient.
    pub(crate) fn delivery<'a>(&self, texts: &'a CardTexts) -> &'a Slotted {
        let delivery = self.view.as_ref().map(|view| view.delivery);
        let first = delivery.is_none_or(|delivery| delivery.number <= 1);
        match delivery.map_or(DeliveryState::Accepted, |delivery| delivery.state) {
            DeliveryState::Accepted if first => &texts.sending,
            DeliveryState::Accepted => &texts.sending_again,
            DeliveryState::Sent if first => &texts.sent,
            DeliveryState::Sent => &texts.sent_again,
            DeliveryState::Delivered => &texts.delivered,
            DeliveryState::Undelivered => &texts.undelivered,
        }
    }

    /// How many messages it has sent.
    pub(crate) fn messages(&self) -> u32 {
        self.view.as_ref().map_or(0, |view| view.delivery.number)
    }

    /// Seconds for which the newest code stays valid at the server's time `now`.
    pub(crate) fn seconds_of_life(&self, now: u64) -> u64 {
        self.view.as_ref().map_or(0, |view| seconds_left(view.code_expires_at, now))
    }

    /// How long the newest code stays valid, in words.
    pub(crate) fn time_left(&self, texts: &CardTexts, now: u64) -> String {
        match self.seconds_of_life(now) {
            0 => texts.expired.clone(),
            seconds => texts.time_left.with(&clock_face(seconds)),
        }
    }

    /// May another code be asked for at the server's time `now`?
    pub(crate) fn may_resend(&self, now: u64) -> bool {
        self.view.as_ref().is_some_and(|view| view.sends_left > 0 && view.resend_at <= now)
    }

    /// When another code may be asked for, in words.
    pub(crate) fn resend_wait(&self, texts: &CardTexts, now: u64) -> String {
        match &self.view {
            Some(view) if view.sends_left > 0 => match seconds_left(view.resend_at, now) {
                0 => texts.resend_ready.clone(),
                seconds => texts.resend_wait.with(&clock_face(seconds)),
            },
            _ => texts.resend_over.clone(),
        }
    }

    /// Another channel by which a code can be asked for, offered once one resend did not help.
    pub(crate) fn other_channel(&self) -> Option<Channel> {
        let view = self.view.as_ref().filter(|view| view.delivery.number > 1)?;
        view.channels.iter().copied().find(|channel| *channel != view.delivery.channel)
    }

    /// Milliseconds until it is worth asking how far delivery has come, or `None` when it is not.
    ///
    /// Quick at first, since most messages leave within a second, then ever slower; `asked` counts
    /// the questions since the message was asked for.
    pub(crate) fn next_poll(&self, asked: u32) -> Option<u32> {
        let view = self.view.as_ref().filter(|view| view.state == State::Pending)?;
        let (first, most) = match view.delivery.state {
            DeliveryState::Accepted => (700, 8_000),
            DeliveryState::Sent => (4_000, 30_000),
            DeliveryState::Delivered | DeliveryState::Undelivered => return None,
        };
        Some(most.min(first << asked.min(8)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Delivery;

    fn card(state: DeliveryState, number: u32) -> Card {
        let view = VerificationView {
            id: "id".into(),
            state: State::Pending,
            recipient: "j***@example.com".into(),
            code_length: 6,
            attempts_left: 5,
            sends_left: 4,
            delivery: Delivery { channel: Channel::Email, state, tries: 0, number },
            channels: vec![Channel::Email, Channel::Sms],
            now: 0,
            code_expires_at: 300_000,
            resend_at: 30_000,
            expires_at: 600_000,
            leads_on: false,
        };
        Card { view: Some(view), flash: None }
    }

    #[test]
    fn delivery_is_asked_for_ever_more_slowly_and_not_once_it_is_known() {
        let waits = |state| (0..6).map_while(|asked| card(state, 1).next_poll(asked)).collect();
        let (accepted, sent): (Vec<u32>, Vec<u32>) =
            (waits(DeliveryState::Accepted), waits(DeliveryState::Sent));
        assert_eq!(accepted, [700, 1_400, 2_800, 5_600, 8_000, 8_000]);
        assert_eq!(sent, [4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
        assert_eq!(card(DeliveryState::Delivered, 1).next_poll(0), None);
        assert_eq!(card(DeliveryState::Undelivered, 1).next_poll(0), None);
        assert!(card(DeliveryState::Accepted, 1).next_poll(u32::MAX).is_some());
    }

    #[test]
    fn another_code_may_be_asked_for_from_its_time_on_while_sends_are_left() {
        let mut card = card(DeliveryState::Sent, 1);
        assert!(!card.may_resend(29_999));
        assert!(card.may_resend(30_000));
        card.view.as_mut().unwrap().sends_left = 0;
        assert!(!card.may_resend(30_000));
    }

    #[test]
    fn another_channel_is_offered_after_the_first_resend() {
        assert_eq!(card(DeliveryState::Sent, 1).other_channel(), None);
        assert_eq!(card(DeliveryState::Sent, 2).other_channel(), Some(Channel::Sms));
    }

    #[test]
    fn a_code_that_is_past_its_time_says_so_instead_of_counting() {
        let texts = CardTexts { expired: "over".into(), ..CardTexts::default() };
        let card = card(DeliveryState::Sent, 1);
        assert_eq!(card.time_left(&texts, 299_001), "0:01");
        assert_eq!(card.time_left(&texts, 300_000), "over");
        assert_eq!(card.ending(), None, "another code may still be asked for");
    }
}
