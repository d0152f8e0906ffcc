//! Which provider carries which channel, in which order.

use std::time::Duration;

use super::{reader::Reader, server::Mode};

/// What can carry a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProviderName {
    /// A mail server.
    Smtp,
    /// Twilio's Messages API.
    Twilio,
    /// The development inbox: shows messages instead of sending them.
    Inbox,
}

/// How messages travel.
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
    pub(super) fn read(reader: &mut Reader, mode: Mode, smtp: bool, twilio: bool) -> Self {
        let mut channel = |key, (word, name), configured| {
            let carriers = Carriers { key, word, name, configured, mode };
            carriers.read(reader)
        };
        let email = channel("delivery.email", ("smtp", ProviderName::Smtp), smtp);
        let sms = channel("delivery.sms", ("twilio", ProviderName::Twilio), twilio);
        if mode == Mode::Production
            && email.is_empty()
            && sms.is_empty()
            && reader.texts("delivery.email").is_empty()
            && reader.texts("delivery.sms").is_empty()
        {
            reader.refuse(
                "delivery",
                "nothing can be sent; production needs a mail server (smtp.url or SMTP_URL), a \
                 Twilio account (TWILIO_SID, TWILIO_AUTH_TOKEN, SENDER_NUMBER), or both",
            );
        }
        let settings = Self {
            email,
            sms,
            lease: reader.seconds("delivery.lease", 10..=600),
            retry_first: reader.seconds("delivery.retry_first", 1..=60),
            retry_longest: reader.seconds("delivery.retry_longest", 1..=600),
        };
        reader.refuse_unless_ordered(
            ("delivery.retry_first", settings.retry_first),
            ("delivery.retry_longest", settings.retry_longest),
        );
        settings
    }
}

/// The providers of one channel.
struct Carriers {
    key: &'static str,
    /// How the one real provider of the channel is written.
    word: &'static str,
    name: ProviderName,
    /// Whether that one has what it needs.
    configured: bool,
    mode: Mode,
}

impl Carriers {
    fn read(&self, reader: &mut Reader) -> Vec<ProviderName> {
        let words = reader.texts(self.key);
        if words.is_empty() {
            return match (self.configured, self.mode) {
                (true, _) => vec![self.name],
                (false, Mode::Development) => vec![ProviderName::Inbox],
                (false, Mode::Production) => Vec::new(),
            };
        }
        let mut names = Vec::new();
        for word in words {
            match self.parse(&word) {
                Ok(name) if names.contains(&name) => {
                    reader.refuse(self.key, format!("\"{word}\" is listed twice"));
                }
                Ok(name) => names.push(name),
                Err(message) => reader.refuse(self.key, message),
            }
        }
        names
    }

    fn parse(&self, word: &str) -> Result<ProviderName, String> {
        match word {
            "inbox" if self.mode == Mode::Production => {
                Err("\"inbox\" shows codes to everybody and is refused in production".to_owned())
            }
            "inbox" => Ok(ProviderName::Inbox),
            _ if word != self.word => {
                Err(format!("\"{word}\" cannot be used here; \"{}\" or \"inbox\" can", self.word))
            }
            _ if !self.configured => {
                Err(format!("\"{word}\" is listed, but the section [{word}] is not filled in"))
            }
            _ => Ok(self.name),
        }
    }
}
