//! What is told, and when.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_STANDARD};
use otp::Code;
use serde_json::json;
use server::store::Store;

use crate::{
    house::{House, START, secret},
    receiver::Request,
    taking,
};

/// Why the verification has failed that an event tells of.
fn reason(request: &Request) -> String {
    request.json()["data"]["reason"].as_str().unwrap_or_default().to_owned()
}

/// Whether one of its signatures is by a secret in the form that receivers are given.
fn is_signed_by(request: &Request, secret: &str) -> bool {
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
    // Events are posted side by side, and arrive in any order.
    kinds.sort_unstable();
    kinds
}

#[tokio::test]
async fn a_verification_is_told_of_by_signed_events_with_ids_of_their_own() {
    let mut receiver = taking().await;
    let mut house = House::of(&[("shop", &receiver.url)]);
    let id = house.approve().await;
    assert_eq!(house.events.deliver_due().await, 2);
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
    let told = |kind, state| json!({ "type": kind, "timestamp": timestamp, "data": data(state) });
    assert_eq!(sent.json(), told("delivery.updated", "pending"));
    assert_eq!(approved.json(), told("verification.approved", "approved"));
    assert_eq!(house.next_due().await, None, "its deadline went with it");
}

#[tokio::test]
async fn each_way_to_fail_is_told_with_its_reason() {
    let mut receiver = taking().await;
    let mut house = House::of(&[("shop", &receiver.url)]);
    house.cancel_one("shop").await;
    let client = house.client(None);
    let id = house.open_for("shop", &client).await;
    house.send().await;
    let code = house.send().await;
    let first = if code.as_str().starts_with('0') { '1' } else { '0' };
    let wrong = Code::parse(&format!("{first}{}", &code.as_str()[1..])).unwrap();
    for _ in 0..6 {
        house.check(id, &wrong).await;
    }
    house.events.deliver_due().await;
    let expected = [
        "delivery.updated",
        "delivery.updated",
        "verification.failed canceled",
        "verification.failed max_attempts_reached",
    ];
    assert_eq!(kinds(&receiver.so_far()), expected);
    assert_eq!(house.next_due().await, None);
}

#[tokio::test]
async fn a_message_that_cannot_be_delivered_is_told_and_so_is_what_follows() {
    let mut receiver = taking().await;
    let mut house = House::of(&[("shop", &receiver.url)]);
    // Nobody carries e-mail here.
    house.letters.dispatcher = server::delivery::Dispatcher::new(Vec::new(), Vec::new());
    let client = house.client(None);
    house.open_for("shop", &client).await;
    house.letters.deliver_due().await;
    house.clock.advance(Duration::from_secs(60));
    house.letters.deliver_due().await;
    house.events.deliver_due().await;
    let expected = ["delivery.updated", "verification.failed undeliverable"];
    assert_eq!(kinds(&receiver.so_far()), expected);
}

#[tokio::test]
async fn an_expiry_is_told_when_it_has_come_and_not_while_another_code_is_good() {
    let mut receiver = taking().await;
    let mut house = House::of(&[("shop", &receiver.url)]);
    let client = house.client(None);
    let id = house.open_for("shop", &client).await;
    house.send().await;
    house.events.deliver_due().await;
    receiver.so_far();
    let window = Duration::from_secs(900);
    assert_eq!(house.next_due().await, Some(START + window));

    house.clock.advance(Duration::from_secs(899));
    house.service.resend(&client, id, None).await.unwrap();
    house.send().await;
    house.events.deliver_due().await;
    receiver.so_far();
    house.clock.advance(Duration::from_secs(1));
    assert_eq!(house.events.deliver_due().await, 1, "it is looked at");
    assert_eq!(receiver.so_far().len(), 0, "and not over");

    let end = START + window + Duration::from_secs(299);
    assert_eq!(house.next_due().await, Some(end));
    house.clock.advance(end.since(house.clock.now()));
    while house.events.deliver_due().await > 0 {}
    let requests = receiver.so_far();
    assert_eq!(kinds(&requests), ["verification.failed expired"]);
    assert_eq!(requests[0].json()["data"]["state"], "expired");
    assert_eq!(house.next_due().await, None);
}

#[tokio::test]
async fn an_expiry_is_told_even_of_what_was_dropped_while_nobody_looked() {
    let mut receiver = taking().await;
    let house = House::of(&[("shop", &receiver.url)]);
    let client = house.client(None);
    let id = house.open_for("shop", &client).await;
    let house = house.restarted().await;
    house.clock.advance(Duration::from_secs(2 * 24 * 3600));
    house.store.sweep(house.clock.now(), Duration::from_secs(24 * 3600)).await.unwrap();
    assert_eq!(house.store.read(id).await.unwrap(), None);
    while house.events.deliver_due().await > 0 {}
    let requests = receiver.so_far();
    assert_eq!(kinds(&requests), ["verification.failed expired"]);
    assert_eq!(requests[0].json()["data"]["id"], id.to_string());
}

#[tokio::test]
async fn a_request_that_is_sent_again_is_told_of_once() {
    let mut receiver = taking().await;
    let mut house = House::of(&[("shop", &receiver.url)]);
    let (opening, checking) = (house.client(Some("open")), house.client(Some("check")));
    let id = house.open_for("shop", &opening).await;
    assert_eq!(house.open_for("shop", &opening).await, id);
    let code = house.send().await;
    for _ in 0..3 {
        house.check_as(&checking, id, &code).await;
    }
    house.events.deliver_due().await;
    let expected = ["delivery.updated", "verification.approved"];
    assert_eq!(kinds(&receiver.so_far()), expected);
}

#[tokio::test]
async fn of_parallel_right_checks_one_is_told() {
    let mut receiver = taking().await;
    let mut house = House::of(&[("shop", &receiver.url)]);
    let client = house.client(None);
    let id = house.open_for("shop", &client).await;
    let code = house.send().await;
    let checks = (0..50).map(|_| house.check(id, &code));
    futures_util::future::join_all(checks).await;
    house.events.deliver_due().await;
    let expected = ["delivery.updated", "verification.approved"];
    assert_eq!(kinds(&receiver.so_far()), expected);
}

#[tokio::test]
async fn a_site_without_a_webhook_makes_no_event_at_all() {
    let mut receiver = taking().await;
    let house = House::of(&[("shop", &receiver.url)]);
    house.cancel_one("demo").await;
    assert_eq!(house.next_due().await, None);
    assert_eq!(receiver.so_far().len(), 0);
}

#[tokio::test]
async fn s7_an_event_that_waits_cannot_be_read_in_the_database() {
    let house = House::of(&[("shop", "http://127.0.0.1:9/")]);
    let id = house.cancel_one("shop").await;
    let database = rusqlite::Connection::open(house.database()).unwrap();
    let sealed: Vec<u8> = database
        .query_row("SELECT sealed FROM outbox WHERE queue = 1", [], |row| row.get(0))
        .unwrap();
    for word in ["verification.failed", "canceled", "example.com", &id.to_string()] {
        assert!(!sealed.windows(word.len()).any(|window| window == word.as_bytes()), "{word}");
    }
}
