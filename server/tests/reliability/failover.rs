//! S25: failover between providers, and a gateway that is busy for a moment.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use axum::{Router, http::StatusCode, response::IntoResponse};
use futures_util::future::join_all;
use otp::DeliveryState;
use secrecy::SecretString;
use serde_json::json;
use server::{
    delivery::{Inbox, Provider, Route, Senders, TextSender, Twilio, TwilioSettings},
    store::{Queue, Store},
};
use tokio::sync::Semaphore;

use crate::{
    TIMEOUT, catalogue,
    chaos::route,
    mail_server::MailServer,
    outbox::{Outbox, START, plain_mail},
};

#[tokio::test]
async fn s25_after_a_permanent_failure_the_second_provider_is_tried_at_once() {
    let server = MailServer::usual().await;
    let inbox = Arc::new(Inbox::new(catalogue()));
    let mut outbox =
        Outbox::of(vec![server.provider(), Provider::Inbox(inbox.clone())], Vec::new());
    let id = outbox.send("unknown@example.com").await;
    assert_eq!(outbox.progress(id).await, (DeliveryState::Accepted, 1));
    assert_eq!(outbox.until_settled().await, [Duration::ZERO]);
    assert_eq!(outbox.progress(id).await, (DeliveryState::Sent, 2));
    assert_eq!(inbox.messages().len(), 1);
}

#[tokio::test]
async fn s25_after_three_transient_failures_the_second_provider_is_tried() {
    let inbox = Arc::new(Inbox::new(catalogue()));
    let mut outbox = Outbox::of(vec![gone().await, Provider::Inbox(inbox)], Vec::new());
    let id = outbox.send("jo@example.com").await;
    let waits = outbox.until_settled().await;
    assert!(waits.len() == 3 && waits[2] == Duration::ZERO, "{waits:?}");
    assert_eq!(outbox.progress(id).await, (DeliveryState::Sent, 4));
}

#[tokio::test]
async fn s25_a_provider_that_does_not_answer_leaves_time_for_the_next_one() {
    // Connections are made and never answered.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hanging = route("hanging", silent.local_addr().unwrap(), Duration::from_secs(30));
    let inbox = Arc::new(Inbox::new(catalogue()));
    let inbox_route = Arc::new(Route::from(Provider::Inbox(inbox.clone())));
    let mut outbox = Outbox::by_routes(vec![hanging, inbox_route], Vec::new());
    let (id, message) = outbox.accept("jo@example.com").await;
    let just_before = message.expires_at - Duration::from_millis(1500);
    outbox.clock.advance(just_before.since(START));
    assert_eq!(outbox.worker.deliver_due().await, 1);
    assert_eq!(outbox.worker.deliver_due().await, 1, "at once");
    assert_eq!(outbox.progress(id).await, (DeliveryState::Sent, 2));
    assert_eq!(inbox.messages().len(), 1);
}

#[tokio::test]
async fn s25_a_restart_goes_on_with_the_next_provider() {
    let server = MailServer::usual().await;
    let inbox = Arc::new(Inbox::new(catalogue()));
    let mut outbox =
        Outbox::of(vec![server.provider(), Provider::Inbox(inbox.clone())], Vec::new());
    let id = outbox.send("unknown@example.com").await;
    let restarted = outbox.another_worker(vec![gone().await, Provider::Inbox(inbox.clone())]);
    assert_eq!(restarted.deliver_due().await, 1);
    assert_eq!(outbox.progress(id).await, (DeliveryState::Sent, 2), "not by the first one");
}

#[tokio::test]
async fn s25_a_resend_prefers_another_provider_than_the_one_that_took_the_message_before() {
    let mut server = MailServer::usual().await;
    let inbox = Arc::new(Inbox::new(catalogue()));
    let mut outbox =
        Outbox::of(vec![server.provider(), Provider::Inbox(inbox.clone())], Vec::new());
    let id = outbox.send("jo@example.com").await;
    server.next("message").await;
    assert_eq!(inbox.messages().len(), 0);
    outbox.wait_and_resend(id).await;
    assert_eq!(inbox.messages().len(), 1, "the mail did not lead to an approval");
    outbox.wait_and_resend(id).await;
    server.next("message").await;
}

