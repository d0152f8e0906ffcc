//! Master secrets, the webhook secrets that are derived from them, and digests of secret keys.
//! The input is a key file; its lines are also names of sites, and bodies to sign.
#![cfg_attr(fuzzing, no_main)]

use std::sync::LazyLock;

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::ExposeSecret;
use server::{
    keyring::Keyring,
    site::SecretDigest,
    webhook::{Secret, Signer},
};

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| holds(data));

static FIXED: LazyLock<Keyring> =
    LazyLock::new(|| Keyring::parse(["A".repeat(43).as_str()]).expect("a secret"));

pub(crate) fn holds(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let lines: Vec<_> = text.lines().collect();
    let first = lines.first().copied().unwrap_or_default();
    match Keyring::parse(lines.iter().copied()) {
        Ok(keyring) => {
            assert_eq!(keyring.secrets().count(), lines.len());
            assert!(keyring.secrets().all(|secret| secret.len() >= 32));
            // The bytes decide, not their spelling.
            let spelt: Vec<_> =
                keyring.secrets().map(|secret| BASE64_STANDARD.encode(secret)).collect();
            let again = Keyring::parse(spelt.iter().map(String::as_str)).expect("the same secrets");
            assert!(again.secrets().eq(keyring.secrets()));
            assert_eq!(webhook_secrets(&again, "shop"), webhook_secrets(&keyring, "shop"));
        }
        Err(problem) => {
            let said = problem.to_string();
            assert!(lines.iter().all(|line| line.len() < 16 || !said.contains(line)), "{said}");
        }
    }

    // A secret for each site, and a signature that its holder can verify, of this id, time and body alone.
    let [secret] = &webhook_secrets(&FIXED, first)[..] else { panic!("one of each master secret") };
    let same_as_of_shop = [secret.clone()] == webhook_secrets(&FIXED, "shop")[..];
    assert_eq!(same_as_of_shop, first == "shop");
    let key = BASE64_STANDARD.decode(secret.strip_prefix("whsec_").expect("its prefix"));
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key.expect("base64"));
    let signer = Signer::new(&Secret::of_site(&FIXED, first).expect("a secret"));
    let signature = signer.sign("msg_1", 1_700_000_000, data);
    let mac = signature.strip_prefix("v1,").and_then(|mac| BASE64_STANDARD.decode(mac).ok());
    let signed = [b"msg_1.1700000000.", data].concat();
    assert!(hmac::verify(&key, &signed, &mac.expect("one signature")).is_ok());
    for (id, seconds, body) in [
        ("msg_2", 1_700_000_000, data),
        ("msg_1", 1_700_000_001, data),
        ("msg_1", 1_700_000_000, &signed),
    ] {
        assert_ne!(signer.sign(id, seconds, body), signature);
    }

    if let Ok(digest) = first.parse::<SecretDigest>() {
        assert_eq!(digest.to_string(), first.to_ascii_lowercase());
        assert!(
            digest.to_string().parse::<SecretDigest>().is_ok_and(|again| again.matches(&digest))
        );
        assert!(!digest.matches(&SecretDigest::of(first)));
    }
}

fn webhook_secrets(keyring: &Keyring, site: &str) -> Vec<String> {
    let secrets = Secret::of_site(keyring, site).expect("secrets");
    secrets.iter().map(|secret| secret.to_text().expose_secret().to_owned()).collect()
}
