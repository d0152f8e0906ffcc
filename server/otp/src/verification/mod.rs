//! The state machine of one verification.
//!
//! [`Verification::check`] counts, expires, consumes and locks in one step. The store applies it
//! atomically, so of many concurrent right codes exactly one is approved, and of many concurrent wrong
//! ones no more than the allowed checks are compared.
//!
//! A verification outlives its codes: until its window ends, a person whose code has expired can
//! request another one, and the verification stays `pending`. States never go backwards.

mod accessors;
mod counted;
mod receipts;

use std::time::Duration;

use otp_types::{Channel, DeliveryState, Outcome, State};
use serde::{Deserialize, Serialize};

use self::counted::Counted;
pub use self::receipts::{AfterReturn, AfterTaken, Taken};
use crate::{
    claim::ClaimDigest,
    code::Code,
    details::Details,
    digest::{Binding, CodeDigest, Peppers},
    id::VerificationId,
    policy::Policy,
    recipient::Recipient,
    risk::Reservations,
    send::Send,
    time::Timestamp,
};

/// The verification of one recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    id: VerificationId,
    site: String,
    recipient: Recipient,
    purpose: String,
    locale: String,
    policy: Policy,
    created_at: Timestamp,
    wrong_checks: u32,
    /// Digests of the guesses that were refused since the newest code was made. Trying one of them again tells nothing
    /// new, and is not counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    refused: Vec<CodeDigest>,
    /// Newest last; never more than `policy.live_codes`.
    codes: Vec<LiveCode>,
    /// All sends but the newest, in order.
    earlier_sends: Vec<Send>,
    last_send: Send,
    finished: Option<Finished>,
    /// Digest of the claim that came with the check that was approved, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    claim: Option<ClaimDigest>,
    #[serde(default, skip_serializing_if = "Details::is_empty")]
    details: Details,
    /// Time at which the result was redeemed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    redeemed_at: Option<Timestamp>,
    /// Number of events recorded for webhooks.
    #[serde(default, skip_serializing_if = "is_zero")]
    events: u32,
    /// End of the newest code's time, if it was withdrawn before, since it had too few digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    withdrawn: Option<Timestamp>,
    /// Time at which the recipient said that they had not asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    disowned_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Counted::is_from_beginning")]
    counted: Counted,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Parameters of a new verification.
#[derive(Clone, Debug)]
pub struct Opening {
    /// A fresh id.
    pub id: VerificationId,
    /// Name of the site.
    pub site: String,
    /// The recipient to verify.
    pub recipient: Recipient,
    /// The site's purpose; codes are bound to it.
    pub purpose: String,
    /// Language of the messages, a BCP 47 tag.
    pub locale: String,
    /// The policy.
    pub policy: Policy,
    /// Attached data, returned with the result.
    pub details: Details,
}

/// A code that is accepted until it expires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct LiveCode {
    digest: CodeDigest,
    channel: Channel,
    expires_at: Timestamp,
}

/// The end of a verification other than by expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Finished {
    state: State,
    at: Timestamp,
    /// Channel of the code that was right, if it is not that of the newest message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    channel: Option<Channel>,
}

/// Reason for not sending another code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResendRefused {
    /// The wait after the last message is not over.
    TooEarly {
        /// Earliest time of the next one.
        at: Timestamp,
    },
    /// All messages of the policy have been sent.
    NoSendsLeft,
    /// The channel does not reach this kind of recipient.
    WrongChannel,
    /// The verification has ended.
    Finished(State),
}

/// Reason for not redeeming a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedeemRefused {
    /// The verification is not approved.
    NotApproved,
    /// The result was redeemed before.
    AlreadyRedeemed,
}

impl Verification {
    /// Opens a verification with its first code, which the caller has to send.
    pub fn open(
        opening: Opening,
        channel: Channel,
        code: &Code,
        peppers: &Peppers,
        now: Timestamp,
    ) -> Self {
        let Opening { id, site, recipient, purpose, locale, policy, details } = opening;
        let length = length_of(code, &policy, &details);
        let last_send = Send::accepted(channel, now, &policy, length);
        let mut verification = Self {
            id,
            site,
            recipient,
            purpose,
            locale,
            policy,
            created_at: now,
            wrong_checks: 0,
            refused: Vec::new(),
            codes: Vec::with_capacity(1),
            earlier_sends: Vec::new(),
            last_send,
            finished: None,
            claim: None,
            details,
            redeemed_at: None,
            events: 0,
            withdrawn: None,
            disowned_at: None,
            counted: Counted::FromBeginning,
        };
        verification.make_live(code, peppers);
        verification
    }

