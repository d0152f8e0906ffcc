//! The closed set of providers, the development inbox among them.

use std::sync::Arc;

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

    /// Sends a message; one try, which ends with the life of its code at the latest.
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

    /// Ends the connections that are kept for further messages.
    pub async fn close(&self) {
        match self {
            Self::Smtp(smtp) => smtp.close().await,
            Self::Twilio(_) | Self::Inbox(_) => {}
        }
    }
}
