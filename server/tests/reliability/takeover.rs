//! S25: one provider takes over from another, and a gateway that is busy for a moment.

use std::{sync::Arc, time::Duration};

use axum::{Router, http::StatusCode, response::IntoResponse};
use otp::DeliveryState;
use secrecy::SecretString;
use serde_json::json;
use server::delivery::{Inbox, Provider, Twilio, TwilioSettings};
use tokio::sync::mpsc;

use crate::{
    PATIENCE, catalogue,
    mail_server::MailServer,
    outbox::{Outbox, plain_mail},
};

#[tokio::test]
async fn s25_the_second_provider_takes_over_at_once_from_one_that_refuses() {
    let server = MailServer::usual().await;
    let inbox = Arc::new(Inbox::new(catalogue()));
    let mut outbox =
        Outbox::of(vec![server.provider(), Provider::Inbox(inbox.clone())], Vec::new());
    let id = outbox.send("unknown@example.com").await;
    assert_eq!(outbox.progress(id).await, (DeliveryState::Sent, 1));
    assert_eq!(inbox.messages().len(), 1);
}

#[tokio::test]
async fn s25_the_second_provider_takes_over_after_three_tries_from_one_that_is_down() {
    let inbox = Arc::new(Inbox::new(catalogue()));
    let mut outbox = Outbox::of(vec![gone().await, Provider::Inbox(inbox)], Vec::new());
    let id = outbox.send("jo@example.com").await;
    assert_eq!(outbox.until_settled().await.len(), 3);
    assert_eq!(outbox.progress(id).await, (DeliveryState::Sent, 4));
}

#[tokio::test]
async fn s25_a_provider_that_keeps_failing_is_left_alone_for_half_a_minute() {
    let inbox = Arc::new(Inbox::new(catalogue()));
    let mut outbox = Outbox::of(vec![gone().await, Provider::Inbox(inbox)], Vec::new());
    for number in 0..5 {
        let id = outbox.send(&format!("{number}@example.com")).await;
        assert_eq!(outbox.progress(id).await, (DeliveryState::Accepted, 1));
    }
    let id = outbox.send("jo@example.com").await;
    assert_eq!(outbox.progress(id).await, (DeliveryState::Sent, 1), "not asked");
    outbox.clock.advance(Duration::from_secs(30));
    let id = outbox.send("sam@example.com").await;
    assert_eq!(outbox.progress(id).await, (DeliveryState::Accepted, 1), "asked again");
}

#[tokio::test]
async fn s25_a_provider_without_another_beside_it_is_always_asked() {
    let mut outbox = Outbox::of(vec![gone().await], Vec::new());
    for number in 0..7 {
        let id = outbox.send(&format!("{number}@example.com")).await;
        assert_eq!(outbox.progress(id).await, (DeliveryState::Accepted, 1));
    }
}

#[tokio::test]
async fn s25_a_text_message_that_a_busy_gateway_turned_away_is_sent_at_the_second_try() {
    let answers = [
        (StatusCode::TOO_MANY_REQUESTS, json!({ "code": 20429, "message": "Too many requests" })),
        (StatusCode::CREATED, json!({ "sid": "SM00000000000000000000000000000000" })),
    ];
    let (answering, mut asked) = mpsc::channel(answers.len());
    for answer in answers {
        answering.try_send(answer).unwrap();
    }
    let asked = move || {
        let (status, body) = asked.try_recv().expect("it is asked twice");
        async move { (status, axum::Json(body)).into_response() }
    };
    let asked = Arc::new(std::sync::Mutex::new(asked));
    let router = Router::new().fallback(async move || {
        let answer = (asked.lock().unwrap())();
        answer.await
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let settings = TwilioSettings {
        account_sid: "AC00000000000000000000000000000000".to_owned(),
        auth_token: SecretString::from("a token"),
        sender: "+447700900001".to_owned(),
        base_url,
        timeout: PATIENCE,
    };
    let twilio = Provider::Twilio(Twilio::new(settings, catalogue()).unwrap());
    let mut outbox = Outbox::of(Vec::new(), vec![twilio]);
    let id = outbox.send("+447400123456").await;
    assert_eq!(outbox.progress(id).await, (DeliveryState::Accepted, 1));
    outbox.until_settled().await;
    assert_eq!(outbox.progress(id).await, (DeliveryState::Sent, 2));
}

/// A mail server that is down.
async fn gone() -> Provider {
    let server = MailServer::start(&["--security", "plain"]).await;
    let provider = plain_mail(&server);
    server.end().await;
    provider
}
