//! Events: which are sent, when and with what content.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_STANDARD};
use otp::Code;
use serde_json::json;
use server::store::Store;

use crate::{
    accepting_receiver,
    harness::{Harness, START, secret},
    receiver::Request,
};

/// The reason of a failure event.
fn reason(request: &Request) -> String {
    request.json()["data"]["reason"].as_str().unwrap_or_default().to_owned()
}

/// Whether one of the signatures is by this secret (`whsec_...`).
pub(crate) fn is_signed_by(request: &Request, secret: &str) -> bool {
    let secret = BASE64_STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let signed = format!("{}.{}.{}", request.id, request.seconds, request.body);
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    let right = BASE64_STANDARD.encode(hmac::sign(&key, signed.as_bytes()));
    request.signatures.split(' ').any(|signature| signature == format!("v1,{right}"))
}

fn kinds(requests: &[Request]) -> Vec<String> {
    let kind = |request: &Request| match reason(request).as_str() {
        "" => request.kind(),
        reason => format!("{} {reason}", request.kind()),
    };
    let mut kinds: Vec<_> = requests.iter().map(kind).collect();
    // Events are posted concurrently and arrive in any order.
    kinds.sort_unstable();
    kinds
}

#[tokio::test]
async fn events_of_a_verification_are_signed_and_have_distinct_ids() {
    let mut receiver = accepting_receiver().await;
    let mut harness = Harness::of(&[("shop", &receiver.url)]);
    let id = harness.approve().await;
    assert_eq!(harness.events.deliver_due().await, 2);
    let mut requests = receiver.so_far();
    requests.sort_by_key(Request::kind);
    let [sent, approved] = &requests[..] else { panic!("{requests:?}") };
    for request in [sent, approved] {
        assert!(is_signed_by(request, &secret("shop")), "{request:?}");
        assert!(!is_signed_by(request, &secret("other")));
        assert_eq!(request.seconds, START.as_millis() / 1000);
        assert!(request.id.starts_with("msg_") && request.id.len() == 28, "{}", request.id);
    }
    assert_ne!(sent.id, approved.id);
    let data = |state| {
        json!({
            "id": id.to_string(),
            "site": "shop",
            "state": state,
            "purpose": "sign-up",
            "channel": "email",
            "recipient": "j***@example.com",
            "metadata": { "order": "42" },
            "delivery": { "number": 1, "channel": "email", "state": "sent", "tries": 1 },
        })
    };
    let timestamp = "2023-11-14T22:13:20.000Z";
    let payload =
        |kind, state| json!({ "type": kind, "timestamp": timestamp, "data": data(state) });
    assert_eq!(sent.json(), payload("delivery.updated", "pending"));
    assert_eq!(approved.json(), payload("verification.approved", "approved"));
    assert_eq!(harness.next_due().await, None, "the deadline is removed");
}

#[tokio::test]
async fn each_failure_has_its_reason() {
    let mut receiver = accepting_receiver().await;
    let mut harness = Harness::of(&[("shop", &receiver.url)]);
    harness.cancel_one("shop").await;
    let client = harness.client(None);
    let id = harness.open_for("shop", &client).await;
    harness.send().await;
    let code = harness.send().await;
    let code: u32 = code.as_str().parse().unwrap();
    for steps in 1..=6 {
        let wrong = Code::parse(&format!("{:06}", (code + steps) % 1_000_000)).unwrap();
        harness.check(id, &wrong).await;
    }
    harness.events.deliver_due().await;
    let expected = [
        "delivery.updated",
        "delivery.updated",
        "verification.failed canceled",
        "verification.failed max_attempts_reached",
    ];
    assert_eq!(kinds(&receiver.so_far()), expected);
    assert_eq!(harness.next_due().await, None);
}

#[tokio::test]
async fn s35_a_recipient_who_did_not_ask_is_an_event_like_that_of_a_cancel() {
    let mut receiver = accepting_receiver().await;
    let mut harness = Harness::of(&[("shop", &receiver.url)]);
    let id = harness.open_for("shop", &harness.client(None)).await;
    harness.send().await;
    let link = harness.delivery.keys.links.link(id).unwrap();
    for _ in 0..2 {
        harness.service.disown(&link).await.unwrap();
    }
    harness.events.deliver_due().await;
    let expected = ["delivery.updated", "verification.failed canceled"];
    assert_eq!(kinds(&receiver.so_far()), expected);
    assert_eq!(harness.next_due().await, None);
}

