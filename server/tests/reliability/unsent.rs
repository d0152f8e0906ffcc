//! S33: texts that never leave close no destination.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use axum::{Router, http::StatusCode};
use otp::{Limit, Outcome, State};
use secrecy::SecretString;
use serde_json::json;
use server::{
    delivery::{Inbox, Provider, Senders, TextSender, Twilio, TwilioSettings},
    service::Refused,
};

use crate::{TIMEOUT, catalogue, outbox::Outbox};

/// Verifications that are tolerated at a destination in an hour without approval.
const TOLERATED: usize = 10;

/// A British mobile number, of one prefix.
fn number(index: usize) -> String {
    format!("+4474001{index:05}")
}

fn twilio(base_url: String) -> Provider {
    let settings = TwilioSettings {
        account_sid: "AC00000000000000000000000000000000".to_owned(),
        auth_token: SecretString::from("a token"),
        sender: Some(TextSender::From("+447700900001".to_owned())),
        senders: Senders::default(),
        whatsapp: None,
        voice: None,
        base_url,
        timeout: TIMEOUT,
    };
    Provider::Twilio(Twilio::new(settings, catalogue()).unwrap())
}

/// A gateway that answers every text with this status and code.
async fn gateway(status: StatusCode, code: u32) -> Provider {
    let answer = json!({ "code": code, "message": "No.", "status": status.as_u16() });
    let router = Router::new().fallback(async move || (status, axum::Json(answer)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    twilio(base_url)
}

#[tokio::test]
async fn s25_a_gateway_that_answers_500_gets_each_text_twice_and_its_texts_stay_counted() {
    let requests = Arc::new(AtomicUsize::new(0));
    let counting = requests.clone();
    let router = Router::new().fallback(async move || {
        counting.fetch_add(1, SeqCst);
        StatusCode::INTERNAL_SERVER_ERROR
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let mut outbox = Outbox::of(Vec::new(), vec![twilio(base_url)]);
    for index in 0..TOLERATED {
        outbox.send(&number(index)).await;
    }
    outbox.until_settled().await;
    assert_eq!(requests.load(SeqCst), 2 * TOLERATED);
    assert!(outbox.try_open(&number(99)).await.is_err(), "they may have been sent");
}

/// A gateway that reads each request, and closes the connection without an answer.
async fn silent() -> Provider {
    let router = Router::new().fallback(async || -> StatusCode { panic!("no answer") });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    twilio(base_url)
}

#[tokio::test]
async fn s33_texts_that_the_gateway_refuses_close_no_destination_and_count_for_its_ceiling() {
    let refusing = gateway(StatusCode::BAD_REQUEST, 21211).await;
    let mut outbox = Outbox::of(Vec::new(), vec![refusing]);
    for index in 0..100 {
        let id = outbox.send(&number(index)).await;
        assert_eq!(outbox.verification(id).await.state(outbox.clock.now()), State::Failed);
    }
    let refused = outbox.try_open(&number(100)).await.unwrap_err();
    let Refused::Exceeded { exceeded, .. } = refused else { panic!("{refused:?}") };
    assert_eq!(exceeded.limit, Limit::Texts);
}

#[tokio::test]
async fn s33_after_an_outage_destinations_are_open_and_further_codes_count_in_place_of_the_first() {
    let mut outbox =
        Outbox::of(Vec::new(), vec![gateway(StatusCode::SERVICE_UNAVAILABLE, 0).await]);
    let mut ids = Vec::new();
    for index in 0..TOLERATED {
        ids.push(outbox.send(&number(index)).await);
    }
    assert!(outbox.try_open(&number(99)).await.is_err(), "they may still be sent");
    outbox.until_settled().await;

    let inbox = Arc::new(Inbox::new(catalogue()));
    outbox.replace_providers(vec![Provider::Inbox(inbox.clone())]);
    outbox.send(&number(TOLERATED)).await;
    for id in &ids[1..] {
        outbox.resend(*id).await.unwrap();
    }
    let closed = |refused| matches!(refused, Err(Refused::DestinationClosed { .. }));
    assert!(closed(outbox.resend(ids[0]).await), "ten messages have left");
    assert!(closed(outbox.try_open(&number(99)).await.map(|_| ())));
    // An approval makes room, as for every verification that is counted.
    let code = inbox.messages().into_iter().find(|sent| sent.to == number(1)).unwrap().code;
    assert_eq!(outbox.check(ids[1], &code).await, Outcome::Approved);
    outbox.resend(ids[0]).await.unwrap();
    assert!(closed(outbox.try_open(&number(99)).await.map(|_| ())));
}

#[tokio::test]
async fn s33_texts_that_may_have_left_stay_counted() {
    let mut outbox = Outbox::of(Vec::new(), vec![silent().await]);
    for index in 0..TOLERATED {
        outbox.send(&number(index)).await;
    }
    outbox.until_settled().await;
    assert!(outbox.clock.now() < crate::outbox::START + Duration::from_secs(3000));
    assert!(outbox.try_open(&number(99)).await.is_err());
}
