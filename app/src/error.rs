//! Errors that a client may see.
//!
//! The set is closed and holds neither free text nor anything personal. Their words are in the
//! catalogue, their status codes in [`ApiError::status`].

pub use otp_types::{Limit, RecipientProblem};

/// A refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(
    feature = "ssr",
    derive(serde::Serialize),
    serde(tag = "code", rename_all = "snake_case")
)]
pub enum ApiError {
    /// The recipient is not an address or number that can be sent to.
    #[error("the recipient is not valid")]
    InvalidRecipient {
        /// Its problem.
        problem: RecipientProblem,
    },
    /// No provider is configured for the channel.
    #[error("the channel is not available")]
    ChannelUnavailable,
    /// Too much was asked for lately.
    #[error("too many requests of this kind")]
    RateLimited {
        /// The limit.
        limit: Limit,
        /// Whole seconds until asking again can help.
        retry_after: u64,
    },
    /// Another code was asked for before its wait was over.
    #[error("another code cannot be sent yet")]
    ResendTooEarly {
        /// Whole seconds to wait.
        retry_after: u64,
    },
    /// The verification has sent as many messages as it may.
    #[error("no sends are left")]
    NoSendsLeft,
    /// The verification is over; its state says how.
    #[error("the verification is over")]
    AlreadyFinished,
    /// There is no such verification, or it has expired: the two look alike on purpose.
    #[error("no such verification, or it has expired")]
    NotFound,
    /// The secret key is missing or unknown.
    #[error("the secret key is missing or unknown")]
    Unauthorized,
    /// A field of the request cannot be accepted.
    #[error("a field of the request is not valid")]
    InvalidField {
        /// The field.
        field: Field,
    },
    /// The return URL is none that the site has listed.
    #[error("the return URL is not one of the site's")]
    InvalidReturnUrl,
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    IdempotencyKeyReused,
    /// The token is none of ours for this site, or was altered.
    #[error("the token is not valid")]
    InvalidToken,
    /// The token is past its time.
    #[error("the token has expired")]
    TokenExpired,
    /// The token was redeemed before; it is good once.
    #[error("the token was redeemed before")]
    TokenAlreadyRedeemed,
    /// No site has this public key, or the site does not list the origin of the page.
    #[error("pages of this origin may not embed this site")]
    NotEmbeddable,
    /// The request does not come from our own page.
    #[error("the request comes from another site")]
    CrossSite,
    /// The request could not be read.
    #[error("the request could not be read")]
    BadRequest,
    /// The store is away; nothing was changed.
    #[error("the service is unavailable for the moment")]
    Unavailable {
        /// Whole seconds until asking again can help.
        retry_after: u64,
    },
    /// A fault on our side.
    #[error("something went wrong on our side")]
    Internal,
}

/// A field of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "ssr", derive(serde::Serialize), serde(rename_all = "snake_case"))]
pub enum Field {
    /// The page's state.
    State,
}

impl ApiError {
    /// The HTTP status that goes with it.
    pub fn status(&self) -> u16 {
        match self {
            Self::InvalidRecipient { .. }
            | Self::ChannelUnavailable
            | Self::InvalidField { .. }
            | Self::IdempotencyKeyReused
            | Self::InvalidToken
            | Self::TokenExpired => 422,
            Self::BadRequest | Self::InvalidReturnUrl => 400,
            Self::Unauthorized => 401,
            Self::CrossSite | Self::NotEmbeddable => 403,
            Self::NotFound => 404,
            Self::AlreadyFinished | Self::NoSendsLeft | Self::TokenAlreadyRedeemed => 409,
            Self::RateLimited { .. } | Self::ResendTooEarly { .. } => 429,
            Self::Unavailable { .. } => 503,
            Self::Internal => 500,
        }
    }

    /// Whole seconds for the `Retry-After` header, where waiting helps.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::RateLimited { retry_after, .. }
            | Self::ResendTooEarly { retry_after }
            | Self::Unavailable { retry_after } => Some(*retry_after),
            _ => None,
        }
    }
}
