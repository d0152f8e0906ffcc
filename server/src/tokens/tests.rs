//! Tests of S20. `end2end` tests the tokens with libraries that relying parties use.

use otp::{
    Code, Details, Policy, Recipient, Verification,
    digest::{Pepper, Peppers},
    token::MAX_LIFETIME,
    verification::Opening,
};
use rand::rngs::SysRng;
use serde_json::{Value, json};

use super::*;

const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const ISSUER: &str = "https://otp.example.com";

fn tokens(keys: &[&str]) -> Tokens {
    let texts: Vec<_> = keys.iter().map(|key| key.repeat(43)).collect();
    let keyring = Keyring::parse(texts.iter().map(String::as_str)).unwrap();
    Tokens::derive(&keyring, ISSUER).unwrap()
}

fn result() -> ResultToken {
    let peppers = Peppers::new([Pepper::new([7; 32])]).unwrap();
    let opening = Opening {
        id: VerificationId::generate(START, &mut SysRng).unwrap(),
        site: "shop".into(),
        recipient: Recipient::parse("jo@example.com", None, None).unwrap(),
        purpose: "sign-up".into(),
        locale: "en".into(),
        policy: Policy::default(),
        details: Details { page_state: Some("s1".into()), ..Details::default() },
    };
    let code = Code::parse("123456").unwrap();
    let mut verification = Verification::open(opening, Channel::Email, &code, &peppers, START);
    verification.check(code.as_str(), None, &peppers, START);
    ResultToken::issue(&verification, MAX_LIFETIME, START).unwrap()
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn parts(token: &str) -> (Value, Value, String) {
    let parts: Vec<_> = token.split('.').collect();
    let json = |part: &str| {
        serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    (json(parts[0]), json(parts[1]), parts[2].to_owned())
}

#[test]
fn a_token_is_valid_for_its_site_only() {
    let tokens = tokens(&["A"]);
    let result = result();
    let token = tokens.sign(&result).unwrap();
    assert_eq!(tokens.read(&token, "shop").map(|(id, _)| id), Ok(result.verification));
    assert_eq!(tokens.read(&token, "demo"), Err(InvalidToken));
}

#[test]
fn s20_a_token_carries_its_expiry() {
    let tokens = tokens(&["A"]);
    let token = tokens.sign(&result()).unwrap();
    let (_, expires_at) = tokens.read(&token, "shop").unwrap();
    assert_eq!(expires_at, START + MAX_LIFETIME);
}

#[test]
fn a_rotated_key_is_published_and_accepted_until_it_leaves_the_list() {
    let token = tokens(&["A"]).sign(&result()).unwrap();
    let rotated = tokens(&["B", "A"]);
    assert!(rotated.read(&token, "shop").is_ok());
    let set: Value = serde_json::from_str(rotated.jwks()).unwrap();
    assert_eq!(set["keys"].as_array().unwrap().len(), 2);
    let (header, ..) = parts(&rotated.sign(&result()).unwrap());
    assert_eq!(header["kid"], set["keys"][0]["kid"]);
    assert_eq!(tokens(&["B"]).read(&token, "shop"), Err(InvalidToken));
}

#[test]
fn the_published_keys_are_public_halves_only() {
    let set: Value = serde_json::from_str(tokens(&["A"]).jwks()).unwrap();
    let key = set["keys"][0].as_object().unwrap();
    let mut names: Vec<_> = key.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x"]);
    assert_eq!(
        (&key["kty"], &key["crv"], &key["alg"]),
        (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA"))
    );
}

#[test]
fn s20_an_altered_token_is_refused() {
    let tokens = tokens(&["A"]);
    let token = tokens.sign(&result()).unwrap();
    let (header, claims, signature) = parts(&token);
    let refused = |forged: String| {
        assert_eq!(tokens.read(&forged, "shop"), Err(InvalidToken), "{forged}");
    };
    let with = |value: &Value, name: &str, new: Value| {
        let mut value = value.clone();
        value[name] = new;
        value
    };
    let body = part(&claims);
    let unsigned = |header: &Value| format!("{}.{body}.{signature}", part(header));

    for algorithm in ["none", "None", "nOnE", "HS256", "RS256", "ES256", "PS512", ""] {
        refused(unsigned(&with(&header, "alg", json!(algorithm))));
        refused(format!("{}.{body}.", part(&with(&header, "alg", json!(algorithm)))));
    }
    for kid in [json!(null), json!(""), json!("../../dev/null"), json!("x' OR 1=1"), json!(7)] {
        refused(unsigned(&with(&header, "kid", kid)));
    }
    // Keys named by the token itself.
    for (name, value) in [
        ("jwk", json!({"kty": "OKP", "crv": "Ed25519", "x": "AAAA"})),
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/cert")),
        ("crit", json!(["exp"])),
    ] {
        refused(unsigned(&with(&header, name, value)));
    }
    for (name, value) in [
        ("sub", json!(VerificationId::first_at(START).to_string())),
        ("aud", json!("demo")),
        ("iss", json!("https://evil.example")),
        ("exp", json!(9_999_999_999_u64)),
        ("exp", json!("9999999999")),
        ("state", json!("s2")),
        ("recipient_hash", json!("AAAA")),
    ] {
        refused(format!("{}.{}.{signature}", part(&header), part(&with(&claims, name, value))));
    }
    for end in 0..token.len() {
        refused(token[..end].to_owned());
    }
    refused(format!("{token}A"));
    refused(format!("{token}.{signature}"));
    refused(String::new());
    refused("A".repeat(100_000));
}

#[test]
fn s20_an_hmac_with_the_public_key_is_refused() {
    let tokens = tokens(&["A"]);
    let (header, claims, _) = parts(&tokens.sign(&result()).unwrap());
    let set: Value = serde_json::from_str(tokens.jwks()).unwrap();
    let public = URL_SAFE_NO_PAD.decode(set["keys"][0]["x"].as_str().unwrap()).unwrap();
    let mut forged = Header::new(Algorithm::HS256);
    forged.kid = header["kid"].as_str().map(str::to_owned);
    let forged = encode(&forged, &claims, &EncodingKey::from_secret(&public)).unwrap();
    assert_eq!(tokens.read(&forged, "shop"), Err(InvalidToken));
}

#[test]
fn s20_a_token_signed_by_our_key_with_a_wrong_or_missing_claim_is_refused() {
    let tokens = tokens(&["A"]);
    let (header, claims, _) = parts(&tokens.sign(&result()).unwrap());
    let mut ours = Header::new(Algorithm::EdDSA);
    ours.kid = header["kid"].as_str().map(str::to_owned);
    let sign = |claims: &Value| encode(&ours, claims, &tokens.keys[0].signing).unwrap();
    assert!(tokens.read(&sign(&claims), "shop").is_ok());
    for (name, value) in [
        ("iss", json!("https://other.example")),
        ("iss", json!(null)),
        ("aud", json!(["demo"])),
        ("aud", json!(null)),
        ("exp", json!(null)),
        ("exp", json!("9999999999")),
        ("sub", json!("no id")),
    ] {
        let mut altered = claims.clone();
        altered[name] = value;
        let read = tokens.read(&sign(&altered), "shop");
        assert_eq!(read, Err(InvalidToken), "{name}");
    }
}
