//! Errors that a client may see.
//!
//! The set is closed and holds neither free text nor anything personal. Their words are in the
//! catalogue, their status codes in [`ApiError::status`].

pub use otp_types::{Limit, RecipientProblem};

use crate::work::Work;

/// A refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "ssr",
    derive(serde::Serialize),
    serde(tag = "code", rename_all = "snake_case")
)]
pub enum ApiError {
    /// The recipient is not an address or number that can be sent to.
    InvalidRecipient {
        /// Its problem.
        problem: RecipientProblem,
    },
    /// The channel does not reach the recipient: it is not used, or no provider carries it there.
    ChannelUnavailable,
    /// The site sends no text messages to the country or range of the number.
    DestinationNotServed,
    /// Too much was asked for lately.
    RateLimited {
        /// The limit.
        limit: Limit,
        /// Whole seconds until asking again can help.
        retry_after: u64,
    },
    /// Too many verifications of the number's destination stayed without approval lately.
    DestinationBlocked {
        /// Whole seconds until asking again can help.
        retry_after: u64,
    },
    /// Another code was asked for before its wait was over.
    ResendTooEarly {
        /// Whole seconds to wait.
        retry_after: u64,
    },
    /// A proof of work is needed before a message is sent, or a wait.
    WorkNeeded(Work),
    /// The verification has sent as many messages as it may.
    NoSendsLeft,
    /// The verification is over; its state says how.
    AlreadyFinished,
    /// There is no such verification, or it has expired: the two look alike on purpose.
    NotFound,
    /// The secret key is missing or unknown.
    Unauthorized,
    /// The return URL is none that the site has listed.
    InvalidReturnUrl,
    /// The idempotency key was used for another request.
    IdempotencyKeyReused,
    /// The token is none of ours for this site, or was altered.
    InvalidToken,
    /// The token is past its time.
    TokenExpired,
    /// The token was redeemed before; it is good once.
    TokenAlreadyRedeemed,
    /// No site has this public key, or the site does not list the origin of the page.
    NotEmbeddable,
    /// The request does not come from our own page.
    CrossSite,
    /// The server runs in development mode, and the request was not made on its machine.
    DevelopmentOnly,
    /// The request could not be read.
    BadRequest,
    /// The store is away; nothing was changed.
    Unavailable {
        /// Whole seconds until asking again can help.
        retry_after: u64,
    },
    /// A fault on our side.
    Internal,
}

impl ApiError {
    /// The HTTP status that goes with it.
    pub fn status(&self) -> u16 {
        match self {
            Self::InvalidRecipient { .. }
            | Self::ChannelUnavailable
            | Self::DestinationNotServed
            | Self::IdempotencyKeyReused
            | Self::InvalidToken
            | Self::TokenExpired => 422,
            Self::BadRequest | Self::InvalidReturnUrl => 400,
            Self::Unauthorized => 401,
            Self::CrossSite | Self::NotEmbeddable => 403,
            Self::NotFound => 404,
            Self::AlreadyFinished | Self::NoSendsLeft | Self::TokenAlreadyRedeemed => 409,
            Self::DevelopmentOnly => 421,
            Self::RateLimited { .. }
            | Self::DestinationBlocked { .. }
            | Self::ResendTooEarly { .. }
            | Self::WorkNeeded(_) => 429,
            Self::Unavailable { .. } => 503,
            Self::Internal => 500,
        }
    }

    /// Whole seconds for the `Retry-After` header, where waiting helps.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::RateLimited { retry_after, .. }
            | Self::DestinationBlocked { retry_after }
            | Self::ResendTooEarly { retry_after }
            | Self::Unavailable { retry_after }
            | Self::WorkNeeded(Work { retry_after, .. }) => Some(*retry_after),
            _ => None,
        }
    }
}