    /// Checks one guess, as it was typed. If it is approved, the proof is for whoever has `claim` (S31).
    pub fn check(
        &mut self,
        typed: &str,
        claim: Option<ClaimDigest>,
        peppers: &Peppers,
        now: Timestamp,
    ) -> Outcome {
        match self.state(now) {
            State::Pending => {}
            State::Approved => return Outcome::AlreadyUsed,
            State::Canceled => return Outcome::Canceled,
            State::MaxAttemptsReached => return Outcome::TooManyAttempts,
            State::Expired | State::Failed => return Outcome::Expired,
        }
        let expected = self.code_length();
        let guess = match Code::read(typed, expected) {
            Ok(guess) => guess,
            Err(problem) => return Outcome::Malformed { expected, problem },
        };
        let mut live = self.codes.iter().filter(|code| now < code.expires_at).peekable();
        if live.peek().is_none() {
            // No code could match, so the check is not counted.
            return Outcome::Expired;
        }
        let recipient = self.recipient.canonical();
        let right = live.find(|code| {
            peppers.matches(&code.digest, &self.binding(code.channel, &recipient), &guess)
        });
        if let Some(&LiveCode { channel, .. }) = right {
            let channel = Some(channel).filter(|channel| *channel != self.last_send.channel);
            self.finish(Finished { state: State::Approved, at: now, channel });
            self.claim = claim;
            return Outcome::Approved;
        }
        let binding = self.binding(self.last_send.channel, &recipient);
        if self.refused.iter().any(|digest| peppers.matches(digest, &binding, &guess)) {
            return Outcome::AlreadyTried { attempts_left: self.attempts_left() };
        }
        let refused = peppers.digest(&binding, &guess);
        self.refused.push(refused);
        self.wrong_checks += 1;
        if self.attempts_left() == 0 {
            self.end(State::MaxAttemptsReached, now);
        }
        Outcome::Incorrect { attempts_left: self.attempts_left() }
    }

    /// Whether another code may be sent by `channel` now.
    ///
    /// # Errors
    /// The reason why not.
    pub fn may_resend(&self, channel: Channel, now: Timestamp) -> Result<(), ResendRefused> {
        match self.state(now) {
            State::Pending => {}
            over => return Err(ResendRefused::Finished(over)),
        }
        if !self.recipient.channels().contains(&channel) {
            return Err(ResendRefused::WrongChannel);
        }
        if self.sends_left() == 0 {
            return Err(ResendRefused::NoSendsLeft);
        }
        if now < self.resend_at() {
            return Err(ResendRefused::TooEarly { at: self.resend_at() });
        }
        Ok(())
    }

    /// Adds a live code and records its message, which the caller has to send. The number of checks left
    /// does not change. Codes before it that have another length end.
    ///
    /// # Errors
    /// As [`Verification::may_resend`]; nothing changes.
    pub fn resend(
        &mut self,
        channel: Channel,
        code: &Code,
        peppers: &Peppers,
        now: Timestamp,
    ) -> Result<(), ResendRefused> {
        self.may_resend(channel, now)?;
        let length = length_of(code, &self.policy, &self.details);
        if length != self.code_length() {
            // The page asks for as many digits as the newest code has.
            self.codes.clear();
        }
        let send = Send::accepted(channel, now, &self.policy, length);
        self.earlier_sends.push(std::mem::replace(&mut self.last_send, send));
        self.withdrawn = None;
        self.make_live(code, peppers);
        Ok(())
    }

    /// Cancels the verification. Does nothing if it has ended.
    pub fn cancel(&mut self, now: Timestamp) {
        if self.state(now) == State::Pending {
            self.end(State::Canceled, now);
        }
    }

    /// Records that the recipient did not ask for it, and cancels it if it is pending. Returns whether this
    /// is the first time; later ones change nothing.
    pub fn disown(&mut self, now: Timestamp) -> bool {
        if self.disowned_at.is_some() {
            return false;
        }
        self.cancel(now);
        self.disowned_at = Some(now);
        true
    }

    /// Redeems the result.
    ///
    /// # Errors
    /// If the verification is not approved or its result was redeemed before.
    pub fn redeem(&mut self, now: Timestamp) -> Result<(), RedeemRefused> {
        if self.state(now) != State::Approved {
            return Err(RedeemRefused::NotApproved);
        }
        if self.redeemed_at.is_some() {
            return Err(RedeemRefused::AlreadyRedeemed);
        }
        self.redeemed_at = Some(now);
        Ok(())
    }

