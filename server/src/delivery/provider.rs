//! The closed set of what can carry a message, the development one beside the real ones.

use std::{sync::Arc, time::Duration};

use otp::{Channel, Timestamp};

use super::{Inbox, OutgoingMessage, ProbeError, Receipt, Smtp, Twilio, Undelivered};

/// What carries a message.
#[derive(Debug)]
pub enum Provider {
    /// E-mail by a mail server.
    Smtp(Smtp),
    /// Text messages by Twilio.
    Twilio(Twilio),
    /// Development: everything is shown on a page instead of being sent.
    Inbox(Arc<Inbox>),
}

/// Why a provider cannot be made from its settings.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// The sender is no mailbox.
    #[error("reading the sender's address")]
    Sender(#[source] lettre::address::AddressError),
    /// Without TLS, a code and a password would cross the network in the clear (S23).
    #[error("mail without TLS is sent to this machine only, and {host} is another")]
    PlainOutsideLoopback {
        /// The host that was configured.
        host: String,
    },
    /// The file with the extra certificate authority cannot be read.
    #[error("reading the certificate authority for mail from {}", .file.display())]
    AuthorityFile {
        /// The file.
        file: std::path::PathBuf,
        /// What happened.
        #[source]
        source: std::io::Error,
    },
    /// The extra certificate authority is none, or TLS cannot be set up.
    #[error("setting up TLS for mail")]
    Tls(#[source] lettre::transport::smtp::Error),
    /// The API's address is no URL.
    #[error("reading Twilio's base URL")]
    BaseUrl,
    /// The HTTP client cannot be set up.
    #[error("setting up the HTTP client for Twilio")]
    HttpClient(#[source] reqwest::Error),
}

impl Provider {
    /// The provider's name in configuration, logs and records.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Smtp(_) => Smtp::NAME,
            Self::Twilio(_) => Twilio::NAME,
            Self::Inbox(_) => Inbox::NAME,
        }
    }

    /// Whether it carries messages of this channel.
    pub fn carries(&self, channel: Channel) -> bool {
        match self {
            Self::Smtp(_) => channel == Channel::Email,
            Self::Twilio(_) => channel == Channel::Sms,
            Self::Inbox(_) => true,
        }
    }

    /// The longest that [`deliver`](Self::deliver) can take. A lease that outlives it never lets
    /// two workers hand the same message over.
    pub fn patience(&self) -> Duration {
        match self {
            Self::Smtp(smtp) => smtp.patience(),
            Self::Twilio(twilio) => twilio.patience(),
            Self::Inbox(_) => Duration::ZERO,
        }
    }

    /// Hands one message over, once.
    pub async fn deliver(
        &self,
        message: &OutgoingMessage,
        now: Timestamp,
    ) -> Result<Receipt, Undelivered> {
        if !self.carries(message.channel) || message.to.channel() != message.channel {
            return Err(Undelivered::permanent("the provider does not carry this channel"));
        }
        if message.expires_at <= now {
            return Err(Undelivered::permanent("the code has expired"));
        }
        match self {
            Self::Smtp(smtp) => smtp.deliver(message, now).await,
            Self::Twilio(twilio) => twilio.deliver(message, now).await,
            Self::Inbox(inbox) => Ok(inbox.deliver(message, now)),
        }
    }

    /// Asks whether it could send, without sending anything.
    pub async fn probe(&self) -> Result<(), ProbeError> {
        match self {
            Self::Smtp(smtp) => smtp.probe().await,
            Self::Twilio(twilio) => twilio.probe().await,
            Self::Inbox(_) => Ok(()),
        }
    }
}
