//! One message on its way to a provider, and what can come of handing it over.

use otp::{Channel, Code, Recipient, Timestamp};

/// Everything that a provider needs to write and send one message.
///
/// It holds the clear code, and with it whatever renders it. Its `Debug` shows neither the code
/// nor the whole recipient.
#[derive(Clone, Debug)]
pub struct OutgoingMessage {
    /// Names this message over all its tries, so that whoever receives it twice can tell.
    pub id: String,
    /// The channel it goes by.
    pub channel: Channel,
    /// Who it goes to.
    pub to: Recipient,
    /// What it carries.
    pub code: Code,
    /// The language it is written in, a locale of the catalogue.
    pub locale: String,
    /// When the send was accepted.
    pub sent_at: Timestamp,
    /// When the code stops being accepted. Nothing is sent from then on.
    pub expires_at: Timestamp,
    /// The site's name, as people know it.
    pub brand: String,
    /// The name that mail comes from, where the site has one of its own.
    pub sender: Option<String>,
    /// The host of the page on which the code is typed, for the origin-bound line of a text
    /// message.
    pub origin_host: String,
    /// The host of the page around it, where it stands in a frame.
    pub around_host: Option<String>,
}

/// A provider has taken a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Which provider.
    pub provider: &'static str,
    /// The provider's own name for the message, where it gives one.
    pub reference: Option<String>,
}

/// Why a provider has not taken a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {reason}")]
pub struct Undelivered {
    /// Whether trying again can help.
    pub kind: Failure,
    /// For the operator: codes of the protocol and what was being done. Never what the other side
    /// wrote, since mail servers and gateways like to repeat the recipient.
    pub reason: String,
}

/// Whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// Nothing was sent; a later try may succeed.
    Transient,
    /// Nothing was sent, and this provider will not send it later either.
    Permanent,
    /// The message was handed over and no answer came: it may or may not be on its way.
    Ambiguous,
}

impl Undelivered {
    /// Nothing was sent; a later try may succeed.
    pub fn transient(reason: impl Into<String>) -> Self {
        Self { kind: Failure::Transient, reason: reason.into() }
    }

    /// Nothing was sent, and nothing will be.
    pub fn permanent(reason: impl Into<String>) -> Self {
        Self { kind: Failure::Permanent, reason: reason.into() }
    }

    /// It may or may not be on its way.
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

/// What is wrong with a provider, found by asking it before there is anything to send.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// It answers and refuses our credentials: nothing will ever be sent this way.
    #[error("the provider refuses the credentials: {reason}")]
    Rejected {
        /// What it answered, in codes and plain words.
        reason: String,
    },
    /// It does not answer, or not as it should; that may pass.
    #[error("the provider cannot be reached: {reason}")]
    Unreachable {
        /// What was tried and what happened.
        reason: String,
    },
}
