//! The service as the pages and the API see it: [`Port`] over [`Service`].
//!
//! This is the one place where the domain's values become the wire's, which hold masked recipients
//! and no code, and where reasons for a refusal become the closed set that a browser may know.

use app::{
    code::{Typed, read},
    error::{ApiError, Limit, RecipientProblem},
    port::{Caller, Port},
    wire,
};
use async_trait::async_trait;
use otp::{Channel, Code, Recipient, Timestamp, VerificationId, send, verification};

use crate::{
    limit,
    report::report,
    service::{Checked, Refused, Service, Snapshot},
    store::{Store, StoreError},
};

/// How long a caller is asked to wait while the store is away, in seconds.
const STORE_RETRY: u64 = 2;

/// What the hosted page offers.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The channels that have a provider.
    pub channels: Vec<Channel>,
    /// The region in which a phone number without one is read.
    pub default_country: String,
    /// The one recipient that codes go to, where nothing is asked for.
    pub fixed_recipient: Option<Recipient>,
}

/// The port over a service.
#[derive(Debug)]
pub struct Gateway<S> {
    service: Service<S>,
    offer: Offer,
}

impl<S: Store> Gateway<S> {
    /// Opens the door to `service`.
    pub fn new(service: Service<S>, offer: Offer) -> Self {
        Self { service, offer }
    }

    fn recipient(&self, request: &wire::StartRequest) -> Result<Recipient, ApiError> {
        if let Some(fixed) = &self.offer.fixed_recipient {
            return Ok(fixed.clone());
        }
        let country = request.country.as_deref().filter(|country| !country.is_empty());
        let country = country.unwrap_or(&self.offer.default_country);
        let channel = request.channel.map(from_wire);
        Recipient::parse(&request.to, Some(country), channel)
            .map_err(|problem| ApiError::InvalidRecipient { problem: recipient_problem(problem) })
    }

    fn view_of(&self, snapshot: &Snapshot) -> wire::VerificationView {
        let Snapshot { verification, now } = snapshot;
        let send = verification.last_send();
        let reaching = verification.recipient().channel();
        let channels = self.offer.channels.iter().filter(|channel| **channel == reaching);
        wire::VerificationView {
            id: verification.id().to_string(),
            state: state(verification.state(*now)),
            recipient: verification.recipient().masked(),
            code_length: verification.policy().code_length(),
            attempts_left: verification.attempts_left(),
            sends_left: verification.sends_left(),
            delivery: wire::Delivery {
                channel: to_wire(send.channel),
                state: delivery(send.delivery),
                tries: send.tries,
                number: verification.send_count(),
            },
            channels: channels.map(|channel| to_wire(*channel)).collect(),
            now: now.as_millis(),
            code_expires_at: verification.code_expires_at().as_millis(),
            resend_at: verification.resend_at().as_millis(),
            expires_at: verification.expires_at().as_millis(),
        }
    }
}

#[async_trait]
impl<S: Store> Port for Gateway<S> {
    async fn start(
        &self,
        caller: &Caller,
        request: wire::StartRequest,
    ) -> Result<wire::VerificationView, ApiError> {
        let recipient = self.recipient(&request)?;
        if !self.offer.channels.contains(&recipient.channel()) {
            return Err(ApiError::ChannelUnavailable);
        }
        let purpose = "hosted-page";
        let started = self.service.start(caller.address, recipient, purpose, &caller.locale).await;
        started.map(|snapshot| self.view_of(&snapshot)).map_err(api_error)
    }

    async fn view(&self, id: &str) -> Result<Option<wire::VerificationView>, ApiError> {
        // What cannot be an id is an unknown one, looked for like any other (S9).
        let found = self.service.find(id_of(id)).await.map_err(api_error)?;
        Ok(found.map(|snapshot| self.view_of(&snapshot)))
    }

    async fn check(
        &self,
        caller: &Caller,
        id: &str,
        guess: &str,
    ) -> Result<wire::CheckAnswer, ApiError> {
        let guess = guess.to_owned();
        let as_code = move |length| match read(&guess, length) {
            Typed::Code(digits) => Code::parse(&digits).ok(),
            _ => None,
        };
        let checked = self.service.check(caller.address, id_of(id), as_code).await;
        let Checked { outcome, snapshot } = checked.map_err(api_error)?;
        Ok(wire::CheckAnswer {
            outcome: wire_outcome(outcome),
            verification: snapshot.map(|snapshot| self.view_of(&snapshot)),
        })
    }

    async fn resend(
        &self,
        caller: &Caller,
        id: &str,
        channel: Option<wire::Channel>,
    ) -> Result<wire::VerificationView, ApiError> {
        let channel = channel.map(from_wire);
        if channel.is_some_and(|channel| !self.offer.channels.contains(&channel)) {
            return Err(ApiError::ChannelUnavailable);
        }
        let resent = self.service.resend(caller.address, id_of(id), channel).await;
        resent.map(|snapshot| self.view_of(&snapshot)).map_err(api_error)
    }

    async fn cancel(&self, _caller: &Caller, id: &str) -> Result<(), ApiError> {
        self.service.cancel(id_of(id)).await.map_err(api_error)
    }
}

/// The id that was asked for; one that nobody has where it cannot be any.
fn id_of(text: &str) -> VerificationId {
    text.parse().unwrap_or(VerificationId::first_at(Timestamp::default()))
}

