//! Alerts for the operator, from a step to a receiver.

use std::{
    io::{Result, Write},
    sync::{Mutex, Once},
    time::Duration,
};

use otp::{Channel, DeliveryState, Timestamp, VerificationId, alert::Alert};
use serde_json::json;
use server::{
    delivery::Dispatcher,
    store::{Decision, Records, Step, Store},
};

use crate::{
    accepting_receiver,
    events::is_signed_by,
    harness::{Harness, START, operator_secret, secret},
    receiver::{Receiver, Reply, Request},
};

/// A step that changes nothing and gives alerts.
struct Alarming {
    verification: VerificationId,
    alerts: Vec<Alert>,
    is_refused: bool,
}

impl Step for Alarming {
    type Output = ();

    fn verification(&self) -> VerificationId {
        self.verification
    }

    fn now(&self) -> Timestamp {
        START
    }

    fn run(&mut self, records: &mut Records) -> Decision<()> {
        records.alerts.clone_from(&self.alerts);
        if self.is_refused { Decision::Abort(()) } else { Decision::Commit(()) }
    }
}

fn closed() -> Alert {
    Alert::DestinationClosed {
        site: "shop".to_owned(),
        destination: "+44770".to_owned(),
        unverified: 31,
        tolerated: 30,
        recorded_only: false,
    }
}

fn every_alert() -> Vec<Alert> {
    let shop = || "shop".to_owned();
    vec![
        closed(),
        Alert::DestinationOpened { site: shop(), destination: "GB".to_owned() },
        Alert::SpendingNear { site: Some(shop()), spent: 8_000, cap: 10_000 },
        Alert::SpendingReached { site: None, spent: 10_001, cap: 10_000 },
        Alert::GuessesUnusual { site: shop(), wrong: 401, usual: 100, length: 8 },
        Alert::ProviderRefused { provider: "smtp".to_owned(), reason: "535".to_owned() },
    ]
}

impl Harness {
    async fn alarm(&self, verification: VerificationId, alerts: Vec<Alert>) {
        let step = Alarming { verification, alerts, is_refused: false };
        self.store.apply(step).await.unwrap();
    }
}

/// Everything that the tests of this program log at `warn`.
static LOG: Mutex<String> = Mutex::new(String::new());

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        LOG.lock().unwrap().push_str(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// The log lines with a text.
fn logged(text: &str) -> Vec<String> {
    let log = LOG.lock().unwrap();
    log.lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
}

fn listen() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let lines = tracing_subscriber::fmt().with_ansi(false).without_time();
        lines.with_max_level(tracing::Level::WARN).with_writer(|| Log).init();
    });
}

/// The id of a verification that is not stored, as after a refusal.
fn unknown() -> VerificationId {
    VerificationId::first_at(START)
}

#[tokio::test]
async fn each_alert_is_posted_to_the_operator_signed_with_a_secret_of_its_own() {
    let mut receiver = accepting_receiver().await;
    let harness = Harness::with_operator(&[], Some(&receiver.url));
    harness.alarm(unknown(), every_alert()).await;
    harness.deliver_all_due().await;
    let mut requests = receiver.so_far();
    requests.sort_by_key(Request::kind);
    let bodies: Vec<_> = requests.iter().map(Request::json).collect();
    let payload = |kind: &str, data| json!({ "type": kind, "timestamp": "2023-11-14T22:13:20.000Z", "data": data });
    let destination = json!({ "site": "shop", "destination": "+44770", "unverified": 31, "tolerated": 30, "recorded_only": false });
    let spent = |site: Option<&str>, spent| json!({ "site": site, "spent": spent, "cap": 10_000 });
    let guesses = json!({ "site": "shop", "wrong": 401, "usual": 100, "length": 8 });
    let opened = json!({ "site": "shop", "destination": "GB" });
    let expected = [
        payload("alert.destination_closed", destination),
        payload("alert.destination_opened", opened),
        payload("alert.guesses_unusual", guesses),
        payload("alert.provider_refused", json!({ "provider": "smtp", "reason": "535" })),
        payload("alert.spending_near", spent(Some("shop"), 8_000)),
        payload("alert.spending_reached", spent(None, 10_001)),
    ];
    assert_eq!(bodies, expected);
    for request in &requests {
        assert!(is_signed_by(request, &operator_secret()));
        assert!(!is_signed_by(request, &secret("shop")));
    }
    let ids: std::collections::BTreeSet<_> = requests.iter().map(|request| &request.id).collect();
    assert_eq!(ids.len(), 6);
    assert_eq!(harness.next_due().await, None);
}

#[tokio::test]
async fn alerts_and_events_of_one_verification_do_not_displace_each_other() {
    let (mut operator, mut shop) = (accepting_receiver().await, accepting_receiver().await);
    let mut harness = Harness::with_operator(&[("shop", &shop.url)], Some(&operator.url));
    let id = harness.approve().await;
    harness.alarm(id, every_alert()).await;
    harness.deliver_all_due().await;
    assert_eq!((operator.so_far().len(), shop.so_far().len()), (6, 2));
}

