//! `[delivery]`: the providers of each channel, and retries.

use std::time::Duration;

use otp::Channel;

use super::{server::Mode, settings::Settings};

/// A provider of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProviderName {
    /// A mail server.
    Smtp,
    /// Twilio's Messages API.
    Twilio,
    /// The development inbox: shows messages instead of sending them.
    Inbox,
}

/// The providers of each channel, and retries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliverySettings {
    /// Providers for e-mail, in the order to try them; empty where e-mail is not offered.
    pub email: Vec<ProviderName>,
    /// Providers for text messages, in the order to try them; empty where they are not offered.
    pub sms: Vec<ProviderName>,
    /// How long a worker may hold a message before another one takes it over.
    pub lease: Duration,
    /// Wait before the second try; doubled from try to try.
    pub retry_first: Duration,
    /// The longest wait between two tries.
    pub retry_longest: Duration,
}

impl DeliverySettings {
    /// `smtp` and `twilio` say whether those sections are filled in.
    pub(super) fn read(settings: &mut Settings, mode: Mode, smtp: bool, twilio: bool) -> Self {
        let mut providers =
            |key, own, is_filled| read_providers(settings, key, own, is_filled, mode);
        let email = providers("delivery.email", ("smtp", ProviderName::Smtp), smtp);
        let sms = providers("delivery.sms", ("twilio", ProviderName::Twilio), twilio);
        if mode == Mode::Production
            && email.is_empty()
            && sms.is_empty()
            && settings.is_fine("delivery")
        {
            let message = "has no provider; set up a mail server (smtp.url or SMTP_URL) or a Twilio \
                           account (TWILIO_SID, TWILIO_AUTH_TOKEN, SENDER_NUMBER)";
            settings.refuse("delivery", message);
        }
        let lease = settings.seconds("delivery.lease", 10..=600);
        let retry_first = settings.seconds("delivery.retry_first", 1..=60);
        let retry_longest = settings.seconds("delivery.retry_longest", 1..=600);
        settings.refuse_unless_ordered("delivery.retry_first", "delivery.retry_longest");
        Self { email, sms, lease, retry_first, retry_longest }
    }

    /// The channels that have a provider, in the order to offer them.
    pub(super) fn channels(&self) -> Vec<Channel> {
        let carried = [(Channel::Email, &self.email), (Channel::Sms, &self.sms)];
        let carried = carried.into_iter().filter(|(_, providers)| !providers.is_empty());
        carried.map(|(channel, _)| channel).collect()
    }
}

/// The providers of a channel, of which one is not the inbox.
fn read_providers(
    settings: &mut Settings,
    key: &str,
    (own_word, own): (&str, ProviderName),
    is_filled: bool,
    mode: Mode,
) -> Vec<ProviderName> {
    if settings.get::<Vec<String>>(key).is_empty() {
        return match mode {
            _ if is_filled => vec![own],
            Mode::Development => vec![ProviderName::Inbox],
            Mode::Production => Vec::new(),
        };
    }
    settings.parse_list(key, |word| match word {
        "inbox" if mode == Mode::Development => Ok(ProviderName::Inbox),
        "inbox" => Err("is inbox, which shows codes to anyone: refused in production".to_owned()),
        _ if word != own_word => Err(format!("must be one of: {own_word}, inbox")),
        _ if !is_filled => Err(format!("is {word}, but the section [{word}] is not filled in")),
        _ => Ok(own),
    })
}
