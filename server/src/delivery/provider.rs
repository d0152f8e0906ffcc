//! The closed set of kinds of providers, the development inbox among them.

use std::{sync::Arc, time::Duration};

use otp::{Channel, Timestamp};

use super::{
    Inbox, OutgoingMessage, ProbeError, Probed, Receipt, SetUpError, Smtp, SmtpSettings, Twilio,
    TwilioSettings, Undelivered,
    gateway::GatewayClient,
    http::{Http, HttpSettings},
    webhook::{GatewaySettings, Webhook},
};
use crate::{
    i18n::Catalogue,
    webhook::{FilteredClient, Signer, WebhookSettings},
};

/// A kind of provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A mail server.
    Smtp,
    /// Twilio: texts, WhatsApp messages and calls.
    Twilio,
    /// Signed requests to a gateway of the operator's own.
    Webhook,
    /// A gateway that is described by configuration alone.
    Http,
    /// Development: messages are shown on a page instead of being sent.
    Inbox,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Smtp, Self::Twilio, Self::Webhook, Self::Http, Self::Inbox];

    /// The word for it in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Twilio => "twilio",
            Self::Webhook => "webhook",
            Self::Http => "http",
            Self::Inbox => "inbox",
        }
    }

    /// The kind with this word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The channels that it can carry.
    pub fn channels(self) -> &'static [Channel] {
        match self {
            Self::Smtp => &[Channel::Email],
            Self::Twilio => Channel::OF_PHONES,
            Self::Webhook | Self::Http | Self::Inbox => Channel::ALL,
        }
    }
}

/// Settings of a provider by its kind.
#[derive(Clone, Debug)]
pub enum KindSettings {
    /// See [`Kind::Smtp`].
    Smtp(SmtpSettings),
    /// See [`Kind::Twilio`].
    Twilio(TwilioSettings),
    /// See [`Kind::Webhook`].
    Webhook(GatewaySettings),
    /// See [`Kind::Http`].
    Http(Box<HttpSettings>),
    /// See [`Kind::Inbox`].
    Inbox,
}

impl KindSettings {
    /// The channels of a provider with these settings whose configuration lists none. A gateway gets WhatsApp messages
    /// and calls only where they are listed, since it may know nothing of them.
    pub fn channels(&self) -> Vec<Channel> {
        match self {
            Self::Smtp(_) => Kind::Smtp.channels().to_vec(),
            Self::Twilio(twilio) => twilio.channels(),
            Self::Webhook(_) | Self::Http(_) => vec![Channel::Email, Channel::Sms],
            Self::Inbox => Kind::Inbox.channels().to_vec(),
        }
    }
}

/// The parts of the server that providers need.
pub struct SetUp<'a> {
    /// The texts.
    pub catalogue: &'a Arc<Catalogue>,
    /// The inbox of development.
    pub inbox: &'a Arc<Inbox>,
    /// Addresses that requests to gateways may go to.
    pub requests: &'a WebhookSettings,
    /// Makes the signer for the provider of a name.
    pub signer: &'a dyn Fn(&str) -> Result<Signer, SetUpError>,
}

impl SetUp<'_> {
    /// Sets up a provider, without connecting.
    pub(super) fn provider(&self, name: &str, kind: KindSettings) -> Result<Provider, SetUpError> {
        let catalogue = self.catalogue.clone();
        Ok(match kind {
            KindSettings::Smtp(smtp) => Provider::Smtp(Smtp::new(smtp, catalogue)?),
            KindSettings::Twilio(twilio) => Provider::Twilio(Twilio::new(twilio, catalogue)?),
            KindSettings::Webhook(gateway) => {
                let (client, signer) = (self.client(gateway.timeout)?, (self.signer)(name)?);
                Provider::Webhook(Webhook::new(gateway, client, signer, catalogue))
            }
            KindSettings::Http(http) => {
                let client = self.client(http.timeout)?;
                Provider::Http(Box::new(Http::new(*http, client, catalogue)))
            }
            KindSettings::Inbox => Provider::Inbox(self.inbox.clone()),
        })
    }

    fn client(&self, timeout: Duration) -> Result<GatewayClient, SetUpError> {
        let settings = WebhookSettings { timeout, ..self.requests.clone() };
        let client = FilteredClient::new(settings).map_err(SetUpError::HttpClient)?;
        Ok(GatewayClient(Arc::new(client)))
    }
}

/// A service that sends messages.
#[derive(Debug)]
pub enum Provider {
    /// See [`Kind::Smtp`].
    Smtp(Smtp),
    /// See [`Kind::Twilio`].
    Twilio(Twilio),
    /// See [`Kind::Webhook`].
    Webhook(Webhook),
    /// See [`Kind::Http`].
    Http(Box<Http>),
    /// See [`Kind::Inbox`].
    Inbox(Arc<Inbox>),
}

impl Provider {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Smtp(_) => Kind::Smtp,
            Self::Twilio(_) => Kind::Twilio,
            Self::Webhook(_) => Kind::Webhook,
            Self::Http(_) => Kind::Http,
            Self::Inbox(_) => Kind::Inbox,
        }
    }

    /// The service and its address, for the operator.
    pub fn place(&self) -> String {
        match self {
            Self::Smtp(smtp) => smtp.place(),
            Self::Twilio(twilio) => twilio.place(),
            Self::Webhook(webhook) => format!("gateway {}", webhook.place()),
            Self::Http(http) => format!("gateway {}", http.place()),
            Self::Inbox(_) => "development inbox".to_owned(),
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
        let carried = match self {
            Self::Twilio(twilio) => &twilio.channels()[..],
            other => other.kind().channels(),
        };
        if ![carried, message.to.channels()].iter().all(|of| of.contains(&message.channel)) {
            return Err(Undelivered::permanent("the provider does not support this channel"));
        }
        if message.expires_at <= now {
            return Err(Undelivered::permanent("the code has expired"));
        }
        match self {
            Self::Smtp(smtp) => smtp.deliver(message, now).await,
            Self::Twilio(twilio) => twilio.deliver(message, now).await,
            Self::Webhook(webhook) => webhook.deliver(message, now).await,
            Self::Http(http) => http.deliver(message, now).await,
            Self::Inbox(inbox) => Ok(inbox.deliver(message, now)),
        }
    }

    /// Whether it can report on messages that it took.
    pub(super) fn can_give_receipts(&self) -> bool {
        match self {
            Self::Smtp(_) | Self::Twilio(_) | Self::Webhook(_) => true,
            Self::Http(http) => http.receipts().is_some(),
            Self::Inbox(_) => false,
        }
    }

    /// Tests connection and credentials without sending a message.
    ///
    /// # Errors
    /// If the provider cannot be reached or refuses the credentials.
    pub async fn probe(&self) -> Result<Probed, ProbeError> {
        let ready = |()| Probed::Ready;
        match self {
            Self::Smtp(smtp) => smtp.probe().await.map(ready),
            Self::Twilio(twilio) => twilio.probe().await.map(ready),
            Self::Webhook(webhook) => webhook.probe().await,
            Self::Http(http) => http.probe().await,
            Self::Inbox(_) => Ok(Probed::Ready),
        }
    }

    /// Ends the connections that are kept for further messages.
    pub async fn close(&self) {
        match self {
            Self::Smtp(smtp) => smtp.close().await,
            Self::Twilio(_) | Self::Webhook(_) | Self::Http(_) | Self::Inbox(_) => {}
        }
    }
}
