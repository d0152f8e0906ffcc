//! Result tokens. The input is read as a token, and as a place in a genuine one and bytes to change there.
#![cfg_attr(fuzzing, no_main)]

use std::{sync::LazyLock, time::Duration};

use otp::{Assurance, Channel, ResultToken, Timestamp, VerificationId};
use server::{keyring::Keyring, tokens::Tokens};

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| holds(data));

const AUDIENCE: &str = "shop";
const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// The keys of a server, and a token that is signed by the newer one.
static ISSUER: LazyLock<(Tokens, String)> = LazyLock::new(|| {
    let secrets = ["B", "A"].map(|letter| letter.repeat(43));
    let keyring = Keyring::parse(secrets.iter().map(String::as_str)).expect("two secrets");
    let tokens = Tokens::derive(&keyring, "https://otp.example.com").expect("keys");
    let token = ResultToken {
        verification: VerificationId::first_at(NOW),
        audience: AUDIENCE.to_owned(),
        purpose: "verification".to_owned(),
        channel: Channel::Email,
        assurance: Assurance::of(Channel::Email),
        page_state: None,
        origin: None,
        recipient_hash: "0".repeat(43),
        test_mode: false,
        issued_at: NOW,
        expires_at: NOW + Duration::from_secs(300),
    };
    let signed = tokens.sign(&token).expect("a token");
    (tokens, signed)
});

pub(crate) fn holds(data: &[u8]) {
    let (tokens, signed) = &*ISSUER;
    let expected = (VerificationId::first_at(NOW), NOW + Duration::from_secs(300));
    assert_eq!(tokens.read(signed, AUDIENCE), Ok(expected));
    if let Ok(text) = std::str::from_utf8(data) {
        assert_eq!(tokens.read(text, AUDIENCE).is_ok(), text == signed, "{text:?}");
        assert_eq!(tokens.read(signed, text).is_ok(), text == AUDIENCE);
        for part in 0..3 {
            let mut parts: Vec<_> = signed.split('.').collect();
            parts[part] = text;
            let altered = parts.join(".");
            assert_eq!(tokens.read(&altered, AUDIENCE).is_ok(), altered == *signed, "{altered:?}");
        }
    }

    let Some((place, change)) = data.split_first_chunk::<2>() else { return };
    let mut altered = signed.clone().into_bytes();
    let place = usize::from(u16::from_be_bytes(*place)) % altered.len();
    for (byte, change) in altered[place..].iter_mut().zip(change) {
        *byte ^= change;
    }
    let Ok(altered) = String::from_utf8(altered) else { return };
    assert_eq!(tokens.read(&altered, AUDIENCE).is_ok(), altered == *signed, "{altered:?}");
}