#[tokio::test]
async fn s25_a_resend_with_one_provider_only_goes_by_it_again() {
    let mut server = MailServer::usual().await;
    let mut outbox = Outbox::by_mail(&server);
    let id = outbox.send("jo@example.com").await;
    server.next("message").await;
    outbox.wait_and_resend(id).await;
    server.next("message").await;
}

#[tokio::test]
async fn s25_a_provider_that_keeps_failing_is_skipped_for_half_a_minute() {
    let inbox = Arc::new(Inbox::new(catalogue()));
    let mut outbox = Outbox::of(vec![gone().await, Provider::Inbox(inbox)], Vec::new());
    for number in 0..5 {
        let id = outbox.send(&format!("{number}@example.com")).await;
        assert_eq!(outbox.progress(id).await, (DeliveryState::Accepted, 1));
    }
    let id = outbox.send("jo@example.com").await;
    assert_eq!(outbox.progress(id).await, (DeliveryState::Sent, 1), "the breaker is open");
    outbox.clock.advance(Duration::from_secs(30));
    let id = outbox.send("sam@example.com").await;
    assert_eq!(
        outbox.progress(id).await,
        (DeliveryState::Accepted, 1),
        "the provider is tried again"
    );
}

#[tokio::test]
async fn s25_the_only_provider_is_tried_even_if_its_breaker_is_open() {
    let mut outbox = Outbox::of(vec![gone().await], Vec::new());
    for number in 0..7 {
        let id = outbox.send(&format!("{number}@example.com")).await;
        assert_eq!(outbox.progress(id).await, (DeliveryState::Accepted, 1));
    }
}

#[tokio::test]
async fn s25_a_text_message_refused_by_a_busy_gateway_is_sent_at_the_second_try() {
    let answers = [
        (StatusCode::TOO_MANY_REQUESTS, json!({ "code": 20429, "message": "Too many requests" })),
        (StatusCode::CREATED, json!({ "sid": "SM00000000000000000000000000000000" })),
    ];
    let answers = Arc::new(Mutex::new(answers.into_iter()));
    let router = Router::new().fallback(async move || {
        let (status, body) = answers.lock().unwrap().next().expect("two requests");
        (status, axum::Json(body)).into_response()
    });
    let mut outbox = Outbox::of(Vec::new(), vec![twilio(router).await]);
    let id = outbox.send("+447400123456").await;
    assert_eq!(outbox.progress(id).await, (DeliveryState::Accepted, 1));
    outbox.until_settled().await;
    assert_eq!(outbox.progress(id).await, (DeliveryState::Sent, 2));
}

#[tokio::test]
async fn s25_a_gateway_that_names_a_time_is_not_tried_before() {
    let router = Router::new().fallback(async || {
        (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "90")], "{}").into_response()
    });
    let mut outbox = Outbox::of(Vec::new(), vec![twilio(router).await]);
    let before = outbox.clock.now();
    let id = outbox.send("+447400123456").await;
    assert_eq!(outbox.progress(id).await, (DeliveryState::Accepted, 1));
    let due = outbox.store.next_due(Queue::Codes).await.unwrap().unwrap();
    assert_eq!(due.since(before), Duration::from_secs(90));
}

#[tokio::test]
async fn s25_a_provider_that_asks_to_wait_longer_than_the_code_lives_is_left_for_the_next() {
    for wait in ["120", "3600"] {
        let router = Router::new().fallback(async move || {
            (StatusCode::TOO_MANY_REQUESTS, [("retry-after", wait)], "{}").into_response()
        });
        let inbox = Arc::new(Inbox::new(catalogue()));
        let providers = vec![twilio(router).await, Provider::Inbox(inbox.clone())];
        let mut outbox = Outbox::of(Vec::new(), providers);
        let id = outbox.send("+447400123456").await;
        assert_eq!(outbox.until_settled().await, [Duration::ZERO]);
        assert_eq!(outbox.progress(id).await, (DeliveryState::Sent, 2));
        assert_eq!(inbox.messages().len(), 1);
    }
}

/// A gateway that answers with the status that the test sets, and counts its requests.
#[derive(Clone, Default)]
struct Gateway {
    status: Arc<AtomicU16>,
    requests: Arc<AtomicUsize>,
}