#[tokio::test]
async fn an_undeliverable_message_is_an_event_and_so_is_the_failure() {
    let mut receiver = accepting_receiver().await;
    let mut harness = Harness::of(&[("shop", &receiver.url)]);
    // No provider for e-mail.
    harness.delivery.dispatcher = server::delivery::Dispatcher::new([]);
    let client = harness.client(None);
    harness.open_for("shop", &client).await;
    harness.delivery.deliver_due().await;
    harness.clock.advance(Duration::from_secs(60));
    harness.delivery.deliver_due().await;
    harness.events.deliver_due().await;
    let expected = ["delivery.updated", "verification.failed undeliverable"];
    assert_eq!(kinds(&receiver.so_far()), expected);
}

#[tokio::test]
async fn an_expiry_is_sent_at_the_deadline_which_a_resend_postpones() {
    let mut receiver = accepting_receiver().await;
    let mut harness = Harness::of(&[("shop", &receiver.url)]);
    let client = harness.client(None);
    let id = harness.open_for("shop", &client).await;
    harness.send().await;
    harness.events.deliver_due().await;
    receiver.so_far();
    let window = Duration::from_secs(900);
    assert_eq!(harness.next_due().await, Some(START + window));

    harness.clock.advance(Duration::from_secs(899));
    harness.service.resend(&client, id, None).await.unwrap();
    harness.send().await;
    harness.events.deliver_due().await;
    receiver.so_far();
    harness.clock.advance(Duration::from_secs(1));
    assert_eq!(harness.events.deliver_due().await, 1, "the deadline is checked");
    assert_eq!(receiver.so_far().len(), 0, "and postponed");

    let end = START + window + Duration::from_secs(299);
    assert_eq!(harness.next_due().await, Some(end));
    harness.clock.advance(end.since(harness.clock.now()));
    harness.deliver_all_due().await;
    let requests = receiver.so_far();
    assert_eq!(kinds(&requests), ["verification.failed expired"]);
    assert_eq!(requests[0].json()["data"]["state"], "expired");
    assert_eq!(harness.next_due().await, None);
}

#[tokio::test]
async fn an_expiry_is_sent_even_after_the_verification_was_deleted() {
    let mut receiver = accepting_receiver().await;
    let harness = Harness::of(&[("shop", &receiver.url)]);
    let client = harness.client(None);
    let id = harness.open_for("shop", &client).await;
    let harness = harness.restarted().await;
    harness.clock.advance(Duration::from_secs(2 * 24 * 3600));
    harness.store.sweep(harness.clock.now(), Duration::from_secs(24 * 3600)).await.unwrap();
    assert_eq!(harness.store.read(id).await.unwrap(), None);
    harness.deliver_all_due().await;
    let requests = receiver.so_far();
    assert_eq!(kinds(&requests), ["verification.failed expired"]);
    assert_eq!(requests[0].json()["data"]["id"], id.to_string());
}

#[tokio::test]
async fn a_repeated_request_makes_its_events_once() {
    let mut receiver = accepting_receiver().await;
    let mut harness = Harness::of(&[("shop", &receiver.url)]);
    let (opening, checking) = (harness.client(Some("open")), harness.client(Some("check")));
    let id = harness.open_for("shop", &opening).await;
    assert_eq!(harness.open_for("shop", &opening).await, id);
    let code = harness.send().await;
    for _ in 0..3 {
        harness.check_as(&checking, id, &code).await;
    }
    harness.events.deliver_due().await;
    let expected = ["delivery.updated", "verification.approved"];
    assert_eq!(kinds(&receiver.so_far()), expected);
}

#[tokio::test]
async fn concurrent_right_checks_make_one_approval_event() {
    let mut receiver = accepting_receiver().await;
    let mut harness = Harness::of(&[("shop", &receiver.url)]);
    let client = harness.client(None);
    let id = harness.open_for("shop", &client).await;
    let code = harness.send().await;
    let checks = (0..50).map(|_| harness.check(id, &code));
    futures_util::future::join_all(checks).await;
    harness.events.deliver_due().await;
    let expected = ["delivery.updated", "verification.approved"];
    assert_eq!(kinds(&receiver.so_far()), expected);
}

#[tokio::test]
async fn a_site_without_a_webhook_makes_no_events() {
    let mut receiver = accepting_receiver().await;
    let harness = Harness::of(&[("shop", &receiver.url)]);
    harness.cancel_one("demo").await;
    assert_eq!(harness.next_due().await, None);
    assert_eq!(receiver.so_far().len(), 0);
}

#[tokio::test]
async fn s7_events_are_encrypted_in_the_database() {
    let harness = Harness::of(&[("shop", "http://127.0.0.1:9/")]);
    let id = harness.cancel_one("shop").await;
    let database = rusqlite::Connection::open(harness.database()).unwrap();
    let sealed: Vec<u8> = database
        .query_row("SELECT sealed FROM outbox WHERE queue = 1", [], |row| row.get(0))
        .unwrap();
    for word in ["verification.failed", "canceled", "example.com", &id.to_string()] {
        assert!(!sealed.windows(word.len()).any(|window| window == word.as_bytes()), "{word}");
    }
}
