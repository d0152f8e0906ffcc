//! `[delivery]`: the providers of each channel, and retries.

use std::{collections::BTreeMap, time::Duration};

use otp::Channel;

use super::{channels::read_channels, providers::Listed, server::Mode, settings::Settings};

/// The name of the inbox of development, which needs no settings.
pub(super) const INBOX: &str = "inbox";

/// The providers of each channel, and retries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliverySettings {
    /// The names of each channel's providers, in the order to try them; without those that have none.
    pub providers: BTreeMap<Channel, Vec<String>>,
    /// Channels of sites that list none, in the order to offer them.
    pub channels: Vec<Channel>,
    /// How long a worker may hold a message before another one takes it over.
    pub lease: Duration,
    /// Wait before the second try; doubled from try to try.
    pub retry_first: Duration,
    /// The longest wait between two tries.
    pub retry_longest: Duration,
}

impl DeliverySettings {
    pub(super) fn read(settings: &mut Settings, mode: Mode, listed: &[Listed]) -> Self {
        let mut providers = BTreeMap::new();
        for channel in Channel::ALL.iter().copied() {
            let names = read_providers(settings, channel, listed, mode);
            if !names.is_empty() {
                providers.insert(channel, names);
            }
        }
        if mode == Mode::Production && providers.is_empty() && settings.is_fine("delivery") {
            let message = "has no provider; set up a mail server (smtp.url or SMTP_URL), a Twilio \
                           account (TWILIO_SID, TWILIO_AUTH_TOKEN, SENDER_NUMBER), or [[providers]]";
            settings.refuse("delivery", message);
        }
        let carried: Vec<_> = providers.keys().copied().collect();
        // Calls and WhatsApp have to be asked for.
        let usual = [Channel::Email, Channel::Sms].into_iter();
        let usual: Vec<_> = usual.filter(|channel| carried.contains(channel)).collect();
        let channels = read_channels(settings, "delivery.channels", &carried, &usual);
        let lease = settings.seconds("delivery.lease", 10..=600);
        let retry_first = settings.seconds("delivery.retry_first", 1..=60);
        let retry_longest = settings.seconds("delivery.retry_longest", 1..=600);
        settings.refuse_unless_ordered("delivery.retry_first", "delivery.retry_longest");
        Self { providers, channels, lease, retry_first, retry_longest }
    }

    /// The names of a channel's providers, in the order to try them.
    pub fn of(&self, channel: Channel) -> &[String] {
        self.providers.get(&channel).map_or(&[], Vec::as_slice)
    }
}

/// The names of a channel's providers, in the order of preference.
fn read_providers(
    settings: &mut Settings,
    channel: Channel,
    listed: &[Listed],
    mode: Mode,
) -> Vec<String> {
    let key = format!("delivery.{}", channel.as_str());
    let carrying = || listed.iter().filter(|provider| provider.channels.contains(&channel));
    if settings.get::<Vec<String>>(&key).is_empty() {
        let names: Vec<_> = carrying().map(|provider| provider.name.clone()).collect();
        return match mode {
            Mode::Development if names.is_empty() => vec![INBOX.to_owned()],
            _ => names,
        };
    }
    let section = if channel.is_of_phones() { "twilio" } else { "smtp" };
    settings.parse_list(&key, |word| match word {
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
