//! S25: several providers that fail in different ways at the same time.
//!
//! One refuses our signature, one never answers, one is gone for a while, and one fails three times in ten. The
//! receivers keep a log, with which the states of the messages are compared.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    http::{StatusCode, Uri},
};
use otp::{DeliveryState, Timestamp};
use serde_json::Value;
use server::{
    clock::Clock,
    delivery::{GatewaySettings, Inbox, KindSettings, Route, RouteSettings, SetUp},
    store::{Queue, Store},
    webhook::{Signer, WebhookSettings},
};
use tokio::net::TcpSocket;

use crate::{catalogue, outbox::Outbox, rng::Rng};

const MESSAGES: &str = "LATCHKEY_TEST_MESSAGES";
const SEED: u64 = 20_261_122;
/// Time between two messages.
const INTERVAL: Duration = Duration::from_millis(500);
/// Time-out of the provider that never answers. It elapses in real time, until its breaker opens.
const IMPATIENCE: Duration = Duration::from_millis(300);
/// Time-out of the others. It never elapses, on a busy machine neither.
const PATIENCE: Duration = Duration::from_secs(60);

/// Messages that arrived, by recipient.
#[derive(Default)]
struct Log {
    copies: HashMap<String, Vec<Timestamp>>,
    unanswered: HashMap<String, usize>,
    refusals: usize,
}

/// The receivers of all providers.
#[derive(Clone)]
struct Receivers {
    log: Arc<Mutex<Log>>,
    rng: Arc<Mutex<Rng>>,
    clock: Clock,
}

impl Receivers {
    async fn answer(self, uri: Uri, body: Bytes) -> StatusCode {
        let body: Value = serde_json::from_slice(&body).unwrap();
        let to = body["data"]["to"].as_str().unwrap().to_owned();
        match uri.path() {
            "/refusing" => {
                self.log.lock().unwrap().refusals += 1;
                StatusCode::UNAUTHORIZED
            }
            "/hanging" => {
                // Decided without the generator: whether a request is read in time is not the test's to say.
                let is_taken = to.len().is_multiple_of(2);
                self.leave_unanswered(&to, is_taken);
                std::future::pending().await
            }
            "/flaky" => {
                let chance = self.rng.lock().unwrap().below(10);
                match chance {
                    0 => StatusCode::SERVICE_UNAVAILABLE,
                    1 | 2 => {
                        let is_taken = self.rng.lock().unwrap().once_in(2);
                        self.leave_unanswered(&to, is_taken);
                        StatusCode::GATEWAY_TIMEOUT
                    }
                    _ => self.take(to),
                }
            }
            _ => self.take(to),
        }
    }

    fn take(&self, to: String) -> StatusCode {
        let now = self.clock.now();
        self.log.lock().unwrap().copies.entry(to).or_default().push(now);
        StatusCode::OK
    }

    /// Some of these are taken nevertheless.
    fn leave_unanswered(&self, to: &str, is_taken: bool) {
        *self.log.lock().unwrap().unanswered.entry(to.to_owned()).or_default() += 1;
        if is_taken {
            self.take(to.to_owned());
        }
    }

    /// Starts to listen on a bound socket.
    fn listen(&self, socket: TcpSocket) {
        let receivers = self.clone();
        let router = Router::new().fallback(move |uri, body| receivers.clone().answer(uri, body));
        let listener = socket.listen(1024).unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
    }
}

/// A socket that refuses connections until it listens.
fn bound() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// A provider at this address, with this time-out.
pub(crate) fn route(name: &str, address: SocketAddr, timeout: Duration) -> Arc<Route> {
    let url = format!("http://{address}/{name}").parse().unwrap();
    let kind = KindSettings::Webhook(GatewaySettings { url, timeout });
    let allowed_networks = vec!["127.0.0.0/8".parse().unwrap()];
    let requests = WebhookSettings { timeout, allowed_networks, https_only: false };
    let (catalogue, inbox) = (catalogue(), Arc::new(Inbox::new(catalogue())));
    let signer = |_: &str| Ok(Signer::new(&[]));
    let set_up =
        SetUp { catalogue: &catalogue, inbox: &inbox, requests: &requests, signer: &signer };
    let settings =
        RouteSettings { name: name.to_owned(), countries: Vec::new(), receipts: false, kind };
    Arc::new(Route::set_up(settings, &set_up).unwrap())
}

/// `LATCHKEY_TEST_MESSAGES=900` makes a long run (`make chaos`).
#[expect(clippy::print_stderr, reason = "people read the result of a long run")]
#[tokio::test]
async fn s25_every_code_is_delivered_in_time_while_one_provider_of_four_works() {
    let count: usize = std::env::var(MESSAGES).map_or(120, |count| count.parse().unwrap());
    let ((present, address), (gone, absent)) = (bound(), bound());
    let routes =
        [("refusing", address), ("hanging", address), ("gone", absent), ("flaky", address)];
    let timeout = |name| if name == "hanging" { IMPATIENCE } else { PATIENCE };
    let routes = routes.map(|(name, address)| route(name, address, timeout(name))).to_vec();
    let mut outbox = Outbox::by_routes(routes, Vec::new());
    let receivers = Receivers {
        log: Arc::default(),
        rng: Arc::new(Mutex::new(Rng::new(SEED))),
        clock: outbox.clock.clone(),
    };
    receivers.listen(present);
    let mut gone = Some(gone);
    let mut sent = Vec::new();
    for number in 0..count {
        if number == count / 2 {
            receivers.listen(gone.take().expect("once"));
        }
        let to = format!("person-{number}@example.com");
        sent.push((outbox.send(&to).await, to));
        outbox.clock.advance(INTERVAL);
        while outbox.worker.deliver_due().await > 0 {}
    }
    while let Some(due) = outbox.store.next_due(Queue::Codes).await.unwrap() {
        outbox.clock.advance(due.since(outbox.clock.now()));
        outbox.worker.deliver_due().await;
    }

    let (mut duplicates, mut unanswered) = (0, 0);
    for (id, to) in sent {
        let verification = outbox.verification(id).await;
        let log = receivers.log.lock().unwrap();
        let copies = log.copies.get(&to).map(Vec::as_slice).unwrap_or_default();
        let without_answer = log.unanswered.get(&to).copied().unwrap_or_default();
        assert_eq!(verification.last_send().delivery, DeliveryState::Sent, "{to}");
        assert!(!copies.is_empty(), "{to} was told to be sent");
        assert!(copies.iter().all(|at| *at < verification.code_expires_at()), "{to}");
        assert!(copies.len() - 1 <= without_answer, "{to}: {copies:?}, {without_answer}");
        duplicates += copies.len() - 1;
        unanswered += without_answer;
    }
    let refusals = receivers.log.lock().unwrap().refusals;
    eprintln!(
        "{count} codes, {unanswered} tries unanswered, {duplicates} duplicates, {refusals} refusals"
    );
    assert!(unanswered > 0 && refusals > 0, "the providers fail");
}
