//! The endpoints of `/v1` on valid requests.

use reqwest::Method;
use serde_json::json;

use super::{APPROVE, DEMO, Reply};
use crate::app::{TestApp, wrong};

#[tokio::test(flavor = "multi_thread")]
async fn a_verification_is_begun_looked_up_checked_and_over() {
    let app = TestApp::start().await;
    let shop = app.back_end(DEMO);
    let body = json!({
        "to": "Jane@Example.com",
        "channel": "email",
        "locale": "en-GB",
        "purpose": "sign-up",
        "return_url": "http://localhost:3001/return",
        "state": "s 1",
        "metadata": {"order": "1042", "note": ""},
    });
    let created = shop.post("/v1/verifications", &body).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let id = created.json["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/verifications/{id}");
    assert_eq!(created.header("location"), path);
    assert_eq!(created.header("content-type"), "application/json");
    assert_eq!(created.header("cache-control"), "no-store");
    assert_eq!(
        created.json,
        json!({
            "id": id,
            "state": "pending",
            "recipient": "J***@example.com",
            "purpose": "sign-up",
            "code_length": 6,
            "attempts_left": 5,
            "sends_left": 4,
            "delivery": {"channel": "email", "state": "accepted", "tries": 0, "number": 1},
            "channels": ["email"],
            "created_at": "2023-11-14T22:13:20.000Z",
            "code_expires_at": "2023-11-14T22:18:20.000Z",
            "resend_at": "2023-11-14T22:13:50.000Z",
            "expires_at": "2023-11-14T22:28:20.000Z",
            "finished_at": null,
            "redeemed_at": null,
            "url": format!("{}/v/{id}", app.origin),
            "return_url": "http://localhost:3001/return",
            "page_state": "s 1",
            "metadata": {"order": "1042", "note": ""},
            "test": false,
        })
    );

    let code = app.code(1).await;
    let missed = shop.check(&path, &wrong(&code)).await;
    assert_eq!(missed.status, 200);
    assert_eq!(
        (&missed.json["result"], &missed.json["attempts_left"]),
        (&"incorrect".into(), &4.into())
    );
    assert_eq!(missed.json["verification"]["attempts_left"], 4);
    let short = shop.check(&path, "12").await;
    assert_eq!((&short.json["result"], &short.json["expected"]), (&"malformed".into(), &6.into()));
    assert_eq!(short.json["verification"]["attempts_left"], 4);

    app.advance(10);
    let spaced = format!("{} {}", &code[..3], &code[3..]);
    let right = shop.check(&path, &spaced).await;
    assert_eq!(right.json["result"], "approved");
    assert!(right.json.get("attempts_left").is_none() && right.json.get("expected").is_none());
    assert_eq!(right.json["verification"]["finished_at"], "2023-11-14T22:13:30.000Z");
    assert_eq!(shop.check(&path, &code).await.json["result"], "already_used");

    let looked = shop.get(&path).await;
    assert_eq!((looked.status, &looked.json["state"]), (200, &"approved".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_national_number_is_read_in_its_country() {
    let app = TestApp::start().await;
    let body = json!({"to": "07400 123456", "country": "gb"});
    let created = app.back_end(DEMO).post("/v1/verifications", &body).await;
    assert_eq!(created.json["recipient"], "+44 ••• ••56");
    assert_eq!(created.json["delivery"]["channel"], "sms");
    assert_eq!(app.inbox(1).await[0].to, "+447400123456");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_code_is_sent_after_its_wait_with_or_without_a_body() {
    let app = TestApp::start().await;
    let shop = app.back_end(DEMO);
    let path = shop.create("jo@example.com").await;
    let sends = format!("{path}/sends");

    let early = shop.post(&sends, &json!({})).await;
    assert_eq!(early.problem(), (429, "resend_too_early"));
    assert_eq!((early.header("retry-after"), &early.json["retry_after"]), ("30", &30.into()));

    app.advance(30);
    let again = Reply::to(shop.request(Method::POST, &sends)).await;
    assert_eq!((again.status, &again.json["delivery"]["number"]), (201, &2.into()));
    app.advance(40);
    let again = shop.post(&sends, &json!({"channel": "email"})).await;
    assert_eq!((again.status, &again.json["sends_left"]), (201, &2.into()));
    assert_eq!(app.inbox(3).await.len(), 3);
    let other = shop.post(&sends, &json!({"channel": "sms"})).await;
    assert_eq!(other.problem(), (422, "channel_unavailable"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_called_off_stays_to_be_looked_up_and_accepts_no_code() {
    let app = TestApp::start().await;
    let shop = app.back_end(DEMO);
    let path = shop.create("jo@example.com").await;
    let code = app.code(1).await;
    for _ in 0..2 {
        let canceled = shop.delete(&path).await;
        assert_eq!((canceled.status, &canceled.json["state"]), (200, &"canceled".into()));
    }
    assert_eq!(shop.get(&path).await.json["state"], "canceled");
    assert_eq!(shop.check(&path, &code).await.json["result"], "canceled");
    let again = shop.post(&format!("{path}/sends"), &json!({})).await;
    assert_eq!(again.problem(), (409, "already_finished"));
}

#[tokio::test(flavor = "multi_thread")]
async fn sites_for_test_suites_always_do_the_same() {
    let app = TestApp::start().await;
    let approve = app.back_end(APPROVE);
    let path = approve.create("jo@example.com").await;
    assert_eq!(approve.check(&path, "000000").await.json["result"], "approved");
    assert_eq!(approve.get(&path).await.json["test"], true);

    let incorrect = app.back_end("lk_sec_test_incorrect");
    let path = incorrect.create("jo@example.com").await;
    assert_eq!(incorrect.check(&path, "000000").await.json["result"], "incorrect");

    let undeliverable = app.back_end("lk_sec_test_undeliverable");
    let path = undeliverable.create("jo@example.com").await;
    assert_eq!(undeliverable.get(&path).await.json["state"], "failed");

    let limited = app.back_end("lk_sec_test_limited");
    let refused = limited.post("/v1/verifications", &json!({"to": "jo@example.com"})).await;
    assert_eq!(refused.problem(), (429, "rate_limited"));
    assert!(refused.header("retry-after").parse::<u64>().unwrap() > 0);

    assert_eq!(app.inbox(0).await.len(), 0, "nothing was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_back_end_s_address_is_not_counted_and_recipients_always_are() {
    let settings = [("LATCHKEY_LIMITS__CALLER_SENDS_PER_5_MINUTES", "2")];
    let app = TestApp::start_with(&settings).await;
    let shop = app.back_end(DEMO);
    for number in 0..5 {
        shop.create(&format!("somebody{number}@example.com")).await;
    }
    for _ in 0..5 {
        shop.create("jo@example.com").await;
    }
    let refused = shop.post("/v1/verifications", &json!({"to": "JO@example.com"})).await;
    assert_eq!(refused.problem(), (429, "rate_limited"));
    assert_eq!(refused.json["limit"], "recipient_sends");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert_eq!(refused.json["retry_after"], wait);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_are_for_everybody_and_for_pages_of_any_origin() {
    let app = TestApp::start().await;
    let keys = Reply::to(app.bare_request(Method::GET, "/.well-known/jwks.json")).await;
    assert_eq!((keys.status, keys.header("content-type")), (200, "application/json"));
    assert_eq!(keys.header("cache-control"), "public, max-age=300");
    assert_eq!(keys.header("access-control-allow-origin"), "*");
    assert_eq!(keys.json["keys"][0]["crv"], "Ed25519");
    assert!(keys.json["keys"][0].get("d").is_none());
}
