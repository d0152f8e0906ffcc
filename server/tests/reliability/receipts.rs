//! S40: receipts of gateways, and what follows from them.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode, Uri},
};
use otp::{Channel, DeliveryState, Limit, Outcome, State, VerificationId};
use serde_json::{Value, json};
use server::{
    delivery::{
        GatewaySettings, Inbox, KindSettings, Provider, ReceiptRequest, Route, RouteSettings, SetUp,
    },
    derived_keys::DerivedKeys,
    outbox::public_id,
    service::Refused,
    store::{Queue, Store},
    webhook::{Secret, Signer, WebhookSettings},
};

use crate::{
    TIMEOUT, catalogue,
    outbox::{LEASE, Outbox, keyring},
};

/// A message that a gateway took.
#[derive(Clone, Debug)]
struct Sent {
    provider: String,
    id: String,
    body: Value,
}

impl Sent {
    fn code(&self) -> &str {
        self.body["data"]["code"].as_str().unwrap()
    }

    fn url(&self) -> &str {
        self.body["data"]["receipt_url"].as_str().unwrap()
    }
}

/// Gateways on one address, each under its name; `refusing` takes nothing.
struct Gateways {
    address: SocketAddr,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl Gateways {
    async fn start() -> Self {
        let sent: Arc<Mutex<Vec<Sent>>> = Arc::default();
        let log = sent.clone();
        let take = async move |uri: Uri, headers: HeaderMap, body: Bytes| {
            let provider = uri.path().trim_start_matches('/').to_owned();
            if provider == "refusing" {
                return StatusCode::BAD_REQUEST;
            }
            let id = headers["webhook-id"].to_str().unwrap().to_owned();
            let body = serde_json::from_slice(&body).unwrap();
            log.lock().unwrap().push(Sent { provider, id, body });
            StatusCode::OK
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(take);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, sent }
    }

    /// Providers of these names. All but `refusing` give receipts.
    fn routes(&self, names: &[&str]) -> Vec<Arc<Route>> {
        names.iter().map(|name| self.route(name)).collect()
    }

    fn route(&self, name: &str) -> Arc<Route> {
        let url = format!("http://{}/{name}", self.address).parse().unwrap();
        let kind = KindSettings::Webhook(GatewaySettings { url, timeout: TIMEOUT });
        let allowed_networks = vec!["127.0.0.0/8".parse().unwrap()];
        let requests = WebhookSettings { timeout: TIMEOUT, allowed_networks, https_only: false };
        let (catalogue, inbox) = (catalogue(), Arc::new(Inbox::new(catalogue())));
        let signer = |name: &str| Ok(signer(name));
        let set_up =
            SetUp { catalogue: &catalogue, inbox: &inbox, requests: &requests, signer: &signer };
        let (name, receipts) = (name.to_owned(), name != "refusing");
        let settings = RouteSettings { name, countries: Vec::new(), receipts, kind };
        Arc::new(Route::set_up(settings, &set_up).unwrap())
    }

    fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }

    fn newest(&self) -> Sent {
        self.sent().pop().expect("a message was sent")
    }
}

fn signer(name: &str) -> Signer {
    Signer::new(&Secret::of_provider(&keyring(), name).unwrap())
}

/// Receipts, as gateways send them.
impl Outbox {
    async fn report(&self, sent: &Sent, kind: &str) -> Result<(), Refused> {
        let data = json!({ "id": sent.id });
        self.receive(&sent.provider, sent.url(), &json!({ "type": kind, "data": data })).await
    }

    async fn receive(&self, provider: &str, url: &str, body: &Value) -> Result<(), Refused> {
        let (seconds, body) = (self.clock.now().as_millis() / 1000, body.to_string());
        let headers = [
            ("webhook-id", "receipt".to_owned()),
            ("webhook-timestamp", seconds.to_string()),
            ("webhook-signature", signer(provider).sign("receipt", seconds, body.as_bytes())),
        ];
        let parsed = |(name, value): (&str, String)| {
            let name: reqwest::header::HeaderName = name.parse().unwrap();
            (name, value.parse().unwrap())
        };
        let headers = headers.map(parsed).into_iter().collect();
        let path = url.strip_prefix("https://login.example.com/receipts/").unwrap();
        let (provider, reference) = path.split_once('/').unwrap();
        let request = ReceiptRequest {
            provider,
            reference: Some(reference),
            query: None,
            headers: &headers,
            body: body.as_bytes(),
        };
        self.service.receive(&request).await
    }