impl Gateway {
    async fn answering(status: u16) -> (Self, Arc<Route>) {
        let gateway = Self::default();
        gateway.status.store(status, SeqCst);
        let answering = gateway.clone();
        let router = Router::new().fallback(async move || {
            answering.requests.fetch_add(1, SeqCst);
            StatusCode::from_u16(answering.status.load(SeqCst)).unwrap()
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let route = route("gateway", listener.local_addr().unwrap(), TIMEOUT);
        tokio::spawn(async move { axum::serve(listener, router).await });
        (gateway, route)
    }

    fn requests(&self) -> usize {
        self.requests.load(SeqCst)
    }
}

fn backup() -> Arc<Route> {
    Arc::new(Route::from(Provider::Inbox(Arc::new(Inbox::new(catalogue())))))
}

#[tokio::test]
async fn s25_a_refusal_of_one_message_closes_the_breaker() {
    let (gateway, first) = Gateway::answering(503).await;
    let mut outbox = Outbox::by_routes(vec![first, backup()], Vec::new());
    for number in 0..5 {
        outbox.send(&format!("{number}@example.com")).await;
    }
    outbox.send("jo@example.com").await;
    assert_eq!(gateway.requests(), 5, "it is left alone");
    outbox.clock.advance(Duration::from_secs(30));
    gateway.status.store(400, SeqCst);
    outbox.send("sam@example.com").await;
    outbox.send("kim@example.com").await;
    assert_eq!(gateway.requests(), 7, "it answers");
}

#[tokio::test]
async fn s25_failures_are_dated_by_the_ends_of_the_tries() {
    let (arrived, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let (arriving, waiting) = (arrived.clone(), gate.clone());
    let router = Router::new().fallback(async move || {
        arriving.fetch_add(1, SeqCst);
        let _passed = waiting.acquire().await;
        StatusCode::SERVICE_UNAVAILABLE
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let slow = route("slow", listener.local_addr().unwrap(), TIMEOUT);
    tokio::spawn(async move { axum::serve(listener, router).await });
    let mut outbox = Outbox::by_routes(vec![slow, backup()], Vec::new());
    let mut messages = Vec::new();
    for number in 0..5 {
        messages.push(outbox.accept(&format!("{number}@example.com")).await.1);
    }
    let tries = join_all(messages.into_iter().map(|message| outbox.worker.attempt(message)));
    tokio::join!(tries, async {
        while arrived.load(SeqCst) < 5 {
            tokio::task::yield_now().await;
        }
        outbox.clock.advance(Duration::from_secs(40));
        gate.add_permits(Semaphore::MAX_PERMITS);
    });
    let id = outbox.send("jo@example.com").await;
    assert_eq!(outbox.progress(id).await, (DeliveryState::Sent, 1), "the breaker is open");
}

#[tokio::test]
async fn s25_greylisted_recipients_do_not_push_others_to_the_backup() {
    let mut server = MailServer::usual().await;
    let inbox = Arc::new(Inbox::new(catalogue()));
    let mut outbox =
        Outbox::of(vec![server.provider(), Provider::Inbox(inbox.clone())], Vec::new());
    for number in 0..6 {
        outbox.send(&format!("greylist+{number}@example.com")).await;
    }
    outbox.send("jo@example.com").await;
    assert_eq!(server.next("message").await["to"][0], "jo@example.com");
    assert_eq!(inbox.messages().len(), 0);
}

#[tokio::test]
async fn s25_a_resend_goes_to_neither_the_provider_that_took_the_message_nor_to_a_silent_one() {
    let server = MailServer::usual().await;
    let (gateway, second) = Gateway::answering(200).await;
    let inbox = Arc::new(Inbox::new(catalogue()));
    let routes = vec![
        Arc::new(Route::from(server.provider())),
        second,
        Arc::new(Route::from(Provider::Inbox(inbox.clone()))),
    ];
    let mut outbox = Outbox::by_routes(routes, Vec::new());
    let id = outbox.send("drop@example.com").await;
    outbox.until_settled().await;
    assert_eq!((gateway.requests(), inbox.messages().len()), (1, 0));
    outbox.wait_and_resend(id).await;
    assert_eq!((gateway.requests(), inbox.messages().len()), (1, 1));
}

/// Twilio, played by a router.
async fn twilio(router: Router) -> Provider {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
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

/// A mail server that is down.
async fn gone() -> Provider {
    let server = MailServer::start(&["--security", "plain"]).await;
    let provider = plain_mail(&server);
    server.end().await;
    provider
}
