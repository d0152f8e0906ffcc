//! The closed set of providers, the development inbox among them.

use std::{sync::Arc, time::Duration};

use otp::{Channel, Timestamp};

use super::{Inbox, OutgoingMessage, ProbeError, Receipt, Smtp, Twilio, Undelivered};

/// A service that sends messages.
#[derive(Debug)]
pub enum Provider {
    /// E-mail by a mail server.
    Smtp(Smtp),
    /// Text messages by Twilio.
    Twilio(Twilio),
    /// Development: messages are shown on a page instead of being sent.
    Inbox(Arc<Inbox>),
}

/// A provider cannot be set up from its settings.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// The sender is not a mailbox.
    #[error("reading the sender's address")]
    Sender(#[source] lettre::address::AddressError),
    /// Without TLS, a code and a password would cross the network in the clear (S23).
    #[error("mail without TLS is allowed to a loopback address only, and {host} is not one")]
    PlainOutsideLoopback {
        /// The configured host.
        host: String,
    },
    /// The file with the additional certificate authority cannot be read.
    #[error("reading the certificate authority for mail from {}", .file.display())]
    AuthorityFile {
        /// The file.
        file: std::path::PathBuf,
        /// The error of the file system.
        #[source]
        source: std::io::Error,
    },
    /// The additional certificate authority is invalid, or TLS cannot be set up.
    #[error("setting up TLS for mail")]
    Tls(#[source] lettre::transport::smtp::Error),
    /// The base URL of the API is not a URL.
    #[error("reading Twilio's base URL")]
    BaseUrl,
    /// The HTTP client cannot be set up.
    #[error("setting up the HTTP client for Twilio")]
    HttpClient(#[source] reqwest::Error),
}

impl Provider {
    /// Name of the provider in configuration and logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Smtp(_) => Smtp::NAME,
            Self::Twilio(_) => Twilio::NAME,
            Self::Inbox(_) => Inbox::NAME,
        }
    }

    /// Whether it sends messages of this channel.
    fn carries(&self, channel: Channel) -> bool {
        match self {
            Self::Smtp(_) => channel == Channel::Email,
            Self::Twilio(_) => channel == Channel::Sms,
            Self::Inbox(_) => true,
        }
    }

    /// Longest duration of [`deliver`](Self::deliver). The lease of a message must be longer, so that two
    /// workers never send the same message.
    pub fn timeout(&self) -> Duration {
        match self {
            Self::Smtp(smtp) => smtp.timeout(),
            Self::Twilio(twilio) => twilio.timeout(),
            Self::Inbox(_) => Duration::ZERO,
        }
    }

    /// Sends a message; one try.
    ///
    /// # Errors
    /// If the provider did not accept the message, or did not confirm it.
    pub async fn deliver(
        &self,
        message: &OutgoingMessage,
        now: Timestamp,
    ) -> Result<Receipt, Undelivered> {
        if !self.carries(message.channel) || message.to.channel() != message.channel {
            return Err(Undelivered::permanent("the provider does not support this channel"));
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

    /// Tests connection and credentials without sending a message.
    ///
    /// # Errors
    /// If the provider cannot be reached or refuses the credentials.
    pub async fn probe(&self) -> Result<(), ProbeError> {
        match self {
            Self::Smtp(smtp) => smtp.probe().await,
            Self::Twilio(twilio) => twilio.probe().await,
            Self::Inbox(_) => Ok(()),
        }
    }
}