    async fn failed(&self, sent: &Sent) {
        self.report(sent, "message.undelivered").await.unwrap();
    }

    async fn arrived(&self, sent: &Sent) {
        self.report(sent, "message.delivered").await.unwrap();
    }

    async fn delivery(&self, id: VerificationId) -> DeliveryState {
        self.progress(id).await.0
    }

    async fn is_empty(&self) -> bool {
        self.store.next_due(Queue::Codes).await.unwrap().is_none()
    }
}

#[tokio::test]
async fn s40_a_message_that_did_not_arrive_goes_to_the_next_provider_at_once_and_to_each_once() {
    let gateways = Gateways::start().await;
    let mut outbox = Outbox::with_receipts(gateways.routes(&["a", "b", "refusing"]));
    let id = outbox.send("jo@example.com").await;
    let first = gateways.newest();
    assert_eq!(outbox.worker.deliver_due().await, 0, "it waits for a receipt");
    outbox.failed(&first).await;
    outbox.failed(&first).await;
    assert_eq!(outbox.delivery(id).await, DeliveryState::Sent);
    assert_eq!(outbox.worker.deliver_due().await, 1, "at once");
    let second = gateways.newest();
    assert_eq!((&*first.provider, &*second.provider), ("a", "b"));
    assert_eq!(first.code(), second.code());
    assert_ne!(first.url(), second.url());
    outbox.failed(&first).await;
    assert_eq!(outbox.worker.deliver_due().await, 0, "a repeated receipt moves nothing");

    outbox.failed(&second).await;
    assert_eq!(outbox.worker.deliver_due().await, 1, "the third one refuses it");
    assert_eq!(outbox.delivery(id).await, DeliveryState::Undelivered);
    assert!(outbox.is_empty().await);
    let verification = outbox.verification(id).await;
    assert_eq!(verification.state(outbox.clock.now()), State::Pending, "it may be mistaken");
    outbox.arrived(&first).await;
    assert_eq!(outbox.delivery(id).await, DeliveryState::Delivered, "it was");
    assert_eq!(gateways.sent().len(), 2);
}

#[tokio::test]
async fn s40_a_message_that_arrived_is_sent_no_more_and_stays_delivered() {
    let gateways = Gateways::start().await;
    let mut outbox = Outbox::with_receipts(gateways.routes(&["a", "b"]));
    let id = outbox.send("jo@example.com").await;
    let sent = gateways.newest();
    outbox.arrived(&sent).await;
    outbox.failed(&sent).await;
    assert!(outbox.is_empty().await);
    assert_eq!(outbox.delivery(id).await, DeliveryState::Delivered);
    assert_eq!(outbox.check(id, sent.code()).await, Outcome::Approved);
    outbox.failed(&sent).await;
    assert_eq!(outbox.delivery(id).await, DeliveryState::Delivered);
}

#[tokio::test]
async fn s40_nothing_is_sent_again_after_the_code_has_expired_or_the_verification_is_over() {
    let gateways = Gateways::start().await;
    let mut outbox = Outbox::with_receipts(gateways.routes(&["a", "b"]));
    let late = outbox.send("late@example.com").await;
    let sent = gateways.newest();
    let life = outbox.verification(late).await.code_expires_at().since(outbox.clock.now());
    let approved = outbox.send("approved@example.com").await;
    let used = gateways.newest();
    assert_eq!(outbox.check(approved, used.code()).await, Outcome::Approved);
    outbox.failed(&used).await;
    assert_eq!(outbox.delivery(approved).await, DeliveryState::Undelivered);

    outbox.clock.advance(life);
    outbox.failed(&sent).await;
    assert_eq!(outbox.delivery(late).await, DeliveryState::Undelivered);
    assert!(outbox.is_empty().await, "both are taken out");
    assert_eq!(gateways.sent().len(), 2);
}

