//! Result tokens, as a back end redeems them.

use std::time::Duration;

use otp::{Assurance, Channel, ResultToken, Timestamp, token::MAX_LIFETIME};
use reqwest::Method;
use serde_json::{Value, json};
use server::{keyring::Keyring, tokens::Tokens};

use super::{APPROVE, DEMO, Reply};
use crate::app::{START, TestApp};

pub(super) const REDEEM: &str = "/v1/tokens/redeem";

impl TestApp {
    /// The signer of this server's tokens.
    pub(super) fn tokens(&self) -> Tokens {
        let keys = Keyring::read(&self.folder().join("data/latchkey.keys")).unwrap().unwrap();
        Tokens::derive(&keys, &self.origin).unwrap()
    }

    /// The id of a verification that a site has just seen approved.
    async fn approved(&self, secret: &'static str) -> String {
        let back_end = self.back_end(secret);
        let body = json!({"to": "Jane@example.com", "purpose": "sign-up", "state": "s1",
                          "metadata": {"order": "1042"}});
        let created = back_end.post("/v1/verifications", &body).await;
        let path = created.header("location");
        let code = match secret {
            APPROVE => "000000".to_owned(),
            _ => self.code(1).await,
        };
        assert_eq!(back_end.check(path, &code).await.json["result"], "approved");
        created.json["id"].as_str().unwrap().to_owned()
    }
}

/// A token about a verification that was approved at the start.
pub(super) fn token(id: &str, site: &str, issued_at: Timestamp) -> ResultToken {
    ResultToken {
        verification: id.parse().unwrap(),
        audience: site.to_owned(),
        purpose: "sign-up".to_owned(),
        channel: Channel::Email,
        assurance: Assurance::AddressConfirmation,
        page_state: Some("s1".to_owned()),
        origin: None,
        recipient_hash: String::new(),
        test_mode: false,
        issued_at,
        expires_at: issued_at + MAX_LIFETIME,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s20_a_token_is_redeemed_once_and_a_repetition_is_answered_as_the_first_time() {
    let app = TestApp::start().await;
    let shop = app.back_end(DEMO);
    let id = app.approved(DEMO).await;
    let body = json!({"token": app.tokens().sign(&token(&id, "demo", START)).unwrap()});
    app.advance(7);
    let redeemed = shop.repeatable("lost", REDEEM, &body).await;
    assert_eq!(redeemed.status, 200, "{}", redeemed.text);
    assert_eq!(
        redeemed.json,
        json!({
            "verification_id": id,
            "state": "approved",
            "recipient": "jane@example.com",
            "recipient_as_typed": "Jane@example.com",
            "channel": "email",
            "assurance": "address_confirmation",
            "purpose": "sign-up",
            "page_state": "s1",
            "origin": null,
            "metadata": {"order": "1042"},
            "approved_at": "2023-11-14T22:13:20.000Z",
            "redeemed_at": "2023-11-14T22:13:27.000Z",
            "test": false,
        })
    );
    let again = shop.repeatable("lost", REDEEM, &body).await;
    assert_eq!((again.header("idempotency-replayed"), &again.json), ("true", &redeemed.json));
    for answer in [shop.post(REDEEM, &body).await, shop.repeatable("other", REDEEM, &body).await] {
        assert_eq!(answer.problem(), (409, "token_already_redeemed"));
    }
    let looked = shop.get(&format!("/v1/verifications/{id}")).await;
    assert_eq!(looked.json["redeemed_at"], "2023-11-14T22:13:27.000Z");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s20_of_many_redemptions_at_once_one_succeeds() {
    let app = TestApp::start().await;
    let shop = app.back_end(DEMO);
    let id = app.approved(DEMO).await;
    let body = json!({"token": app.tokens().sign(&token(&id, "demo", START)).unwrap()});
    let redeem = (0..32).map(|_| shop.post(REDEEM, &body));
    let answers = futures_util::future::join_all(redeem).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 409).count(), 31);
}

#[tokio::test(flavor = "multi_thread")]
async fn s20_a_token_of_another_time_site_or_verification_is_refused() {
    let app = TestApp::start().await;
    let shop = app.back_end(DEMO);
    let tokens = app.tokens();
    let id = app.approved(DEMO).await;
    let refused = async |token: ResultToken| {
        let body = json!({"token": tokens.sign(&token).unwrap()});
        let answer = shop.post(REDEEM, &body).await;
        let (status, code) = answer.problem();
        (status, code.to_owned())
    };
    let invalid = (422, "invalid_token".to_owned());
    assert_eq!(refused(token(&id, "shop", START)).await, invalid);
    assert_eq!(refused(token(&id, "test-approve", START)).await, invalid);
    // Another site's verification, even where the token says that it is for us.
    let foreign = app.approved(APPROVE).await;
    assert_eq!(refused(token(&foreign, "demo", START)).await, invalid);
    // One that is not approved, and one that never was.
    let pending = shop.create("sam@example.com").await;
    let pending = pending.strip_prefix("/v1/verifications/").unwrap();
    assert_eq!(refused(token(pending, "demo", START)).await, invalid);
    assert_eq!(refused(token("AaH9CvQEJreHNH58TLtpxoBtQYgsVpqn", "demo", START)).await, invalid);
    // The other site cannot redeem ours either.
    let body = json!({"token": tokens.sign(&token(&id, "demo", START)).unwrap()});
    let answer = app.back_end(APPROVE).post(REDEEM, &body).await;
    assert_eq!(answer.problem(), (422, "invalid_token"));

    let mut short = token(&id, "demo", START);
    short.expires_at = START + Duration::from_secs(60);
    app.advance(60);
    assert_eq!(refused(short).await, (422, "token_expired".to_owned()));
    assert_eq!(shop.post(REDEEM, &body).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn s20_what_is_no_token_of_ours_is_refused_and_not_repeated() {
    let app = TestApp::start().await;
    let shop = app.back_end(DEMO);
    let id = app.approved(DEMO).await;
    let good = app.tokens().sign(&token(&id, "demo", START)).unwrap();
    let (head, signature) = good.rsplit_once('.').unwrap();
    let elsewhere =
        Tokens::derive(&Keyring::parse(["B".repeat(43).as_str()]).unwrap(), &app.origin);
    for token in [
        "x".to_owned(),
        "..".to_owned(),
        "x".repeat(4096),
        head.to_owned(),
        format!("{head}."),
        format!("{head}.{}", signature.to_lowercase()),
        format!("{good}A"),
        format!(" {good}"),
        elsewhere.unwrap().sign(&token(&id, "demo", START)).unwrap(),
    ] {
        let answer = shop.post(REDEEM, &json!({ "token": token })).await;
        assert_eq!(answer.problem(), (422, "invalid_token"), "{token}");
        assert!(token.len() < 9 || !answer.text.contains(&token));
    }
    assert_eq!(shop.post(REDEEM, &json!({"token": good})).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_served_keys_are_those_that_sign() {
    let app = TestApp::start().await;
    let served = Reply::to(app.bare_request(Method::GET, "/.well-known/jwks.json")).await.json;
    let expected: Value = serde_json::from_str(app.tokens().jwks()).unwrap();
    assert_eq!(served, expected);
}
