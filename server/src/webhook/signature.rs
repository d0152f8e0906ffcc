//! Signatures by the Standard Webhooks scheme, version 1 (symmetric).
//!
//! The signed text is `<id>.<seconds>.<body>`, which detects altered bodies, replayed requests and
//! exchanged ids. Each site has a secret, and so has the operator, derived from the master secrets, so none is stored. While master
//! secrets are rotated there are several, and a request has a signature of each, so that receivers with
//! any of them accept it.

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest::{Digest, SHA256, digest},
    error::Unspecified,
    hmac,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretString};
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

/// Signs the requests to a receiver, and verifies those of a gateway that has the same secret.
pub struct Signer {
    keys: Vec<hmac::Key>,
    /// Digests of the secrets as text.
    texts: Vec<Digest>,
}

/// Most signatures of a request that are looked at.
const MOST_SIGNATURES: usize = 8;

impl Signer {
    /// Signs with each of these secrets.
    pub fn new(secrets: &[Secret]) -> Self {
        let key = |secret: &Secret| hmac::Key::new(hmac::HMAC_SHA256, secret.0.as_slice());
        let text = |secret: &Secret| digest(&SHA256, secret.to_text().expose_secret().as_bytes());
        let keys = secrets.iter().map(key).collect();
        Self { keys, texts: secrets.iter().map(text).collect() }
    }

    /// Whether a text is one of the secrets, in constant time.
    pub fn is_secret(&self, text: &str) -> bool {
        let given = digest(&SHA256, text.as_bytes());
        let is_it =
            |known: &Digest| verify_slices_are_equal(known.as_ref(), given.as_ref()).is_ok();
        self.texts.iter().any(is_it)
    }

    /// Whether a header `webhook-signature` has a signature by one of the secrets.
    pub fn has_signed(&self, id: &str, seconds: u64, body: &[u8], signatures: &str) -> bool {
        let signed = [format!("{id}.{seconds}.").as_bytes(), body].concat();
        let given = signatures.split(' ').filter_map(|given| given.strip_prefix("v1,"));
        given.take(MOST_SIGNATURES).any(|given| {
            let Ok(given) = BASE64_STANDARD.decode(given) else { return false };
            self.keys.iter().any(|key| hmac::verify(key, &signed, &given).is_ok())
        })
    }

    /// The value of the header `webhook-signature`: one signature for each secret, in their order.
    pub fn sign(&self, id: &str, seconds: u64, body: &[u8]) -> String {
        let signatures = self.keys.iter().map(|key| {
            let mut context = hmac::Context::with_key(key);
            context.update(format!("{id}.{seconds}.").as_bytes());
            context.update(body);
            format!("v1,{}", BASE64_STANDARD.encode(context.sign()))
        });
        signatures.collect::<Vec<_>>().join(" ")
    }
}

/// Hides keys and digests.
impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(..)")
    }
}

#[cfg(test)]
mod tests {
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
        let keys = vec![hmac::Key::new(hmac::HMAC_SHA256, &secret)];
        let signer = Signer { keys, texts: Vec::new() };
        let (id, seconds, body) =
            ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        let signature = signer.sign(id, seconds, body);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert!(signer.has_signed(id, seconds, body, &format!("v1a,x v1,AAAA {signature}")));
        for wrong in ["", "v1,", "v1,AAAA", &signature[3..], &signature.replace("v1", "v2")] {
            assert!(!signer.has_signed(id, seconds, body, wrong), "{wrong}");
        }
        assert!(!signer.has_signed(id, seconds + 1, body, &signature));
        assert!(!signer.has_signed("msg_p", seconds, body, &signature));
        assert!(!signer.has_signed(id, seconds, b"{}", &signature));
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
    fn s22_a_secret_is_known_as_text_and_others_are_not() {
        let secrets = Secret::of_provider(&keyring(&["B", "A"]), "mail").unwrap();
        let signer = Signer::new(&secrets);
        for secret in &secrets {
            let text = secret.to_text();
            assert!(signer.is_secret(text.expose_secret()));
            assert!(!signer.is_secret(&text.expose_secret()[1..]));
        }
        assert!(!signer.is_secret(""));
        let other = Secret::of_provider(&keyring(&["A"]), "other").unwrap();
        assert!(!signer.is_secret(other[0].to_text().expose_secret()));
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
