//! Failed tries.

use otp::Timestamp;
use serde::{Deserialize, Serialize};

/// A failed try to send a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {reason}")]
pub struct Undelivered {
    /// Whether a retry can help.
    pub kind: Failure,
    /// For the operator: the failed action and protocol codes. Never text of the other side, since mail
    /// servers and gateways repeat the recipient in it.
    pub reason: String,
    /// Time before which the provider asks not to be tried again.
    pub not_before: Option<Timestamp>,
    /// Whether it may concern this recipient alone, so that by itself it shows nothing about the provider.
    pub may_concern_recipient: bool,
}

/// Kind of a failed try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The message was not sent; a later try may succeed.
    Transient,
    /// The message was not sent, and this provider will not send it later either.
    Permanent,
    /// The message was handed over and not confirmed: it may have been sent.
    Ambiguous,
    /// The provider failed with the message in hand, so it may have been sent. The provider recognises it by its id if
    /// it is sent again.
    Unclear,
    /// The message was not sent, since the provider took too long; others are asked before it is again.
    Late,
    /// The message was not sent, since the provider refuses our account: wrong credentials, suspended, out of
    /// money. It says nothing about the message.
    Account,
    /// The message was accepted, and the provider reported later that it did not arrive.
    Returned,
}

impl Undelivered {
    /// A failure of kind [`Failure::Transient`].
    pub fn transient(reason: impl Into<String>) -> Self {
        Self::of(Failure::Transient, reason)
    }

    /// A failure of kind [`Failure::Permanent`].
    pub fn permanent(reason: impl Into<String>) -> Self {
        Self::of(Failure::Permanent, reason)
    }

    /// A failure of kind [`Failure::Ambiguous`].
    pub fn ambiguous(reason: impl Into<String>) -> Self {
        Self::of(Failure::Ambiguous, reason)
    }

    /// A failure of kind [`Failure::Unclear`].
    pub fn unclear(reason: impl Into<String>) -> Self {
        Self::of(Failure::Unclear, reason)
    }

    /// A failure of kind [`Failure::Late`].
    pub fn late(reason: impl Into<String>) -> Self {
        Self::of(Failure::Late, reason)
    }

    /// A failure of kind [`Failure::Account`].
    pub fn account(reason: impl Into<String>) -> Self {
        Self::of(Failure::Account, reason)
    }

    /// The same failure, with the time before which the provider asks not to be tried again.
    #[must_use]
    pub fn not_before(self, not_before: Option<Timestamp>) -> Self {
        Self { not_before, ..self }
    }

    /// The same failure, which may concern the recipient alone.
    #[must_use]
    pub fn perhaps_of_recipient(self) -> Self {
        Self { may_concern_recipient: true, ..self }
    }

    fn of(kind: Failure, reason: impl Into<String>) -> Self {
        Self { kind, reason: reason.into(), not_before: None, may_concern_recipient: false }
    }
}

impl Failure {
    /// Whether the message may have been sent all the same.
    pub fn may_have_sent(self) -> bool {
        matches!(self, Self::Ambiguous | Self::Unclear)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Transient => "transient",
            Self::Permanent => "permanent",
            Self::Ambiguous => "ambiguous",
            Self::Unclear => "unclear",
            Self::Late => "late",
            Self::Account => "account",
            Self::Returned => "returned",
        })
    }
}
