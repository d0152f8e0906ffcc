//! A message for a provider, and the results of sending it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use otp::{Channel, Code, Recipient, Timestamp};

use crate::{i18n::DEFAULT_LOCALE, site::Site};

/// Everything that a provider needs to render and send one message.
///
/// It holds the clear code. `Debug` shows neither the code nor the whole recipient.
#[derive(Clone, Debug)]
pub struct OutgoingMessage {
    /// Id of the message, the same for all tries, by which duplicates are recognised.
    pub id: String,
    /// The channel.
    pub channel: Channel,
    /// The recipient, whose kind the channel reaches.
    pub to: Recipient,
    /// The code.
    pub code: Code,
    /// The language: a locale of the catalogue or of the site's own texts.
    pub locale: String,
    /// Expiry of the code. Nothing is sent from then on.
    pub expires_at: Timestamp,
    /// The site, for its brand and texts.
    pub site: Arc<Site>,
    /// Host of the page on which the code is typed, for the origin-bound line of a text message.
    pub origin_host: String,
    /// Host of the embedding page, if the code is typed in a frame.
    pub embedder_host: Option<String>,
    /// Last line of a text message whose code is typed in an app for Android.
    pub app_hash: Option<String>,
    /// URL of the page on which the recipient says that they did not ask for the code. In mail only.
    pub not_me: Option<String>,
    /// Whether a provider may have it already.
    pub hand_over: HandOver,
}

impl OutgoingMessage {
    /// A message that belongs to no verification, in English, by the usual channel of the recipient.
    pub fn detached(
        site: Arc<Site>,
        to: Recipient,
        code: Code,
        origin_host: &str,
        expires_at: Timestamp,
    ) -> Self {
        Self {
            id: format!("test-{}", expires_at.as_millis()),
            channel: to.channels()[0],
            to,
            code,
            locale: DEFAULT_LOCALE.to_owned(),
            expires_at,
            site,
            origin_host: origin_host.to_owned(),
            embedder_host: None,
            app_hash: None,
            not_me: None,
            hand_over: HandOver::default(),
        }
    }
}

/// Whether a provider may have accepted a message. The provider sets it, and whoever cuts a try off reads it.
#[derive(Clone, Debug, Default)]
pub struct HandOver(Arc<AtomicBool>);

impl HandOver {
    /// Called by a provider before it sends the last part of the message.
    pub fn begin(&self) {
        self.0.store(true, Relaxed);
    }

    /// Whether the message may have been accepted.
    pub fn has_begun(&self) -> bool {
        self.0.load(Relaxed)
    }
}

/// Confirmation that a provider has accepted a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Name of the provider.
    pub provider: &'static str,
    /// The provider's id of the message, if it gives one.
    pub reference: Option<String>,
}