#[tokio::test]
async fn s40_without_a_receipt_a_message_leaves_the_outbox_when_its_code_expires() {
    let gateways = Gateways::start().await;
    let mut outbox = Outbox::with_receipts(gateways.routes(&["a", "b"]));
    let id = outbox.send("jo@example.com").await;
    let due = outbox.store.next_due(Queue::Codes).await.unwrap().unwrap();
    assert_eq!(due, outbox.verification(id).await.code_expires_at());
    outbox.clock.advance(LEASE);
    assert_eq!(outbox.worker.deliver_due().await, 0, "no lease ends");
    outbox.clock.advance(due.since(outbox.clock.now()));
    assert_eq!(outbox.worker.deliver_due().await, 1);
    assert!(outbox.is_empty().await);
    assert_eq!(outbox.progress(id).await, (DeliveryState::Sent, 1));
    assert_eq!(gateways.sent().len(), 1);
    // The verification is still open, and a receipt that comes now is true.
    outbox.arrived(&gateways.newest()).await;
    assert_eq!(outbox.delivery(id).await, DeliveryState::Delivered);
}

#[tokio::test]
async fn s40_receipts_that_come_before_the_answer_is_recorded_count() {
    let gateways = Gateways::start().await;
    let mut outbox = Outbox::with_receipts(gateways.routes(&["a", "b"]));
    let keys = DerivedKeys::derive(&keyring()).unwrap();
    for arrives in [false, true] {
        let (id, message) = outbox.accept("jo@example.com").await;
        let reference = keys.receipts.reference("a", id, 1).unwrap();
        let url = format!("https://login.example.com/receipts/a/{reference}");
        let early = Sent {
            provider: "a".to_owned(),
            id: format!("msg_{}", public_id(&message.key)),
            body: json!({ "data": { "receipt_url": url } }),
        };
        outbox
            .report(&early, if arrives { "message.delivered" } else { "message.undelivered" })
            .await
            .unwrap();
        outbox.worker.attempt(message).await;
        assert_eq!(gateways.newest().url(), url, "it is the one");
        if arrives {
            assert_eq!(outbox.delivery(id).await, DeliveryState::Delivered);
            assert_eq!(outbox.worker.deliver_due().await, 0);
        } else {
            assert_eq!(outbox.worker.deliver_due().await, 1, "at once");
            assert_eq!(gateways.newest().provider, "b");
            assert_eq!(outbox.delivery(id).await, DeliveryState::Sent);
        }
    }
}

#[tokio::test]
async fn s40_receipts_with_the_reference_of_another_message_or_provider_change_nothing() {
    let gateways = Gateways::start().await;
    let mut outbox = Outbox::with_receipts(gateways.routes(&["a", "b"]));
    let victim = outbox.send("victim@example.com").await;
    let theirs = gateways.newest();
    outbox.send("attacker@example.com").await;
    let own = gateways.newest();
    let failed = |id: &str| json!({ "type": "message.undelivered", "data": { "id": id } });
    let other_provider = theirs.url().replace("/a/", "/b/");
    for (provider, url, body) in [
        // A genuine receipt about one's own message, sent to the URL of the other.
        ("a", theirs.url(), failed(&own.id)),
        // Another provider's signature, on its own path and on that of the first one.
        ("b", theirs.url(), failed(&theirs.id)),
        ("b", &other_provider, failed(&theirs.id)),
        ("a", &own.url().replace(&own.url()[60..], "AAAA"), failed(&theirs.id)),
        ("a", "https://login.example.com/receipts/a/", failed(&theirs.id)),
    ] {
        let refused = outbox.receive(provider, url, &body).await;
        assert!(matches!(refused, Err(Refused::NotFound)), "{provider} {url} {refused:?}");
    }
    assert_eq!(outbox.delivery(victim).await, DeliveryState::Sent);
    assert_eq!(outbox.worker.deliver_due().await, 0);
    // One about a verification that is gone is answered like any other.
    let later = outbox.clock.now() + Duration::from_secs(3600);
    outbox.store.sweep(later, Duration::ZERO).await.unwrap();
    outbox.failed(&theirs).await;
}

