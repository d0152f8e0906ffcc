//! Content of the card, computed from the verification and the last error.
//!
//! Plain data and functions: the same on the server and in the browser, tested natively.

use crate::{
    countdown::{clock_face, seconds_left},
    flash::Flash,
    texts::{CardTexts, Slotted},
    wire::{Channel, DeliveryState, State, VerificationView},
    wire_codec::pack_fields,
};

/// A verification with the error to show beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Card {
    /// The verification; `None` if it has expired or does not exist.
    pub(crate) view: Option<VerificationView>,
    /// The last error.
    pub(crate) flash: Option<Flash>,
}

pack_fields!(Card { view, flash });

/// Final state of a verification, as the card shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Verified.
    Approved,
    /// The right code of a verification that was approved before.
    AlreadyUsed,
    /// The right code was not entered in time.
    Expired,
    /// Too many wrong codes.
    TooManyAttempts,
    /// Canceled.
    Canceled,
    /// No message could be delivered.
    Failed,
}

impl Ending {
    /// Whether the person is verified now.
    pub(crate) fn is_good(self) -> bool {
        self == Self::Approved
    }
}

impl Card {
    /// The final state, or `None` while a code may still be entered.
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

    /// The error to show at the server's time `now`: the last one, or the expiry of the code.
    pub(crate) fn shown_flash(&self, now: u64) -> Option<Flash> {
        self.flash.or(self.is_code_expired(now).then_some(Flash::Expired))
    }

    /// Whether the page reports an error, which its title names.
    pub(crate) fn is_error(&self, now: u64) -> bool {
        self.ending().map_or(self.shown_flash(now).is_some(), |ending| !ending.is_good())
    }

    /// Whether the error is about the value of the field.
    pub(crate) fn is_field_invalid(&self, now: u64) -> bool {
        self.shown_flash(now).is_some_and(Flash::concerns_field)
    }

    /// Whether the newest code has expired, while another one may still be asked for.
    pub(crate) fn is_code_expired(&self, now: u64) -> bool {
        self.ending().is_none() && self.seconds_valid(now) == 0
    }

    /// Text of the error; empty if there is none.
    pub(crate) fn error(&self, texts: &CardTexts, malformed: &str, now: u64) -> String {
        let Some(flash) = self.shown_flash(now) else { return String::new() };
        let invalid = |detail: &str| [malformed, detail].join(". ");
        match flash {
            Flash::Incorrect => {
                let left = self.view.as_ref().map_or(0, |view| view.attempts_left);
                texts.incorrect.of(left).to_owned()
            }
            Flash::AlreadyTried => texts.already_tried.clone(),
            Flash::Empty => malformed.to_owned(),
            Flash::TooShort => invalid(&texts.too_short),
            Flash::TooLong => invalid(&texts.too_long),
            Flash::NotDigits => invalid(&texts.not_digits),
            Flash::AlreadyUsed => texts.already_used.clone(),
            Flash::Expired => texts.expired.clone(),
            Flash::LimitSends(seconds) => texts.limit_sends.with(&clock_face(seconds)),
            Flash::LimitChecks(seconds) => texts.limit_checks.with(&clock_face(seconds)),
            Flash::TooEarly(seconds) | Flash::WorkNeeded(seconds) => {
                texts.too_early.with(&clock_face(seconds))
            }
            Flash::NoSendsLeft => texts.resend_over.clone(),
            Flash::Unavailable => texts.unavailable.clone(),
            Flash::NotUnderstood => texts.not_understood.clone(),
            Flash::Internal => texts.internal.clone(),
        }
    }

