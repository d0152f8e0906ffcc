//! `[delivery]`: the providers of each channel, and retries.

use std::time::Duration;

use otp::Channel;

use super::{providers::Listed, server::Mode, settings::Settings};

/// The name of the inbox of development, which needs no settings.
pub(super) const INBOX: &str = "inbox";

/// The providers of each channel, and retries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliverySettings {
    /// Providers for e-mail, in the order to try them; empty where e-mail is not offered.
    pub email: Vec<String>,
    /// Providers for text messages, in the order to try them; empty where they are not offered.
    pub sms: Vec<String>,
    /// How long a worker may hold a message before another one takes it over.
    pub lease: Duration,
    /// Wait before the second try; doubled from try to try.
    pub retry_first: Duration,
    /// The longest wait between two tries.
    pub retry_longest: Duration,
    /// Whether providers are asked for receipts; `None`: where the public origin is https.
    pub receipts: Option<bool>,
}

impl DeliverySettings {
    pub(super) fn read(settings: &mut Settings, mode: Mode, listed: &[Listed]) -> Self {
        let email = read_providers(settings, "delivery.email", Channel::Email, listed, mode);
        let sms = read_providers(settings, "delivery.sms", Channel::Sms, listed, mode);
        if mode == Mode::Production
            && email.is_empty()
            && sms.is_empty()
            && settings.is_fine("delivery")
        {
            let message = "has no provider; set up a mail server (smtp.url or SMTP_URL), a Twilio \
                           account (TWILIO_SID, TWILIO_AUTH_TOKEN, SENDER_NUMBER), or [[providers]]";
            settings.refuse("delivery", message);
        }
        let lease = settings.seconds("delivery.lease", 10..=600);
        let retry_first = settings.seconds("delivery.retry_first", 1..=60);
        let retry_longest = settings.seconds("delivery.retry_longest", 1..=600);
        settings.refuse_unless_ordered("delivery.retry_first", "delivery.retry_longest");
        let words = [("auto", None), ("on", Some(true)), ("off", Some(false))];
        let receipts = settings.choice("delivery.receipts", &words);
        Self { email, sms, lease, retry_first, retry_longest, receipts }
    }

    /// The channels that have a provider, in the order to offer them.
    pub(super) fn channels(&self) -> Vec<Channel> {
        let carried = [(Channel::Email, &self.email), (Channel::Sms, &self.sms)];
        let carried = carried.into_iter().filter(|(_, providers)| !providers.is_empty());
        carried.map(|(channel, _)| channel).collect()
    }
}

/// The names of a channel's providers, in the order of preference.
fn read_providers(
    settings: &mut Settings,
    key: &str,
    channel: Channel,
    listed: &[Listed],
    mode: Mode,
) -> Vec<String> {
    let carrying = || listed.iter().filter(|provider| provider.channels.contains(&channel));
    if settings.get::<Vec<String>>(key).is_empty() {
        let names: Vec<_> = carrying().map(|provider| provider.name.clone()).collect();
        return match mode {
            Mode::Development if names.is_empty() => vec![INBOX.to_owned()],
            _ => names,
        };
    }
    let section = match channel {
        Channel::Email => "smtp",
        Channel::Sms => "twilio",
    };
    settings.parse_list(key, |word| match word {
        _ if carrying().any(|provider| provider.name == word) => Ok(word.to_owned()),
        INBOX if mode == Mode::Development => Ok(word.to_owned()),
        INBOX => Err("is inbox, which shows codes to anyone: refused in production".to_owned()),
        _ if listed.iter().any(|provider| provider.name == word) => {
            Err(format!("is {word}, which does not carry {}", channel.as_str()))
        }
        _ if word == section => {
            Err(format!("is {word}, but the section [{word}] is not filled in"))
        }
        _ => {
            let names = carrying().map(|provider| &*provider.name).filter(|name| *name != section);
            let names: Vec<_> = [section].into_iter().chain(names).chain([INBOX]).collect();
            Err(format!("must be one of: {}", names.join(", ")))
        }
    })
}
