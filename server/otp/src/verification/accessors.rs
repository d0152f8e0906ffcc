//! Getters of a verification.

use otp_types::{Channel, DeliveryState, State};

use super::Verification;
use crate::{
    claim::ClaimDigest, details::Details, id::VerificationId, policy::Policy, recipient::Recipient,
    send::Send, time::Timestamp,
};

impl Verification {
    /// The state at `now`.
    pub fn state(&self, now: Timestamp) -> State {
        match self.finished {
            Some(finished) => finished.state,
            None if now < self.expires_at() => State::Pending,
            None if self.nothing_delivered() => State::Failed,
            None => State::Expired,
        }
    }

    /// The id.
    pub fn id(&self) -> VerificationId {
        self.id
    }

    /// Name of the site.
    pub fn site(&self) -> &str {
        &self.site
    }

    /// The recipient to verify.
    pub fn recipient(&self) -> &Recipient {
        &self.recipient
    }

    /// The site's purpose.
    pub fn purpose(&self) -> &str {
        &self.purpose
    }

    /// Language of the messages, a BCP 47 tag.
    pub fn locale(&self) -> &str {
        &self.locale
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Attached data, returned with the result.
    pub fn details(&self) -> &Details {
        &self.details
    }

    /// Time at which the result was redeemed.
    pub fn redeemed_at(&self) -> Option<Timestamp> {
        self.redeemed_at
    }

    /// Whether the recipient said that they had not asked for it.
    pub fn is_disowned(&self) -> bool {
        self.disowned_at.is_some()
    }

    /// Time of creation.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// Expiry of the verification: from then on no code is accepted or sent.
    pub fn expires_at(&self) -> Timestamp {
        let code = self.withdrawn.unwrap_or(self.code_expires_at());
        (self.created_at + self.policy.window()).max(code)
    }

    /// Time of the end, other than by expiry.
    pub fn finished_at(&self) -> Option<Timestamp> {
        self.finished.map(|finished| finished.at)
    }

    /// The channel that an approval proves, which is that of the code that was right: after a switch it may be an
    /// earlier one than that of the newest message.
    pub fn proven_channel(&self) -> Channel {
        let proven = self.finished.and_then(|finished| finished.channel);
        proven.unwrap_or(self.last_send.channel)
    }

    /// Whether the check that was approved came with this claim.
    pub fn is_claimed_by(&self, claim: &ClaimDigest) -> bool {
        self.claim.as_ref() == Some(claim)
    }

    /// Expiry of the newest code.
    pub fn code_expires_at(&self) -> Timestamp {
        self.last_send.expires_at
    }

    /// Whether the newest code was withdrawn before its time.
    pub fn is_code_withdrawn(&self) -> bool {
        self.withdrawn.is_some()
    }

    /// Earliest time of the next resend.
    pub fn resend_at(&self) -> Timestamp {
        if self.is_code_withdrawn() {
            return self.last_send.expires_at;
        }
        self.last_send.at + self.policy.wait_after(self.send_count())
    }

    /// Checks left.
    pub fn attempts_left(&self) -> u32 {
        self.policy.checks().saturating_sub(self.wrong_checks)
    }

    /// Messages left; one at the least after a code that was withdrawn.
    pub fn sends_left(&self) -> u32 {
        let left = self.policy.sends().saturating_sub(self.send_count());
        left.max(self.is_code_withdrawn().into())
    }

    /// Number of messages so far.
    pub fn send_count(&self) -> u32 {
        u32::try_from(self.earlier_sends.len())
            .map_or(u32::MAX, |earlier| earlier.saturating_add(1))
    }

    /// Delivery state of each message, oldest first.
    pub fn deliveries(&self) -> impl Iterator<Item = DeliveryState> {
        self.sends().map(|send| send.delivery)
    }

    /// The message with this number, from 1.
    pub fn send(&self, number: u32) -> Option<&Send> {
        self.sends().nth(number.checked_sub(1)? as usize)
    }

    pub(super) fn sends(&self) -> impl Iterator<Item = &Send> {
        self.earlier_sends.iter().chain([&self.last_send])
    }

    /// Digits of the newest code. Codes of other lengths are not accepted.
    pub fn code_length(&self) -> u8 {
        self.length_of(&self.last_send)
    }

    pub(super) fn length_of(&self, send: &Send) -> u8 {
        send.code_length.unwrap_or(self.policy.code_length())
    }

    /// Numbers of the messages, from 1, that are in the outbox: no provider has accepted them and they were not
    /// given up, or another provider may be asked.
    pub fn waiting_sends(&self) -> impl Iterator<Item = u32> {
        let waiting = (1..).zip(self.sends()).filter(|(_, send)| send.is_waiting());
        waiting.map(|(number, _)| number)
    }

    /// Names of the providers that took earlier messages by the channel of the newest one, which did not lead to an
    /// approval, or left them without an answer.
    pub fn earlier_providers(&self) -> impl Iterator<Item = &str> {
        let sends = self.earlier_sends.iter();
        let by_channel = sends.filter(|send| send.channel == self.last_send.channel);
        let names = by_channel
            .flat_map(|send| send.provider.iter().chain(&send.returned_by).chain(&send.unanswered));
        names.map(String::as_str)
    }

    /// The newest message.
    pub fn last_send(&self) -> &Send {
        &self.last_send
    }
}
