//! What can be asked of a verification. Nothing here changes anything.

use otp_types::{DeliveryState, State};

use super::Verification;
use crate::{
    details::Details, id::VerificationId, policy::Policy, recipient::Recipient, send::Send,
    time::Timestamp,
};

impl Verification {
    /// Where it stands at `now`.
    pub fn state(&self, now: Timestamp) -> State {
        match self.finished {
            Some(finished) => finished.state,
            None if now < self.expires_at() => State::Pending,
            None if self.nothing_delivered() => State::Failed,
            None => State::Expired,
        }
    }

    /// Its id.
    pub fn id(&self) -> VerificationId {
        self.id
    }

    /// The relying party it belongs to.
    pub fn site(&self) -> &str {
        &self.site
    }

    /// Who is to prove control.
    pub fn recipient(&self) -> &Recipient {
        &self.recipient
    }

    /// What for, in the relying party's words.
    pub fn purpose(&self) -> &str {
        &self.purpose
    }

    /// The language of its messages, a BCP 47 tag.
    pub fn locale(&self) -> &str {
        &self.locale
    }

    /// The rules it runs under.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What the relying party gets back with the result.
    pub fn details(&self) -> &Details {
        &self.details
    }

    /// When its result was redeemed, if it was.
    pub fn redeemed_at(&self) -> Option<Timestamp> {
        self.redeemed_at
    }

    /// When it was opened.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// When it expires as a whole: neither a code is accepted nor another one sent any more.
    pub fn expires_at(&self) -> Timestamp {
        (self.created_at + self.policy.window()).max(self.code_expires_at())
    }

    /// When it ended, if it did so other than by time.
    pub fn finished_at(&self) -> Option<Timestamp> {
        self.finished.map(|finished| finished.at)
    }

    /// When the newest code stops being accepted.
    pub fn code_expires_at(&self) -> Timestamp {
        self.last_send.expires_at
    }

    /// From when on another code may be asked for.
    pub fn resend_at(&self) -> Timestamp {
        self.last_send.at + self.policy.wait_after(self.send_count())
    }

    /// Checks that are left.
    pub fn attempts_left(&self) -> u32 {
        self.policy.checks().saturating_sub(self.wrong_checks)
    }

    /// Messages that may still be asked for.
    pub fn sends_left(&self) -> u32 {
        self.policy.sends().saturating_sub(self.send_count())
    }

    /// How many messages were asked for.
    pub fn send_count(&self) -> u32 {
        u32::try_from(self.earlier_sends.len())
            .map_or(u32::MAX, |earlier| earlier.saturating_add(1))
    }

    /// How far each message has come, in the order they were asked for.
    pub fn deliveries(&self) -> impl Iterator<Item = DeliveryState> {
        self.sends().map(|send| send.delivery)
    }

    /// The message of a number, from 1.
    pub fn send(&self, number: u32) -> Option<&Send> {
        self.sends().nth(number.checked_sub(1)? as usize)
    }

    fn sends(&self) -> impl Iterator<Item = &Send> {
        self.earlier_sends.iter().chain([&self.last_send])
    }

    /// The numbers of the messages, from 1, of which nothing is known yet but that they were asked
    /// for.
    pub fn waiting_sends(&self) -> impl Iterator<Item = u32> {
        let sends = self.earlier_sends.iter().chain([&self.last_send]);
        let waiting = (1..).zip(sends).filter(|(_, send)| send.delivery == DeliveryState::Accepted);
        waiting.map(|(number, _)| number)
    }

    /// The newest message.
    pub fn last_send(&self) -> &Send {
        &self.last_send
    }
}
