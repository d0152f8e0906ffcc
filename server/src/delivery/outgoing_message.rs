//! A message for a provider, and the results of sending it.

use otp::{Channel, Code, Recipient, Timestamp};

/// Everything that a provider needs to render and send one message.
///
/// It holds the clear code. `Debug` shows neither the code nor the whole recipient.
#[derive(Clone, Debug)]
pub struct OutgoingMessage {
    /// Id of the message, the same for all tries, by which duplicates are recognised.
    pub id: String,
    /// The channel.
    pub channel: Channel,
    /// The recipient.
    pub to: Recipient,
    /// The code.
    pub code: Code,
    /// The language, a locale of the catalogue.
    pub locale: String,
    /// Expiry of the code. Nothing is sent from then on.
    pub expires_at: Timestamp,
    /// The site's display name.
    pub brand: String,
    /// Display name of the sender of mail, if the site has one of its own.
    pub sender: Option<String>,
    /// Host of the page on which the code is typed, for the origin-bound line of a text message.
    pub origin_host: String,
    /// Host of the embedding page, if the code is typed in a frame.
    pub embedder_host: Option<String>,
}

/// Confirmation that a provider has accepted a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Name of the provider.
    pub provider: &'static str,
    /// The provider's id of the message, if it gives one.
    pub reference: Option<String>,
}

/// A failed try to send a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {reason}")]
pub struct Undelivered {
    /// Whether a retry can help.
    pub kind: Failure,
    /// For the operator: the failed action and protocol codes. Never text of the other side, since mail
    /// servers and gateways repeat the recipient in it.
    pub reason: String,
}

/// Kind of a failed try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The message was not sent; a later try may succeed.
    Transient,
    /// The message was not sent, and this provider will not send it later either.
    Permanent,
    /// The message was handed over and not confirmed: it may have been sent.
    Ambiguous,
}

impl Undelivered {
    /// A failure of kind [`Failure::Transient`].
    pub fn transient(reason: impl Into<String>) -> Self {
        Self { kind: Failure::Transient, reason: reason.into() }
    }

    /// A failure of kind [`Failure::Permanent`].
    pub fn permanent(reason: impl Into<String>) -> Self {
        Self { kind: Failure::Permanent, reason: reason.into() }
    }

    /// A failure of kind [`Failure::Ambiguous`].
    pub fn ambiguous(reason: impl Into<String>) -> Self {
        Self { kind: Failure::Ambiguous, reason: reason.into() }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Transient => "transient",
            Self::Permanent => "permanent",
            Self::Ambiguous => "ambiguous",
        })
    }
}

/// A provider would not be able to send.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// It refuses the credentials.
    #[error("the provider refuses the credentials: {reason}")]
    Rejected {
        /// The answer in protocol codes.
        reason: String,
    },
    /// It does not answer, or not as expected; this may pass.
    #[error("the provider cannot be reached: {reason}")]
    Unreachable {
        /// The failed action and the failure.
        reason: String,
    },
}
