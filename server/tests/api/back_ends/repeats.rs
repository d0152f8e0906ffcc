//! Requests that are sent again because an answer was lost.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use super::{APPROVE, DEMO, Reply};
use crate::app::{TestApp, wrong};

const CREATE: &str = "/v1/verifications";

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_is_answered_as_the_first_time_and_does_nothing() {
    let app = TestApp::start().await;
    let shop = app.back_end(DEMO);
    let body = json!({"to": "jo@example.com"});
    let first = shop.repeatable("key-1", CREATE, &body).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (201, ""));
    for _ in 0..3 {
        let again = shop.repeatable("key-1", CREATE, &body).await;
        assert_eq!((again.status, again.header("idempotency-replayed")), (201, "true"));
        assert_eq!(again.json["id"], first.json["id"]);
        assert_eq!(again.header("location"), first.header("location"));
    }
    let other = shop.repeatable("key-2", CREATE, &body).await;
    assert_ne!(other.json["id"], first.json["id"]);
    let app = app.restart().await;
    let again = app.back_end(DEMO).repeatable("key-1", CREATE, &body).await;
    assert_eq!(
        (&again.json["id"], again.header("idempotency-replayed")),
        (&first.json["id"], "true")
    );
    assert_eq!(app.inbox(0).await.len(), 0, "what a restart has forgotten is not sent again");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_request_under_a_used_key_is_refused() {
    let app = TestApp::start().await;
    let shop = app.back_end(DEMO);
    let body = json!({"to": "jo@example.com"});
    let path = shop.repeatable("key", CREATE, &body).await.header("location").to_owned();
    let elsewhere = [
        shop.repeatable("key", CREATE, &json!({"to": "eve@example.com"})).await,
        shop.repeatable("key", &format!("{path}/checks"), &json!({"code": "123456"})).await,
        shop.repeatable("key", &format!("{path}/sends"), &json!({})).await,
        Reply::to(shop.request(Method::DELETE, &path).header("idempotency-key", "key")).await,
    ];
    for answer in elsewhere {
        assert_eq!(answer.problem(), (422, "idempotency_key_reused"));
    }
    let looked = shop.get(&path).await.json;
    assert_eq!((&looked["state"], &looked["attempts_left"]), (&"pending".into(), &5.into()));
    assert_eq!(app.inbox(1).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn repetitions_at_the_same_time_have_one_effect() {
    let app = TestApp::start().await;
    let shop = app.back_end(DEMO);
    let body = json!({"to": "jo@example.com"});
    let answers = join_all((0..32).map(|_| shop.repeatable("key", CREATE, &body))).await;
    assert!(answers.iter().all(|answer| answer.status == 201));
    assert!(answers.iter().all(|answer| answer.json["id"] == answers[0].json["id"]));
    let first = answers.iter().filter(|answer| answer.header("idempotency-replayed").is_empty());
    assert_eq!(first.count(), 1);
    assert_eq!(app.inbox(1).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_repeated_check_counts_once() {
    let app = TestApp::start().await;
    let shop = app.back_end(DEMO);
    let path = shop.create("jo@example.com").await;
    let code = app.code(1).await;
    let checks = format!("{path}/checks");
    let guess = json!({"code": wrong(&code)});
    let answers = join_all((0..16).map(|_| shop.repeatable("wrong", &checks, &guess))).await;
    for answer in answers {
        assert_eq!(answer.json["result"], "incorrect");
        assert_eq!(answer.json["attempts_left"], 4);
    }
    assert_eq!(shop.get(&path).await.json["attempts_left"], 4);
    // The answer that says "approved" may be the one that is lost.
    let right = json!({"code": code});
    for replayed in ["", "true", "true"] {
        let answer = shop.repeatable("right", &checks, &right).await;
        assert_eq!(answer.json["result"], "approved");
        assert_eq!(answer.header("idempotency-replayed"), replayed);
    }
    assert_eq!(shop.check(&path, &code).await.json["result"], "already_used");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_send_is_one_message_and_a_repeated_cancel_one_end() {
    let app = TestApp::start().await;
    let shop = app.back_end(DEMO);
    let path = shop.create("jo@example.com").await;
    app.advance(30);
    let sends = format!("{path}/sends");
    for _ in 0..3 {
        let answer = shop.repeatable("again", &sends, &json!({})).await;
        assert_eq!((answer.status, &answer.json["delivery"]["number"]), (201, &2.into()));
    }
    assert_eq!(app.inbox(2).await.len(), 2);
    for replayed in ["", "true"] {
        let request = shop.request(Method::DELETE, &path).header("idempotency-key", "off");
        let answer = Reply::to(request).await;
        assert_eq!(
            (&answer.json["state"], answer.header("idempotency-replayed")),
            (&"canceled".into(), replayed)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sites_do_not_share_keys_and_a_refused_request_is_not_kept() {
    let app = TestApp::start().await;
    let (shop, other) = (app.back_end(DEMO), app.back_end(APPROVE));
    let body = json!({"to": "jo@example.com"});
    let first = shop.repeatable("key", CREATE, &body).await;
    let elsewhere = other.repeatable("key", CREATE, &json!({"to": "sam@example.com"})).await;
    assert_eq!((first.status, elsewhere.status), (201, 201));
    assert_ne!(first.json["id"], elsewhere.json["id"]);

    // The wait was not over; after it the same request goes through.
    let sends = format!("{}/sends", first.header("location"));
    let early = shop.repeatable("early", &sends, &json!({})).await;
    assert_eq!(early.problem(), (429, "resend_too_early"));
    app.advance(30);
    let later = shop.repeatable("early", &sends, &json!({})).await;
    assert_eq!((later.status, later.header("idempotency-replayed")), (201, ""));

    let typo = shop.repeatable("typo", CREATE, &json!({"too": "jo@example.com"})).await;
    assert_eq!(typo.status, 422);
    assert_eq!(shop.repeatable("typo", CREATE, &body).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_forgotten_after_a_day() {
    let app = TestApp::start().await;
    let shop = app.back_end(DEMO);
    let body = json!({"to": "jo@example.com"});
    let first = shop.repeatable("key", CREATE, &body).await;
    app.advance(24 * 3600 + 1);
    let later = shop.repeatable("key", CREATE, &json!({"to": "sam@example.com"})).await;
    assert_eq!(later.status, 201, "{}", later.text);
    assert_ne!(later.json["id"], first.json["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_one_header_of_visible_characters() {
    let app = TestApp::start().await;
    let shop = app.back_end(DEMO);
    let body = json!({"to": "jo@example.com"});
    for bad in ["", "a b", "ä", &"k".repeat(256)] {
        let answer = shop.repeatable(bad, CREATE, &body).await;
        assert_eq!(answer.problem(), (422, "invalid_field"), "{bad}");
        assert_eq!(answer.json["field"], "idempotency_key");
    }
    let twice = shop.request(Method::POST, CREATE).json(&body);
    let twice = twice.header("idempotency-key", "a").header("idempotency-key", "a");
    assert_eq!(Reply::to(twice).await.problem(), (422, "invalid_field"));
    assert_eq!(shop.repeatable(&"~".repeat(255), CREATE, &body).await.status, 201);
}