    /// Text about the delivery of the newest message, around the masked recipient.
    pub(crate) fn delivery<'a>(&self, texts: &'a CardTexts) -> &'a Slotted {
        let delivery = self.view.as_ref().map(|view| view.delivery);
        let first = delivery.is_none_or(|delivery| delivery.number <= 1);
        let state = delivery.map_or(DeliveryState::Accepted, |delivery| delivery.state);
        match (delivery.map_or(Channel::Email, |delivery| delivery.channel), state) {
            (_, DeliveryState::Undelivered) => &texts.undelivered,
            (Channel::Voice, DeliveryState::Accepted) => &texts.calling_soon,
            (Channel::Voice, DeliveryState::Sent) => &texts.calling,
            (Channel::Voice, DeliveryState::Delivered) => &texts.called,
            (_, DeliveryState::Delivered) => &texts.delivered,
            (Channel::Whatsapp, DeliveryState::Accepted) => &texts.sending_by_whatsapp,
            (Channel::Whatsapp, DeliveryState::Sent) => &texts.sent_by_whatsapp,
            (_, DeliveryState::Accepted) if first => &texts.sending,
            (_, DeliveryState::Accepted) => &texts.sending_again,
            (_, DeliveryState::Sent) if first => &texts.sent,
            (_, DeliveryState::Sent) => &texts.sent_again,
        }
    }

    /// Number of messages sent so far.
    pub(crate) fn messages_sent(&self) -> u32 {
        self.view.as_ref().map_or(0, |view| view.delivery.number)
    }

    /// Seconds until the newest code expires, at the server's time `now`.
    pub(crate) fn seconds_valid(&self, now: u64) -> u64 {
        self.view.as_ref().map_or(0, |view| seconds_left(view.code_expires_at, now))
    }

    /// Text about the time until the newest code expires; empty after that, which is an error.
    pub(crate) fn time_left(&self, texts: &CardTexts, now: u64) -> String {
        match self.seconds_valid(now) {
            0 => String::new(),
            seconds => texts.time_left.with(&clock_face(seconds)),
        }
    }

    /// Whether another code may be requested at the server's time `now`.
    pub(crate) fn may_resend(&self, now: u64) -> bool {
        self.view.as_ref().is_some_and(|view| view.sends_left > 0 && view.resend_at <= now)
    }

    /// Text about the wait until another code may be requested.
    pub(crate) fn resend_wait(&self, texts: &CardTexts, now: u64) -> String {
        match &self.view {
            Some(view) if view.sends_left > 0 => match seconds_left(view.resend_at, now) {
                0 => texts.resend_ready.clone(),
                seconds => texts.resend_wait.with(&clock_face(seconds)),
            },
            _ => texts.resend_over.clone(),
        }
    }

    /// Another channel for the next code, offered after the first resend: the one after that of the newest message,
    /// and after the last one the first.
    pub(crate) fn other_channel(&self) -> Option<Channel> {
        let view = self.view.as_ref().filter(|view| view.delivery.number > 1)?;
        let (channels, newest) = (&view.channels, view.delivery.channel);
        let at = channels.iter().position(|channel| *channel == newest).map_or(0, |at| at + 1);
        let next = channels.get(at).or(channels.first()).copied();
        next.filter(|channel| *channel != newest)
    }

    /// Milliseconds until the next poll of the delivery state, or `None` if it is final.
    ///
    /// Short at first, since most messages leave within a second, then doubled up to a limit; `polls`
    /// counts the polls since the message was requested.
    pub(crate) fn next_poll(&self, polls: u32) -> Option<u32> {
        let view = self.view.as_ref().filter(|view| view.state == State::Pending)?;
        let (first, most) = match view.delivery.state {
            DeliveryState::Accepted => (700, 8_000),
            DeliveryState::Sent => (4_000, 30_000),
            DeliveryState::Delivered | DeliveryState::Undelivered => return None,
        };
        Some(most.min(first << polls.min(8)))
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
    fn delivery_is_polled_ever_more_slowly_and_not_after_it_is_final() {
        let waits = |state| (0..6).map_while(|polls| card(state, 1).next_poll(polls)).collect();
        let (accepted, sent): (Vec<u32>, Vec<u32>) =
            (waits(DeliveryState::Accepted), waits(DeliveryState::Sent));
        assert_eq!(accepted, [700, 1_400, 2_800, 5_600, 8_000, 8_000]);
        assert_eq!(sent, [4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
        assert_eq!(card(DeliveryState::Delivered, 1).next_poll(0), None);
        assert_eq!(card(DeliveryState::Undelivered, 1).next_poll(0), None);
        assert!(card(DeliveryState::Accepted, 1).next_poll(u32::MAX).is_some());
    }

    #[test]
    fn a_resend_is_allowed_after_the_wait_while_sends_are_left() {
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
    fn the_channels_are_offered_in_the_order_of_the_site_and_then_again() {
        use Channel::{Sms, Voice, Whatsapp};
        for (channels, newest, next) in [
            (&[Sms, Whatsapp, Voice][..], Sms, Some(Whatsapp)),
            (&[Sms, Whatsapp, Voice], Whatsapp, Some(Voice)),
            (&[Sms, Whatsapp, Voice], Voice, Some(Sms)),
            (&[Voice, Sms], Sms, Some(Voice)),
            (&[Sms], Sms, None),
            (&[Sms], Voice, Some(Sms)),
            (&[], Sms, None),
        ] {
            let mut card = card(DeliveryState::Sent, 2);
            let view = card.view.as_mut().unwrap();
            (view.channels, view.delivery.channel) = (channels.to_vec(), newest);
            assert_eq!(card.other_channel(), next, "{channels:?} after {newest:?}");
        }
    }

    fn slotted(before: &str) -> Slotted {
        Slotted { before: before.to_owned(), after: String::new() }
    }

    #[test]
    fn the_page_says_by_which_channel_the_code_comes() {
        use DeliveryState::{Accepted, Delivered, Sent, Undelivered};
        let texts = CardTexts {
            sending: slotted("sending"),
            sent_again: slotted("sent again"),
            delivered: slotted("delivered"),
            undelivered: slotted("undelivered"),
            sending_by_whatsapp: slotted("sending by WhatsApp"),
            sent_by_whatsapp: slotted("sent by WhatsApp"),
            calling_soon: slotted("soon"),
            calling: slotted("calling"),
            called: slotted("called"),
            ..CardTexts::default()
        };
        for (channel, number, said) in [
            (Channel::Sms, 1, ["sending", "", "delivered", "undelivered"]),
            (Channel::Sms, 2, ["", "sent again", "delivered", "undelivered"]),
            (
                Channel::Whatsapp,
                2,
                ["sending by WhatsApp", "sent by WhatsApp", "delivered", "undelivered"],
            ),
            (Channel::Voice, 2, ["soon", "calling", "called", "undelivered"]),
        ] {
            for (state, said) in [Accepted, Sent, Delivered, Undelivered].into_iter().zip(said) {
                let mut card = card(state, number);
                card.view.as_mut().unwrap().delivery.channel = channel;
                assert_eq!(card.delivery(&texts).before, said, "{channel:?} {state:?}");
            }
        }
    }

    #[test]
    fn an_expired_code_is_reported_instead_of_a_countdown() {
        let texts = CardTexts { expired: "over".into(), ..CardTexts::default() };
        let mut card = card(DeliveryState::Sent, 1);
        let shown = |card: &Card, now| {
            (card.time_left(&texts, now), card.error(&texts, "", now), card.is_field_invalid(now))
        };
        assert_eq!(shown(&card, 299_001), ("0:01".into(), String::new(), false));
        assert_eq!(shown(&card, 300_000), (String::new(), "over".into(), true));
        assert!(card.is_error(300_000) && !card.is_error(299_001));
        assert_eq!(card.ending(), None, "another code may still be requested");
        card.flash = Some(Flash::NoSendsLeft);
        assert_eq!(shown(&card, 300_000).1, texts.resend_over, "the newer error is shown");
        card.view.as_mut().unwrap().state = State::Approved;
        assert!(!card.is_code_expired(300_000));
    }
}
