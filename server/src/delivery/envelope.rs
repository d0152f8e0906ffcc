//! What the outbox keeps of a message, and how it keeps it: encrypted, and bound to its place.

use aws_lc_rs::error::Unspecified;
use otp::{Channel, Code, Recipient, Timestamp, Verification};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{OutgoingMessage, SenderNames, Senders};
use crate::{
    derived_keys::{CannotOpen, Sealer},
    origin::Origin,
    outbox::{binding, public_id},
    store::MessageKey,
};

/// A message before it is written: who gets which code in which language.
#[derive(Clone, Debug)]
pub struct Envelope {
    site: String,
    to: Recipient,
    code: Code,
    channel: Channel,
    locale: String,
    sent_at: Timestamp,
    expires_at: Timestamp,
    around_host: Option<String>,
}

/// Why an envelope cannot be opened again.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It was altered, moved, or its key is gone.
    #[error("opening a message of the outbox")]
    Sealed(#[from] CannotOpen),
    /// It was written by another version of this program.
    #[error("reading a message of the outbox")]
    Content(#[source] serde_json::Error),
}

/// The form in which it is encrypted. It holds the clear code, so it never leaves this module.
#[derive(Serialize, Deserialize)]
struct Content {
    /// Messages that were written before there were several sites have none.
    #[serde(default)]
    site: String,
    to: Recipient,
    code: Zeroizing<String>,
    channel: Channel,
    locale: String,
    sent_at: Timestamp,
    expires_at: Timestamp,
    /// Messages that are typed on a page of our own have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    around_host: Option<String>,
}

impl Envelope {
    /// The envelope of a verification's newest send.
    pub fn of_newest(verification: &Verification, code: &Code) -> Self {
        let send = verification.last_send();
        let around = verification.details().origin.as_deref().and_then(Origin::parse);
        Self {
            around_host: around.map(|origin| origin.host().to_owned()),
            site: verification.site().to_owned(),
            to: verification.recipient().clone(),
            code: code.clone(),
            channel: send.channel,
            locale: verification.locale().to_owned(),
            sent_at: send.at,
            expires_at: send.expires_at,
        }
    }

    /// Encrypts it for its place in the outbox.
    ///
    /// # Errors
    /// Only where the cryptographic library itself fails.
    pub fn seal(&self, key: &MessageKey, sealer: &Sealer) -> Result<Vec<u8>, Unspecified> {
        let content = Content {
            site: self.site.clone(),
            to: self.to.clone(),
            code: Zeroizing::new(self.code.as_str().to_owned()),
            channel: self.channel,
            locale: self.locale.clone(),
            sent_at: self.sent_at,
            expires_at: self.expires_at,
            around_host: self.around_host.clone(),
        };
        let plain = Zeroizing::new(serde_json::to_vec(&content).map_err(|_| Unspecified)?);
        sealer.seal(&binding(key), &plain)
    }

    /// Decrypts what [`Envelope::seal`] made for the same place.
    pub fn open(key: &MessageKey, sealed: &[u8], sealer: &Sealer) -> Result<Self, Unreadable> {
        let plain = Zeroizing::new(sealer.open(&binding(key), sealed)?);
        let content: Content = serde_json::from_slice(&plain).map_err(Unreadable::Content)?;
        let code = Code::parse(&content.code)
            .map_err(|error| Unreadable::Content(serde::de::Error::custom(error)))?;
        let Content { site, to, channel, locale, sent_at, expires_at, around_host, .. } = content;
        Ok(Self { site, to, code, channel, locale, sent_at, expires_at, around_host })
    }

    /// The message that a provider is given.
    pub fn into_letter(
        self,
        key: &MessageKey,
        brands: &Senders,
        origin_host: &str,
    ) -> OutgoingMessage {
        let Self { site, to, code, channel, locale, sent_at, expires_at, around_host } = self;
        let SenderNames { brand, sender } = brands.of(&site).clone();
        OutgoingMessage {
            // Mail keeps this id, so it must not be the verification's, which is a capability.
            id: public_id(key),
            channel,
            to,
            code,
            locale,
            sent_at,
            expires_at,
            brand,
            sender,
            origin_host: origin_host.to_owned(),
            around_host,
        }
    }
}

#[cfg(test)]
mod tests {
    use otp::VerificationId;

    use super::*;
    use crate::{derived_keys::DerivedKeys, keyring::Keyring, store::Queue};

    #[test]
    fn a_message_that_was_written_before_there_were_sites_is_still_sent() {
        let secret = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=";
        let sealer = DerivedKeys::derive(&Keyring::parse([secret]).unwrap()).unwrap().sealer;
        let verification = VerificationId::first_at(Timestamp::from_millis(1));
        let key = MessageKey { queue: Queue::Codes, verification, number: 1 };
        let written = "{\"to\":\"jane@example.com\",\"code\":\"123456\",\"channel\":\"email\",\
                       \"locale\":\"en\",\"sent_at\":1,\"expires_at\":2}";
        let sealed = sealer.seal(&binding(&key), written.as_bytes()).unwrap();

        let envelope = Envelope::open(&key, &sealed, &sealer).unwrap();

        let first = SenderNames { brand: "Example".to_owned(), sender: None };
        let message = envelope.into_letter(&key, &Senders::new(first, []), "localhost");
        assert_eq!((&*message.brand, message.code.as_str()), ("Example", "123456"));
    }
}