fn api_error(refused: Refused) -> ApiError {
    match refused {
        Refused::Exceeded { exceeded, now } => ApiError::RateLimited {
            limit: limit(exceeded.limit),
            retry_after: seconds_until(exceeded.retry_at, now),
        },
        Refused::TooEarly { at, now } => {
            ApiError::ResendTooEarly { retry_after: seconds_until(at, now) }
        }
        Refused::NoSendsLeft => ApiError::NoSendsLeft,
        Refused::WrongChannel => ApiError::ChannelUnavailable,
        Refused::Finished => ApiError::AlreadyFinished,
        Refused::NotFound => ApiError::NotFound,
        Refused::Store(error @ StoreError::Unavailable(_)) => {
            report(&error, "the store did not answer");
            ApiError::Unavailable { retry_after: STORE_RETRY }
        }
        Refused::Store(error) => {
            report(&error, "the store failed");
            ApiError::Internal
        }
        Refused::Generator => {
            report(&refused, "no code could be made");
            ApiError::Internal
        }
    }
}

/// Whole seconds, rounded up: after them the time has come.
fn seconds_until(at: Timestamp, now: Timestamp) -> u64 {
    at.since(now).as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX).max(1)
}

fn from_wire(channel: wire::Channel) -> Channel {
    match channel {
        wire::Channel::Email => Channel::Email,
        wire::Channel::Sms => Channel::Sms,
    }
}

/// A channel as the wire writes it.
pub fn to_wire(channel: Channel) -> wire::Channel {
    match channel {
        Channel::Email => wire::Channel::Email,
        Channel::Sms => wire::Channel::Sms,
    }
}

fn state(state: verification::State) -> wire::State {
    match state {
        verification::State::Pending => wire::State::Pending,
        verification::State::Approved => wire::State::Approved,
        verification::State::Canceled => wire::State::Canceled,
        verification::State::Expired => wire::State::Expired,
        verification::State::MaxAttemptsReached => wire::State::MaxAttemptsReached,
        verification::State::Failed => wire::State::Failed,
    }
}

fn delivery(delivery: send::Delivery) -> wire::DeliveryState {
    match delivery {
        send::Delivery::Accepted => wire::DeliveryState::Accepted,
        send::Delivery::Sent => wire::DeliveryState::Sent,
        send::Delivery::Delivered => wire::DeliveryState::Delivered,
        send::Delivery::Undelivered => wire::DeliveryState::Undelivered,
    }
}

fn wire_outcome(outcome: verification::Outcome) -> wire::Outcome {
    match outcome {
        verification::Outcome::Approved => wire::Outcome::Approved,
        verification::Outcome::AlreadyUsed => wire::Outcome::AlreadyUsed,
        verification::Outcome::Incorrect { attempts_left } => {
            wire::Outcome::Incorrect { attempts_left }
        }
        verification::Outcome::Malformed { expected } => wire::Outcome::Malformed { expected },
        verification::Outcome::Expired => wire::Outcome::Expired,
        verification::Outcome::TooManyAttempts => wire::Outcome::TooManyAttempts,
        verification::Outcome::Canceled => wire::Outcome::Canceled,
    }
}

fn limit(limit: limit::Limit) -> Limit {
    match limit {
        limit::Limit::RecipientSends => Limit::RecipientSends,
        limit::Limit::RecipientChecks => Limit::RecipientChecks,
        limit::Limit::CallerSends => Limit::CallerSends,
        limit::Limit::CallerChecks => Limit::CallerChecks,
    }
}

fn recipient_problem(problem: otp::RecipientProblem) -> RecipientProblem {
    match problem {
        otp::RecipientProblem::Empty => RecipientProblem::Empty,
        otp::RecipientProblem::Email => RecipientProblem::Email,
        otp::RecipientProblem::Phone => RecipientProblem::Phone,
        otp::RecipientProblem::CountryMissing => RecipientProblem::CountryMissing,
        otp::RecipientProblem::PhoneTooShort => RecipientProblem::PhoneTooShort,
        otp::RecipientProblem::PhoneTooLong => RecipientProblem::PhoneTooLong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s26_a_store_that_is_away_is_a_matter_of_waiting_and_one_that_is_broken_is_a_fault() {
        let refused = |error| api_error(Refused::Store(error));
        let away = refused(StoreError::Unavailable("locked".into()));
        assert_eq!((away.status(), away.retry_after()), (503, Some(STORE_RETRY)));
        for fault in [StoreError::Corrupt("no JSON".into()), StoreError::Panicked] {
            assert_eq!(refused(fault), ApiError::Internal);
        }
        assert_eq!(api_error(Refused::Generator), ApiError::Internal);
    }

    #[test]
    fn who_waits_as_long_as_they_were_told_has_waited_long_enough() {
        let now = Timestamp::from_millis(10_000);
        for (at, seconds) in [(10_001, 1), (11_000, 1), (11_001, 2), (70_000, 60)] {
            assert_eq!(seconds_until(Timestamp::from_millis(at), now), seconds);
        }
        // Asking again at once would be told the same.
        assert_eq!(seconds_until(now, now), 1);
    }

    #[test]
    fn s9_what_cannot_be_an_id_is_looked_for_like_one_that_nobody_has() {
        let nobody = id_of("no id at all");
        assert_eq!(nobody, id_of(""));
        assert_eq!(nobody.created_at(), Timestamp::default());
    }
}
