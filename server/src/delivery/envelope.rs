//! Encrypted content of the outbox messages that carry codes.

use aws_lc_rs::error::Unspecified;
use otp::{Channel, Code, Recipient, Timestamp, Verification};
use serde::{Deserialize, Serialize};

use super::{HandOver, OutgoingMessage};
use crate::{
    derived_keys::{LinkKeys, Sealer},
    origin::Origin,
    outbox::{self, Unreadable, public_id},
    site::Sites,
    store::MessageKey,
};

/// Content of an outbox message that carries a code. It can be written in encrypted form only.
#[derive(Clone, Debug)]
pub struct Envelope(Content);

/// The plain text of the encryption. Private, because it holds the clear code.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Content {
    /// Empty in messages that were stored before there were several sites.
    #[serde(default)]
    site: String,
    to: Recipient,
    #[serde(with = "clear_code")]
    code: Code,
    channel: Channel,
    locale: String,
    expires_at: Timestamp,
    #[serde(default, rename = "around_host", skip_serializing_if = "Option::is_none")]
    embedder_host: Option<String>,
    /// The code is typed on no page of this server that was opened from elsewhere, so it may be typed in an app.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    in_app: bool,
    /// It is for a test recipient, and handed to no provider.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    test: bool,
    /// Names of the providers that took earlier messages of the verification.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    avoided: Vec<String>,
}

impl Envelope {
    /// The envelope of a verification's newest send.
    pub fn of_newest(verification: &Verification, code: &Code) -> Self {
        let send = verification.last_send();
        let details = verification.details();
        let embedder = details.origin.as_deref().and_then(Origin::parse);
        Self(Content {
            site: verification.site().to_owned(),
            to: verification.recipient().clone(),
            code: code.clone(),
            channel: send.channel,
            locale: verification.locale().to_owned(),
            expires_at: send.expires_at,
            embedder_host: embedder.map(|origin| origin.host().to_owned()),
            in_app: details.origin.is_none() && details.return_url.is_none(),
            test: details.test_mode,
            avoided: verification.earlier_providers().map(str::to_owned).collect(),
        })
    }

    /// Encrypts it, bound to the key of its message.
    ///
    /// # Errors
    /// If the cryptographic library fails.
    pub fn seal(&self, key: &MessageKey, sealer: &Sealer) -> Result<Vec<u8>, Unspecified> {
        outbox::seal(&self.0, key, sealer)
    }

    /// Decrypts what [`Envelope::seal`] made for the same key.
    ///
    /// # Errors
    /// If it was sealed for another key or by another version of this program.
    pub fn open(key: &MessageKey, sealed: &[u8], sealer: &Sealer) -> Result<Self, Unreadable> {
        outbox::open(sealed, key, sealer).map(Self)
    }

    /// Whether it is for a test recipient, and so for no provider.
    pub fn is_test(&self) -> bool {
        self.0.test
    }

    /// Names of the providers that took earlier messages of the verification, which were not approved.
    pub fn take_avoided(&mut self) -> Vec<String> {
        std::mem::take(&mut self.0.avoided)
    }

    /// The message for a provider, with links to the server's public origin alone (S16).
    pub fn into_message(
        self,
        key: &MessageKey,
        sites: &Sites,
        origin: &Origin,
        links: &LinkKeys,
    ) -> OutgoingMessage {
        let Content { site, to, code, channel, locale, expires_at, embedder_host, in_app, .. } =
            self.0;
        let site = sites.named_or_first(&site);
        // A text message has no room for it.
        let link = (channel == Channel::Email).then(|| links.link(key.verification)).flatten();
        OutgoingMessage {
            id: public_id(key),
            channel,
            to,
            code,
            locale,
            expires_at,
            site: site.clone(),
            origin_host: origin.host().to_owned(),
            embedder_host,
            app_hash: site.android_app_hash.clone().filter(|_| in_app),
            not_me: link.map(|link| format!("{origin}/not-me/{link}")),
            receipts: None,
            hand_over: HandOver::default(),
        }
    }
}

/// Serialises a code, which has no serialisation of its own.
mod clear_code {
    use otp::Code;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use zeroize::Zeroizing;

    pub(super) fn serialize<S: Serializer>(code: &Code, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(code.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(decoder: D) -> Result<Code, D::Error> {
        let digits = Zeroizing::<String>::deserialize(decoder)?;
        Code::parse(&digits).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use app::wire::Brand;
    use otp::{Policy, VerificationId};
    use serde_json::json;

    use super::*;
    use crate::{derived_keys::DerivedKeys, keyring::Keyring, site::Site, store::Queue};

    #[test]
    fn messages_that_earlier_versions_stored_are_still_sent() {
        let secret = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=";
        let keys = DerivedKeys::derive(&Keyring::parse([secret]).unwrap()).unwrap();
        let DerivedKeys { sealer, links, .. } = keys;
        let origin = Origin::parse("https://otp.example").unwrap();
        let verification = VerificationId::first_at(Timestamp::from_millis(1));
        let key = MessageKey { queue: Queue::Codes, verification, number: 1 };
        let first = json!({"to": "jane@example.com", "code": "123456", "channel": "email",
                           "locale": "en", "sent_at": 1, "expires_at": 2});
        let mut framed = first.clone();
        framed["site"] = json!("shop");
        framed["around_host"] = json!("shop.example");
        let site = |name, brand: &str| {
            let brand = Brand { name: brand.to_owned(), ..Brand::default() };
            Site::named(name, Policy::default(), brand)
        };
        let sites = Sites::new(site("demo", "Example"), [site("shop", "Shop")]);
        for (stored, brand, embedder) in
            [(first, "Example", None), (framed, "Shop", Some("shop.example"))]
        {
            let sealed = outbox::seal(&stored, &key, &sealer).unwrap();

            let envelope = Envelope::open(&key, &sealed, &sealer).unwrap();

            let message = envelope.into_message(&key, &sites, &origin, &links);
            assert_eq!((&*message.site.brand.name, message.code.as_str()), (brand, "123456"));
            assert_eq!(message.embedder_host.as_deref(), embedder);
        }
    }
}