#[tokio::test]
async fn without_a_receiver_an_alert_is_one_log_line_and_in_no_outbox() {
    listen();
    let shop = accepting_receiver().await;
    let harness = Harness::of(&[("shop", &shop.url)]);
    let opened = Alert::DestinationOpened {
        site: "a-site-to-look-for".to_owned(),
        destination: "GB".to_owned(),
    };
    harness.alarm(unknown(), vec![opened]).await;
    assert_eq!(harness.next_due().await, None);
    let fields = "alert kind=\"destination_opened\" site=\"a-site-to-look-for\" destination=\"GB\"";
    let lines = logged("a-site-to-look-for");
    assert!(matches!(&lines[..], [line] if line.ends_with(fields)), "{lines:?}");
    assert!(lines[0].trim_start().starts_with("WARN"), "{lines:?}");
}

/// S25: an account that is refused is told once, and is the provider's failure and not the recipient's.
#[tokio::test]
async fn s25_a_provider_that_refuses_the_account_is_told_to_the_operator_once() {
    let mut operator = accepting_receiver().await;
    let mut gateway = Receiver::replying([], Reply::status(401)).await;
    let mut harness =
        Harness::with_operator(&[("shop", "http://127.0.0.1:9/")], Some(&operator.url));
    let second = harness.delivery.dispatcher.all()[0].clone();
    let refusing = harness.gateway("own", &gateway.url);
    harness.delivery.dispatcher = Dispatcher::new([(Channel::Email, vec![refusing, second])]);
    for _ in 0..3 {
        let id = harness.open_for("shop", &harness.client(None)).await;
        harness.try_next().await;
        harness.delivery.deliver_due().await;
        let verification = harness.store.read(id).await.unwrap().unwrap();
        assert_eq!(verification.last_send().delivery, DeliveryState::Sent);
    }
    harness.deliver_all_due().await;
    let alerts: Vec<_> = operator.so_far().iter().map(Request::json).collect();
    let [alert] = &alerts[..] else { panic!("{alerts:?}") };
    let data = json!({ "provider": "own", "reason": "HTTP 401, so the signature is refused" });
    assert_eq!((&alert["type"], &alert["data"]), (&json!("alert.provider_refused"), &data));
    assert_eq!(gateway.so_far().len(), 1, "its breaker is open");
}

#[tokio::test]
async fn s25_a_provider_that_refuses_every_other_message_is_told_once_an_hour() {
    let mut operator = accepting_receiver().await;
    let answers = (0..20).map(|number| Reply::status(if number % 2 == 0 { 401 } else { 200 }));
    let gateway = Receiver::replying(answers, Reply::status(401)).await;
    let mut harness =
        Harness::with_operator(&[("shop", "http://127.0.0.1:9/")], Some(&operator.url));
    let alternating = harness.gateway("own", &gateway.url);
    harness.delivery.dispatcher = Dispatcher::new([(Channel::Email, vec![alternating])]);
    let mut alerts = 0;
    for expected in [1, 2] {
        for _ in 0..10 {
            harness.open_for("shop", &harness.client(None)).await;
            harness.try_next().await;
        }
        harness.deliver_all_due().await;
        let told = operator.so_far().into_iter().map(|told| told.json()["type"].clone());
        alerts += told.filter(|kind| kind == "alert.provider_refused").count();
        assert_eq!(alerts, expected);
        harness.clock.advance(Duration::from_secs(3600));
    }
}

#[tokio::test]
async fn an_alert_of_a_step_that_is_aborted_is_told() {
    listen();
    let mut receiver = accepting_receiver().await;
    let harness = Harness::with_operator(&[], Some(&receiver.url));
    let opened = Alert::DestinationOpened {
        site: "a-site-that-aborts".to_owned(),
        destination: "GB".to_owned(),
    };
    let aborted = Alarming { verification: unknown(), alerts: vec![opened], is_refused: true };
    harness.store.apply(aborted).await.unwrap();
    harness.deliver_all_due().await;
    assert_eq!((receiver.so_far().len(), logged("a-site-that-aborts").len()), (1, 1));
}

#[tokio::test]
async fn an_alert_is_retried_like_an_event_over_a_restart() {
    let mut receiver = Receiver::replying([Reply::status(500)], Reply::status(204)).await;
    let harness = Harness::with_operator(&[], Some(&receiver.url));
    harness.alarm(unknown(), vec![closed()]).await;
    harness.events.deliver_due().await;
    let harness = harness.restarted().await;
    let wait = harness.wait().await.unwrap();
    assert!((Duration::from_secs(4)..=Duration::from_secs(5)).contains(&wait), "{wait:?}");
    harness.events.deliver_due().await;
    let [first, second] = &receiver.so_far()[..] else { panic!("two requests") };
    assert_eq!((&first.id, &first.body), (&second.id, &second.body));
    assert_eq!(harness.next_due().await, None);
}

#[tokio::test]
async fn an_alert_for_a_receiver_that_was_removed_is_discarded() {
    let mut shop = accepting_receiver().await;
    let harness = Harness::with_operator(&[("shop", &shop.url)], Some("http://127.0.0.1:9/"));
    harness.alarm(unknown(), vec![closed()]).await;
    let mut events = harness.webhook_worker(Duration::from_secs(60));
    let endpoints = &mut std::sync::Arc::get_mut(&mut events).unwrap().endpoints;
    endpoints.remove(&server::webhook::Receiver::Operator);
    assert_eq!(events.deliver_due().await, 1);
    assert_eq!((harness.next_due().await, shop.so_far().len()), (None, 0));
}