    /// Records the delivery state of message `number` (from 1) after `tries` tries. Neither value ever
    /// goes backwards, so late and repeated reports do no harm.
    pub fn record_delivery(&mut self, number: u32, delivery: DeliveryState, tries: u32) {
        let Some(index) = number.checked_sub(1).map(|index| index as usize) else { return };
        let mut sends = self.earlier_sends.iter_mut().chain([&mut self.last_send]);
        let Some(send) = sends.nth(index) else { return };
        send.delivery = send.delivery.max(delivery);
        send.tries = send.tries.max(tries);
    }

    /// Records a provider that was asked to take message `number` and did not answer.
    pub fn record_unanswered(&mut self, number: u32, provider: &str) {
        let Some(index) = number.checked_sub(1).map(|index| index as usize) else { return };
        let mut sends = self.earlier_sends.iter_mut().chain([&mut self.last_send]);
        if let Some(send) = sends.nth(index)
            && !send.unanswered.iter().any(|known| known == provider)
        {
            send.unanswered.push(provider.to_owned());
        }
    }

    /// Ends the verification after a permanent refusal, unless a message was or may still be delivered.
    pub fn record_refusal(&mut self, now: Timestamp) {
        if self.state(now) == State::Pending && self.nothing_delivered() {
            self.end(State::Failed, now);
        }
    }

    /// Withdraws the codes of a pending verification if they have fewer digits than `shortest`: they expire
    /// at once, and another one may be sent without a wait, even if it is one more than the policy allows.
    pub fn withdraw_codes_shorter_than(&mut self, shortest: u8, now: Timestamp) {
        let is_short = self.code_length() < shortest && now < self.code_expires_at();
        if is_short && self.state(now) == State::Pending {
            self.codes.clear();
            // The verification itself lasts as long as it would have.
            self.withdrawn = Some(self.last_send.expires_at);
            self.last_send.expires_at = now;
        }
    }

    /// Digits of a further code under this policy, `shortest` at the least, by what is reserved for the
    /// recipient.
    pub fn next_length(&self, reserved: &Reservations, shortest: u8, now: Timestamp) -> u8 {
        self.policy.next_length(reserved, self.code_length().max(shortest), now)
    }

    /// Reserves the risk of the newest code, in counters whose time is ahead by `lead`.
    pub fn reserve(&self, reserved: &mut Reservations, lead: Duration) {
        reserved.reserve(self.code_length(), self.policy.checks(), self.last_send.at + lead);
    }

    /// Gives back the risks of all codes, none of which can be guessed any more, except those of the
    /// guesses that were made.
    pub fn give_back(&self, reserved: &mut Reservations, lead: Duration) {
        for send in self.sends() {
            reserved.give_back(self.length_of(send), self.attempts_left(), send.at + lead);
        }
    }

    /// Takes the number of the next event, from 1.
    pub fn number_event(&mut self) -> u32 {
        self.events = self.events.saturating_add(1);
        self.events
    }

    /// Makes the code of the newest send live and drops the oldest ones beyond the policy.
    fn make_live(&mut self, code: &Code, peppers: &Peppers) {
        let Send { channel, expires_at, .. } = self.last_send;
        let recipient = self.recipient.canonical();
        let digest = peppers.digest(&self.binding(channel, &recipient), code);
        self.codes.push(LiveCode { digest, channel, expires_at });
        self.refused.clear();
        let superseded = self.codes.len().saturating_sub(self.policy.live_codes());
        self.codes.drain(..superseded);
    }

    fn end(&mut self, state: State, now: Timestamp) {
        self.finish(Finished { state, at: now, channel: None });
    }

    fn finish(&mut self, finished: Finished) {
        self.finished = Some(finished);
        // They cannot match any more.
        self.codes.clear();
        self.refused.clear();
    }

    fn nothing_delivered(&self) -> bool {
        self.deliveries().all(|delivery| delivery == DeliveryState::Undelivered)
    }

    fn binding<'a>(&'a self, channel: Channel, recipient: &'a str) -> Binding<'a> {
        Binding {
            site: &self.site,
            verification: &self.id,
            recipient,
            channel,
            purpose: &self.purpose,
        }
    }
}

/// Digits that a guess at `code` must have. A test code that no guess may match has another length than
/// the policy says.
fn length_of(code: &Code, policy: &Policy, details: &Details) -> u8 {
    if details.test_mode { policy.code_length() } else { code.length() }
}

#[cfg(test)]
mod tests;