#[tokio::test]
async fn s40_a_resend_avoids_every_provider_by_which_the_code_did_not_arrive() {
    let gateways = Gateways::start().await;
    let mut outbox = Outbox::with_receipts(gateways.routes(&["a", "b", "c"]));
    let id = outbox.send("jo@example.com").await;
    outbox.failed(&gateways.newest()).await;
    outbox.worker.deliver_due().await;
    let by_b = gateways.newest();
    outbox.wait_and_resend(id).await;
    let by_c = gateways.newest();
    assert_eq!((&*by_b.provider, &*by_c.provider), ("b", "c"));
    // The first code is not sent again beside the newer one.
    outbox.failed(&by_b).await;
    assert_eq!(outbox.worker.deliver_due().await, 0);
    assert_eq!(gateways.sent().len(), 3);
}

fn number(index: usize) -> String {
    format!("+4474001{index:05}")
}

#[tokio::test]
async fn s40_a_text_that_goes_to_another_provider_counts_again_and_stops_at_the_ceiling() {
    let gateways = Gateways::start().await;
    let mut outbox = Outbox::with_receipts(gateways.routes(&["a", "b"]));
    for index in 0..4 {
        let id = outbox.send(&number(index)).await;
        let sent = gateways.newest();
        outbox.failed(&sent).await;
        assert_eq!(outbox.worker.deliver_due().await, 1);
        assert_eq!(outbox.check(id, sent.code()).await, Outcome::Approved);
    }
    // 8 of 100 texts to the prefix are counted.
    for index in 4..96 {
        let id = outbox.send(&number(index)).await;
        let code = gateways.newest();
        assert_eq!(outbox.check(id, code.code()).await, Outcome::Approved, "{index}");
    }
    let refused = outbox.try_open(&number(96)).await.unwrap_err();
    let Refused::Exceeded { exceeded, .. } = refused else { panic!("{refused:?}") };
    assert_eq!(exceeded.limit, Limit::Texts);

    // An hour later there is room again; the last text of the hour gets no second try.
    outbox.clock.advance(Duration::from_secs(2 * 3600));
    let mut last = None;
    for index in 100..200 {
        let id = outbox.send(&number(index)).await;
        let sent = gateways.newest();
        if index == 199 {
            last = Some((id, sent));
        } else {
            assert_eq!(outbox.check(id, sent.code()).await, Outcome::Approved);
        }
    }
    let (id, sent) = last.unwrap();
    outbox.failed(&sent).await;
    assert_eq!(outbox.delivery(id).await, DeliveryState::Undelivered);
    assert!(outbox.is_empty().await);
}

#[tokio::test]
async fn s40_texts_that_left_and_did_not_arrive_stay_counted_as_verifications_without_approval() {
    let gateways = Gateways::start().await;
    let mut outbox = Outbox::with_receipts(gateways.routes(&["a"]));
    for index in 0..10 {
        let id = outbox.send(&number(index)).await;
        outbox.failed(&gateways.newest()).await;
        assert_eq!(outbox.delivery(id).await, DeliveryState::Undelivered, "there is no other");
        assert!(outbox.is_empty().await);
    }
    let refused = outbox.try_open(&number(99)).await;
    assert!(matches!(refused, Err(Refused::DestinationClosed { .. })), "{refused:?}");
}

#[tokio::test]
async fn the_provider_and_its_id_of_a_message_are_kept_with_it() {
    let gateways = Gateways::start().await;
    let inbox = Provider::Inbox(Arc::new(Inbox::new(catalogue())));
    let mut routes = gateways.routes(&["a"]);
    routes.push(Arc::new(Route::from(inbox)));
    let mut outbox = Outbox::with_receipts(routes);
    let id = outbox.send("jo@example.com").await;
    outbox.failed(&gateways.newest()).await;
    outbox.worker.deliver_due().await;
    let verification = outbox.verification(id).await;
    let send = verification.last_send();
    assert_eq!((send.provider.as_deref(), &*send.returned_by), (Some("inbox"), &["a".into()][..]));
    assert_eq!((send.channel, send.delivery), (Channel::Email, DeliveryState::Sent));
    assert!(outbox.is_empty().await, "the inbox reports nothing");
}
