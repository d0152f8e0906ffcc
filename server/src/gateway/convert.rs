//! The domain's values as the wire's, and back.

use app::{
    code::{Typed, read},
    error::{ApiError, Limit, RecipientProblem},
    wire,
};
use otp::{Channel, Code, Timestamp, VerificationId, send, verification};

use crate::{error_chain::log_error, limits, service::Refused, store::StoreError};

/// How long a caller is asked to wait while the store is away, in seconds.
const STORE_RETRY: u64 = 2;

pub(super) fn api_error(refused: Refused) -> ApiError {
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
        Refused::TokenExpired => ApiError::TokenExpired,
        Refused::AlreadyRedeemed => ApiError::TokenAlreadyRedeemed,
        Refused::RequestReused => ApiError::IdempotencyKeyReused,
        Refused::Store(error @ StoreError::Unavailable(_)) => {
            log_error(&error, "the store did not answer");
            ApiError::Unavailable { retry_after: STORE_RETRY }
        }
        Refused::Store(error) => {
            log_error(&error, "the store failed");
            ApiError::Internal
        }
        Refused::Generator => {
            log_error(&refused, "no code could be made");
            ApiError::Internal
        }
    }
}

/// The id that was asked for; one that nobody has where it cannot be any (S9).
pub(super) fn id_of(text: &str) -> VerificationId {
    text.parse().unwrap_or(VerificationId::first_at(Timestamp::default()))
}

/// A guess as typed, as a code of so many digits.
pub(super) fn reading(guess: &str) -> impl Fn(u8) -> Option<Code> + Send + 'static {
    let guess = guess.to_owned();
    move |length| match read(&guess, length) {
        Typed::Code(digits) => Code::parse(&digits).ok(),
        _ => None,
    }
}

/// Whole seconds, rounded up: after them the time has come.
fn seconds_until(at: Timestamp, now: Timestamp) -> u64 {
    at.since(now).as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX).max(1)
}

pub(super) fn from_wire(channel: wire::Channel) -> Channel {
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

pub(super) fn state(state: verification::State) -> wire::State {
    match state {
        verification::State::Pending => wire::State::Pending,
        verification::State::Approved => wire::State::Approved,
        verification::State::Canceled => wire::State::Canceled,
        verification::State::Expired => wire::State::Expired,
        verification::State::MaxAttemptsReached => wire::State::MaxAttemptsReached,
        verification::State::Failed => wire::State::Failed,
    }
}

pub(super) fn delivery(delivery: send::Delivery) -> wire::DeliveryState {
    match delivery {
        send::Delivery::Accepted => wire::DeliveryState::Accepted,
        send::Delivery::Sent => wire::DeliveryState::Sent,
        send::Delivery::Delivered => wire::DeliveryState::Delivered,
        send::Delivery::Undelivered => wire::DeliveryState::Undelivered,
    }
}

pub(super) fn wire_outcome(outcome: verification::Outcome) -> wire::Outcome {
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

fn limit(limit: limits::Limit) -> Limit {
    match limit {
        limits::Limit::RecipientSends => Limit::RecipientSends,
        limits::Limit::RecipientChecks => Limit::RecipientChecks,
        limits::Limit::CallerSends => Limit::CallerSends,
        limits::Limit::CallerChecks => Limit::CallerChecks,
    }
}

pub(super) fn recipient_problem(problem: otp::RecipientProblem) -> RecipientProblem {
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
