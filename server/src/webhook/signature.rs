//! Signatures by the Standard Webhooks scheme, version 1 (symmetric).
//!
//! The signed text is `<id>.<seconds>.<body>`, which detects altered bodies, replayed requests and
//! exchanged ids. Each site has a secret, and so has the operator, derived from the master secrets, so none is stored. While master
//! secrets are rotated there are several, and a request has a signature of each, so that receivers with
//! any of them accept it.

use aws_lc_rs::{error::Unspecified, hmac};
use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::{derived_keys::derive_key, keyring::Keyring};

/// Secret with which a receiver verifies signatures.
pub struct Secret(Zeroizing<[u8; 32]>);

impl Secret {
    /// The secrets of a site, one of each master secret, newest first. There is at least one.
    ///
    /// # Errors
    /// If the cryptographic library fails.
    pub fn of_site(keyring: &Keyring, site: &str) -> Result<Vec<Self>, Unspecified> {
        Self::derive(keyring, &format!("latchkey webhook {site}"))
    }

    /// The secrets of the operator, for alerts.
    ///
    /// # Errors
    /// If the cryptographic library fails.
    pub fn of_operator(keyring: &Keyring) -> Result<Vec<Self>, Unspecified> {
        // No site can have this label: it does not begin like those of sites.
        Self::derive(keyring, "latchkey alerts")
    }

    /// The secrets of a provider of messages, likewise.
    ///
    /// # Errors
    /// If the cryptographic library fails.
    pub fn of_provider(keyring: &Keyring, name: &str) -> Result<Vec<Self>, Unspecified> {
        Self::derive(keyring, &format!("latchkey provider {name}"))
    }

    fn derive(keyring: &Keyring, label: &str) -> Result<Vec<Self>, Unspecified> {
        let derive = |secret| Ok(Self(Zeroizing::new(derive_key(secret, label.as_bytes())?)));
        keyring.secrets().map(derive).collect()
    }

    /// The secret as receivers are configured with it: `whsec_` and base64.
    pub fn to_text(&self) -> SecretString {
        format!("whsec_{}", BASE64_STANDARD.encode(*self.0)).into()
    }
}

/// Hides the secret.
impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Signs the requests to a receiver.
#[derive(Debug)]
pub struct Signer(Vec<hmac::Key>);

impl Signer {
    /// Signs with each of these secrets.
    pub fn new(secrets: &[Secret]) -> Self {
        let key = |secret: &Secret| hmac::Key::new(hmac::HMAC_SHA256, secret.0.as_slice());
        Self(secrets.iter().map(key).collect())
    }

    /// The value of the header `webhook-signature`: one signature for each secret, in their order.
    pub fn sign(&self, id: &str, seconds: u64, body: &[u8]) -> String {
        let signatures = self.0.iter().map(|key| {
            let mut context = hmac::Context::with_key(key);
            context.update(format!("{id}.{seconds}.").as_bytes());
            context.update(body);
            format!("v1,{}", BASE64_STANDARD.encode(context.sign()))
        });
        signatures.collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn keyring(letters: &[&str]) -> Keyring {
        let texts: Vec<_> = letters.iter().map(|letter| letter.repeat(43)).collect();
        Keyring::parse(texts.iter().map(String::as_str)).unwrap()
    }

    fn texts(letters: &[&str], site: &str) -> Vec<String> {
        let secrets = Secret::of_site(&keyring(letters), site).unwrap();
        secrets.iter().map(|secret| secret.to_text().expose_secret().to_owned()).collect()
    }

    /// The example of the libraries of Standard Webhooks.
    #[test]
    fn a_signature_is_that_of_standard_webhooks() {
        let secret = BASE64_STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signer = Signer(vec![hmac::Key::new(hmac::HMAC_SHA256, &secret)]);
        let signature =
            signer.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn each_site_and_each_master_secret_has_a_secret_of_its_own_and_the_newest_is_first() {
        let [new, old] = &texts(&["B", "A"], "shop")[..] else { panic!("one from each") };
        assert_eq!(texts(&["A"], "shop"), std::slice::from_ref(old));
        assert_ne!(new, old);
        assert_ne!(texts(&["A"], "other"), texts(&["A"], "shop"));
        assert!(new.starts_with("whsec_") && new.len() == "whsec_".len() + 44, "{new}");
    }

    #[test]
    fn the_operator_has_a_secret_that_no_site_has() {
        let secrets = Secret::of_operator(&keyring(&["A"])).unwrap();
        let own = secrets[0].to_text().expose_secret().to_owned();
        for site in ["shop", "alerts", "operator"] {
            assert_ne!(texts(&["A"], site), std::slice::from_ref(&own));
        }
    }

    #[test]
    fn while_secrets_are_rotated_a_request_is_signed_with_each() {
        let sign = |letters: &[&str]| {
            let secrets = Secret::of_site(&keyring(letters), "shop").unwrap();
            Signer::new(&secrets).sign("msg_1", 1, b"{}")
        };
        assert_eq!(sign(&["B", "A"]), format!("{} {}", sign(&["B"]), sign(&["A"])));
    }

    #[test]
    fn s8_debug_shows_no_secret() {
        let secrets = Secret::of_site(&keyring(&["A"]), "shop").unwrap();
        let signer = Signer::new(&secrets);
        let shown = format!("{secrets:?} {signer:?}");
        for text in texts(&["A"], "shop") {
            assert!(!shown.contains(text.strip_prefix("whsec_").unwrap()), "{shown}");
        }
        assert!(shown.starts_with("[Secret(..)]"), "{shown}");
    }
}
