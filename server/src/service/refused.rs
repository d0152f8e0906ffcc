//! Refusals of the use cases, and the errors that clients see for them.

use std::time::Duration;

use app::{error::ApiError, work::Work};
use otp::{
    Limit, RecipientProblem, State, Timestamp,
    destinations::NotServed,
    limits::Exceeded,
    texts::TextRefused,
    verification::{RedeemRefused, ResendRefused},
};

use crate::{error_chain::log_error, store::StoreError};

/// Seconds that a client is asked to wait while the store is away.
const STORE_RETRY: u64 = 2;

/// Refusal of a use case. A wrong code is not a refusal but an outcome.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The text is not a recipient.
    #[error("reading the recipient")]
    Recipient(#[from] RecipientProblem),
    /// The site cannot reach the recipient, or not by this channel.
    #[error("the channel does not reach the recipient")]
    ChannelUnavailable,
    /// The site sends no text messages to the country or range of the number.
    #[error("the number is in a country or range that is not served")]
    DestinationNotServed,
    /// A limit across verifications is reached.
    #[error("a limit is reached")]
    Exceeded {
        /// The limit.
        exceeded: Exceeded,
        /// Time of the refusal.
        now: Timestamp,
    },
    /// Too many verifications of the destination of a text stay without approval.
    #[error("the destination is closed")]
    DestinationClosed {
        /// Time from which asking again can help.
        retry_at: Timestamp,
        /// Time of the refusal.
        now: Timestamp,
    },
    /// The next code may be sent at a later time.
    #[error("another code cannot be sent yet")]
    TooEarly {
        /// That time.
        at: Timestamp,
        /// Time of the refusal.
        now: Timestamp,
    },
    /// A proof of work is needed, or a wait.
    #[error("work is needed before a message is sent")]
    WorkNeeded(Work),
    /// The verification has sent as many messages as it may.
    #[error("no sends are left")]
    NoSendsLeft,
    /// The verification is over.
    #[error("the verification is over")]
    Finished,
    /// It has expired or never was.
    #[error("no such verification, or it has expired")]
    NotFound,
    /// The token is not one of ours for this site.
    #[error("the token is not valid")]
    InvalidToken,
    /// The token is past its time.
    #[error("the token has expired")]
    TokenExpired,
    /// The result was redeemed before.
    #[error("the result was redeemed before")]
    AlreadyRedeemed,
    /// The idempotency key belongs to another request.
    #[error("the idempotency key belongs to another request")]
    KeyReused,
    /// The store failed.
    #[error("storing the verification")]
    Store(#[from] StoreError),
    /// The generator or the encryption failed, without which no code is made.
    #[error("making a code")]
    Crypto,
}

impl Refused {
    pub(super) fn resend(refused: ResendRefused, now: Timestamp) -> Self {
        match refused {
            ResendRefused::TooEarly { at } => Self::TooEarly { at, now },
            ResendRefused::NoSendsLeft => Self::NoSendsLeft,
            ResendRefused::WrongChannel => Self::ChannelUnavailable,
            ResendRefused::Finished(State::Expired) => Self::NotFound,
            ResendRefused::Finished(_) => Self::Finished,
        }
    }

    pub(super) fn text(refused: TextRefused, now: Timestamp) -> Self {
        match refused {
            TextRefused::Ceiling { retry_at } => {
                Self::Exceeded { exceeded: Exceeded { limit: Limit::Texts, retry_at }, now }
            }
            TextRefused::Closed { retry_at } => Self::DestinationClosed { retry_at, now },
        }
    }

    /// The refusal of the test site whose limit is always reached.
    pub(super) fn test_limit(now: Timestamp) -> Self {
        let retry_at = now + Duration::from_secs(60);
        Self::Exceeded { exceeded: Exceeded { limit: Limit::RecipientSends, retry_at }, now }
    }
}

impl From<NotServed> for Refused {
    fn from(refused: NotServed) -> Self {
        match refused {
            NotServed::Destination => Self::DestinationNotServed,
            NotServed::LineType => Self::Recipient(RecipientProblem::NotMobile),
        }
    }
}

impl From<RedeemRefused> for Refused {
    fn from(refused: RedeemRefused) -> Self {
        match refused {
            RedeemRefused::NotApproved => Self::NotFound,
            RedeemRefused::AlreadyRedeemed => Self::AlreadyRedeemed,
        }
    }
}

/// The closed set that a client may know. Faults of the server are logged here, once.
impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Recipient(problem) => Self::InvalidRecipient { problem },
            Refused::ChannelUnavailable => Self::ChannelUnavailable,
            Refused::DestinationNotServed => Self::DestinationNotServed,
            Refused::Exceeded { exceeded, now } => Self::RateLimited {
                limit: exceeded.limit,
                retry_after: seconds_until(exceeded.retry_at, now),
            },
            Refused::TooEarly { at, now } => {
                Self::ResendTooEarly { retry_after: seconds_until(at, now) }
            }
            Refused::DestinationClosed { retry_at, now } => {
                Self::DestinationBlocked { retry_after: seconds_until(retry_at, now) }
            }
            Refused::WorkNeeded(work) => Self::WorkNeeded(work),
            Refused::NoSendsLeft => Self::NoSendsLeft,
            Refused::Finished => Self::AlreadyFinished,
            Refused::NotFound => Self::NotFound,
            Refused::InvalidToken => Self::InvalidToken,
            Refused::TokenExpired => Self::TokenExpired,
            Refused::AlreadyRedeemed => Self::TokenAlreadyRedeemed,
            Refused::KeyReused => Self::IdempotencyKeyReused,
            Refused::Store(error @ StoreError::Unavailable(_)) => {
                log_error(&error, "the store did not answer");
                Self::Unavailable { retry_after: STORE_RETRY }
            }
            Refused::Store(error) => {
                log_error(&error, "the store failed");
                Self::Internal
            }
            Refused::Crypto => {
                log_error(&refused, "no code could be made");
                Self::Internal
            }
        }
    }
}

/// Whole seconds, rounded up: after them the time has come.
pub(super) fn seconds_until(at: Timestamp, now: Timestamp) -> u64 {
    at.since(now).as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s26_a_store_that_is_away_asks_for_patience_and_a_broken_one_is_a_fault() {
        let refused = |error| ApiError::from(Refused::Store(error));
        let away = refused(StoreError::Unavailable("locked".into()));
        assert_eq!((away.status(), away.retry_after()), (503, Some(STORE_RETRY)));
        for fault in [StoreError::Corrupt("not JSON".into()), StoreError::Panicked] {
            assert_eq!(refused(fault), ApiError::Internal);
        }
        assert_eq!(ApiError::from(Refused::Crypto), ApiError::Internal);
    }

    #[test]
    fn a_client_that_waits_as_long_as_it_was_told_has_waited_long_enough() {
        let now = Timestamp::from_millis(10_000);
        for (at, seconds) in [(10_001, 1), (11_000, 1), (11_001, 2), (70_000, 60)] {
            assert_eq!(seconds_until(Timestamp::from_millis(at), now), seconds);
        }
        // Asking again at once would be refused again.
        assert_eq!(seconds_until(now, now), 1);
    }
}
