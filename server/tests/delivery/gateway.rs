//! The providers `webhook` and `http`, tested with an HTTP server in place of the gateway.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use otp::Channel;
use serde_json::{Value, json};
use server::{
    config::{Config, Sources},
    delivery::{
        Failure, GatewaySettings, Inbox, KindSettings, ProbeError, Probed, Provider, Receipt,
        Route, RouteSettings, SetUp, Undelivered,
    },
    keyring::Keyring,
    webhook::{Secret, Signer, WebhookSettings},
};
use tokio::sync::mpsc;

use crate::{CODE, NOW, SOON, TIMEOUT, by, catalogue, message, misdirected};

pub(crate) const PHONE: &str = "+447700900142";

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json");
        serde_json::from_str(&self.body).unwrap()
    }

    /// The fields of a form, in their order.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        assert_eq!(self.header("content-type"), "application/x-www-form-urlencoded");
        let form = reqwest::Url::parse(&format!("http://form/?{}", self.body)).unwrap();
        form.query_pairs().into_owned().collect()
    }
}

/// An HTTP server in place of a gateway.
pub(crate) struct Gateway {
    pub(crate) address: std::net::SocketAddr,
    requests: mpsc::UnboundedReceiver<Request>,
}

#[derive(Clone)]
struct Responder {
    /// `None` never answers.
    answer: Arc<Option<(StatusCode, String)>>,
    requests: mpsc::UnboundedSender<Request>,
}

impl Gateway {
    pub(crate) async fn answering(status: u16, body: &Value) -> Self {
        Self::open(Some((StatusCode::from_u16(status).unwrap(), body.to_string()))).await
    }

    async fn open(answer: Option<(StatusCode, String)>) -> Self {
        let (sender, requests) = mpsc::unbounded_channel();
        let responder = Responder { answer: Arc::new(answer), requests: sender };
        let router = Router::new().fallback(respond).with_state(responder);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, requests }
    }

    pub(crate) async fn next(&mut self) -> Request {
        let request = tokio::time::timeout(SOON, self.requests.recv()).await;
        request.expect("a request arrives in time").expect("the server is running")
    }

    pub(crate) fn has_no_more_requests(&mut self) -> bool {
        self.requests.try_recv().is_err()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/send?key=k", self.address)
    }
}

async fn respond(
    State(responder): State<Responder>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body = String::from_utf8(body.to_vec()).unwrap();
    responder.requests.send(Request { method, path: uri.to_string(), headers, body }).unwrap();
    match responder.answer.as_ref() {
        Some((status, body)) => {
            (*status, [("location", "/elsewhere")], body.clone()).into_response()
        }
        None => std::future::pending().await,
    }
}

pub(crate) fn keyring() -> Keyring {
    Keyring::parse(["A".repeat(43).as_str()]).unwrap()
}

pub(crate) fn signer(name: &str) -> Signer {
    Signer::new(&Secret::of_provider(&keyring(), name).unwrap())
}

/// Sets up a provider that may connect to this machine.
pub(crate) fn route(settings: RouteSettings) -> Route {
    set_up(settings, &["127.0.0.0/8"])
}

fn set_up(settings: RouteSettings, allowed: &[&str]) -> Route {
    let allowed_networks = allowed.iter().map(|network| network.parse().unwrap()).collect();
    let requests = WebhookSettings { timeout: TIMEOUT, allowed_networks, https_only: false };
    let (catalogue, inbox) = (catalogue(), Arc::new(Inbox::new(catalogue())));
    let signer = |name: &str| Ok(signer(name));
    let set_up =
        SetUp { catalogue: &catalogue, inbox: &inbox, requests: &requests, signer: &signer };
    Route::set_up(settings, &set_up).unwrap()
}

pub(crate) fn webhook(url: &str) -> RouteSettings {
    let gateway = GatewaySettings { url: url.parse().unwrap(), timeout: TIMEOUT };
    let kind = KindSettings::Webhook(gateway);
    RouteSettings { name: "own".to_owned(), countries: Vec::new(), receipts: false, kind }
}

/// The settings of the one provider in a configuration file.
pub(crate) fn configured(file: &str) -> RouteSettings {
    let directory = tempfile::tempdir().unwrap();
    let file = format!("[webhook]\nallowed_networks = [\"127.0.0.0/8\"]\n{file}");
    std::fs::write(directory.path().join("latchkey.toml"), file).unwrap();
    let sources = Sources { directory: directory.path().into(), ..Sources::default() };
    Config::load(&sources).unwrap().providers.remove(0)
}

pub(crate) async fn refusal(route: &Route, to: &str) -> Undelivered {
    let undelivered = route.provider().deliver(&message(to), NOW).await.unwrap_err();
    for secret in [PHONE, "447700900142", CODE, "hunter2", "key=k"] {
        assert!(!undelivered.reason.contains(secret), "{undelivered}");
    }
    undelivered
}

#[tokio::test]
async fn a_message_is_a_signed_request_with_the_text_and_the_code() {
    let mut gateway = Gateway::answering(200, &json!({ "id": "g-1" })).await;
    let route = route(webhook(&gateway.url()));
    let receipt = route.deliver(&message(PHONE), NOW).await.unwrap();
    assert_eq!(receipt, Receipt { provider: "webhook", reference: Some("g-1".to_owned()) });

    let request = gateway.next().await;
    assert_eq!((&request.method, &*request.path), (&Method::POST, "/send?key=k"));
    let text = "042917 is your Example code. It is valid for 5 minutes. Tell nobody. Type it only \
                where you asked for it.\n@login.example.com #042917";
    let data = json!({ "channel": "sms", "to": PHONE, "code": CODE, "text": text, "locale": "en",
                       "brand": "Example", "expires_at": "2023-11-14T22:18:20.000Z" });
    let payload =
        json!({ "type": "message.send", "timestamp": "2023-11-14T22:13:20.000Z", "data": data });
    assert_eq!(request.json(), payload);
    assert_eq!(request.header("webhook-id"), "msg_message-1");
    assert_eq!(request.header("webhook-timestamp"), "1700000000");
    let signature = signer("own").sign("msg_message-1", 1_700_000_000, request.body.as_bytes());
    assert_eq!(request.header("webhook-signature"), signature);
    assert_ne!(
        signature,
        signer("other").sign("msg_message-1", 1_700_000_000, request.body.as_bytes())
    );
    assert!(gateway.has_no_more_requests());
}

#[tokio::test]
async fn mail_by_a_webhook_has_its_subject_and_html() {
    let mut gateway = Gateway::answering(204, &json!(null)).await;
    let route = route(webhook(&gateway.url()));
    let receipt = route.deliver(&message("jane@example.com"), NOW).await.unwrap();
    assert_eq!(receipt.reference, None);
    let data = gateway.next().await.json()["data"].clone();
    assert_eq!((&data["channel"], &data["to"]), (&json!("email"), &json!("jane@example.com")));
    assert!(!data["subject"].as_str().unwrap().contains(CODE));
    assert!(data["html"].as_str().unwrap().contains(CODE));
}

#[tokio::test]
async fn calls_and_whatsapp_messages_by_a_webhook_are_told_by_their_channel() {
    let mut gateway = Gateway::answering(204, &json!(null)).await;
    let route = route(webhook(&gateway.url()));
    for (channel, text) in [
        (Channel::Voice, "Hello. Here is your Example code. 0, 4, 2, 9, 1, 7. Once more"),
        (Channel::Whatsapp, "042917 is your Example code. It is valid for 5 minutes."),
    ] {
        route.deliver(&by(channel, message(PHONE)), NOW).await.unwrap();
        let data = gateway.next().await.json()["data"].clone();
        assert_eq!((&data["channel"], &data["to"]), (&json!(channel.as_str()), &json!(PHONE)));
        assert_eq!(data["code"], CODE);
        let said = data["text"].as_str().unwrap();
        assert!(said.starts_with(text) && !said.contains('#'), "{said}");
        assert_eq!(data.get("subject"), None);
    }
}

#[tokio::test]
async fn a_described_gateway_is_told_the_channel() {
    let mut gateway = Gateway::answering(200, &json!({})).await;
    let file = format!(
        "[[providers]]\nname = \"g\"\nkind = \"http\"\nchannels = [\"voice\", \"whatsapp\"]\n\
         http.url = \"http://{}/\"\nhttp.form = {{ by = \"{{channel}}\", say = \"{{text}}\", to = \"{{to}}\" }}\n",
        gateway.address
    );
    let route = route(configured(&file));
    for channel in [Channel::Voice, Channel::Whatsapp] {
        route.deliver(&by(channel, message(PHONE)), NOW).await.unwrap();
        let body = gateway.next().await.body;
        assert!(body.starts_with(&format!("by={}&say=", channel.as_str())), "{body}");
    }
}

#[tokio::test]
async fn s25_statuses_of_a_webhook_say_whether_to_try_again() {
    for (status, kind) in [
        (301, Failure::Account),
        (400, Failure::Permanent),
        (401, Failure::Account),
        (403, Failure::Permanent),
        (404, Failure::Permanent),
        (408, Failure::Transient),
        (410, Failure::Permanent),
        (425, Failure::Transient),
        (429, Failure::Transient),
        (500, Failure::Unclear),
        (502, Failure::Ambiguous),
        (503, Failure::Transient),
        (504, Failure::Ambiguous),
        (507, Failure::Unclear),
    ] {
        let mut gateway = Gateway::answering(status, &json!({ "to": PHONE })).await;
        let route = route(webhook(&gateway.url()));
        let undelivered = refusal(&route, PHONE).await;
        assert_eq!(undelivered.kind, kind, "{status}");
        assert!(undelivered.reason.starts_with(&format!("HTTP {status}")), "{undelivered}");
        gateway.next().await;
        assert!(gateway.has_no_more_requests(), "no redirect is followed");
    }
}

#[tokio::test]
async fn s25_a_gateway_that_does_not_answer_may_have_sent_the_message() {
    let mut gateway = Gateway::open(None).await;
    let route = route(webhook(&gateway.url()));
    let (undelivered, ()) = tokio::join!(refusal(&route, PHONE), async {
        gateway.next().await;
        tokio::time::pause();
    });
    assert_eq!(undelivered.kind, Failure::Ambiguous);
    assert!(undelivered.reason.contains("timed out"), "{undelivered}");
}

/// An address at which connections are neither made nor refused, and the connections that fill its backlog.
pub(crate) async fn full() -> (std::net::SocketAddr, Vec<tokio::task::JoinHandle<()>>) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    let listener = socket.listen(1).unwrap();
    let filling = (0..8).map(|_| {
        tokio::spawn(async move {
            let _connection = tokio::net::TcpStream::connect(address).await;
            std::future::pending::<()>().await;
        })
    });
    let mut filling: Vec<_> = filling.collect();
    filling.push(tokio::spawn(async move {
        let _listener = listener;
        std::future::pending::<()>().await;
    }));
    tokio::task::yield_now().await;
    (address, filling)
}

#[tokio::test]
async fn s25_a_gateway_that_no_connection_is_made_to_in_time_has_not_sent_the_message() {
    let (address, _filling) = full().await;
    tokio::time::pause();
    for allowed in [webhook(&format!("http://{address}/send")), described(address, "")] {
        let undelivered = refusal(&route(allowed), PHONE).await;
        assert_eq!(undelivered.kind, Failure::Transient, "{undelivered}");
        assert!(undelivered.reason.contains("timed out"), "{undelivered}");
    }
}

#[tokio::test]
async fn s25_nothing_is_handed_over_before_a_connection_is_made() {
    let (address, _filling) = full().await;
    let route = route(webhook(&format!("http://{address}/send")));
    let message = message(PHONE);
    let mut attempt = std::pin::pin!(route.provider().deliver(&message, NOW));
    for _ in 0..100 {
        assert!(futures_util::poll!(attempt.as_mut()).is_pending());
        tokio::task::yield_now().await;
    }
    assert!(!message.hand_over.has_begun());
    let mut gateway = Gateway::open(None).await;
    let route = self::route(webhook(&gateway.url()));
    let mut attempt = std::pin::pin!(route.provider().deliver(&message, NOW));
    tokio::select! {
        _ = attempt.as_mut() => panic!("no answer"),
        request = gateway.next() => assert_eq!(request.header("content-length"), request.body.len().to_string()),
    }
    assert!(message.hand_over.has_begun());
}

#[tokio::test]
async fn s25_a_gateway_says_how_long_to_leave_it_alone() {
    let router = Router::new()
        .fallback(async || (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "90")], "{}"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    for settings in [webhook(&format!("http://{address}/")), described(address, "")] {
        let undelivered = refusal(&route(settings), PHONE).await;
        assert_eq!(undelivered.kind, Failure::Transient);
        assert_eq!(undelivered.not_before, Some(NOW + std::time::Duration::from_secs(90)));
    }
}

#[tokio::test]
async fn gateways_inside_the_network_are_refused_unless_they_are_listed() {
    let mut gateway = Gateway::answering(200, &json!({})).await;
    for settings in [webhook(&gateway.url()), http(&gateway, "")] {
        let route = set_up(settings, &["10.0.0.0/8"]);
        let undelivered = refusal(&route, PHONE).await;
        // The operator has to allow it, so it says nothing about the message.
        assert_eq!(undelivered.kind, Failure::Account);
        assert!(undelivered.reason.contains("allowed_networks"), "{undelivered}");
        assert!(matches!(route.provider().probe().await, Err(ProbeError::Unreachable { .. })));
    }
    assert!(gateway.has_no_more_requests());
}

#[tokio::test]
async fn a_gateway_is_probed_without_a_message() {
    let mut gateway = Gateway::answering(405, &json!({})).await;
    let probed = route(webhook(&gateway.url())).provider().probe().await;
    assert_eq!(probed, Ok(Probed::Answers));
    let request = gateway.next().await;
    assert_eq!((request.method, &*request.body), (Method::HEAD, ""));
    assert_eq!(request.headers.get("webhook-signature"), None);

    let gateway = Gateway::answering(404, &json!({})).await;
    let probed = route(http(&gateway, "")).provider().probe().await;
    assert_eq!(probed, Ok(Probed::Answers), "without http.probe_url");
    for (status, is_rejected) in [(401, true), (404, false), (500, false)] {
        let gateway = Gateway::answering(status, &json!({})).await;
        let probe_url = format!("http.probe_url = \"http://{}/me\"\n", gateway.address);
        let route = route(http(&gateway, &probe_url));
        let error = route.provider().probe().await.unwrap_err();
        assert_eq!(matches!(error, ProbeError::Rejected { .. }), is_rejected, "{error}");
    }
}

/// A gateway of kind `http` with further settings.
fn http(gateway: &Gateway, more: &str) -> RouteSettings {
    described(gateway.address, more)
}

fn described(address: std::net::SocketAddr, more: &str) -> RouteSettings {
    configured(&format!(
        "[[providers]]\nname = \"g\"\nkind = \"http\"\nchannels = [\"sms\", \"email\"]\n\
         http.url = \"http://{address}/accounts/{{username}}\"\n\
         http.username = \"me/../you\"\nhttp.password = \"hunter2\"\nhttp.token = \"hunter2\"\n\
         http.json = '{{\"m\": [{{\"to\": \"{{to}}\", \"text\": \"{{text}}\", \"id\": \"{{id}}\"}}], \"n\": 1}}'\n{more}"
    ))
}

#[tokio::test]
async fn values_of_a_described_gateway_stay_in_their_place() {
    let mut gateway = Gateway::answering(200, &json!({})).await;
    let headers = "http.headers = { X-Key = \"k {token}\", Idempotency-Key = \"{id}\" }\nhttp.method = \"PUT\"";
    let route = route(http(&gateway, headers));
    let mut hostile = message(PHONE);
    Arc::make_mut(&mut hostile.site).brand.name = "\"},{\"to\":\"+1900&to=+1900".to_owned();
    route.deliver(&hostile, NOW).await.unwrap();
    let request = gateway.next().await;
    assert_eq!((&request.method, &*request.path), (&Method::PUT, "/accounts/me%2F%2E%2E%2Fyou"));
    assert_eq!(
        (request.header("x-key"), request.header("idempotency-key")),
        ("k hunter2", "message-1")
    );
    assert_eq!(request.header("authorization"), "");
    let body = request.json();
    assert_eq!((&body["n"], &body["m"][0]["to"]), (&json!(1), &json!(PHONE)));
    assert!(body["m"][0]["text"].as_str().unwrap().contains(&hostile.site.brand.name), "{body}");
    assert_eq!(body["m"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_sender_follows_the_country_of_the_number() {
    let more = "http.sender = \"+442079460001\"\nhttp.senders = { US = \"+12025550123\" }";
    let mut gateway = Gateway::answering(200, &json!({})).await;
    let form = "http.form = { From = \"{from}\", Text = \"{code}\", To = \"{to_plain}\" }\n";
    let file = |gateway: &Gateway| {
        format!(
            "[[providers]]\nname = \"g\"\nkind = \"http\"\nchannels = [\"sms\"]\n\
             http.url = \"http://{}/\"\n{form}{more}",
            gateway.address
        )
    };
    let route = route(configured(&file(&gateway)));
    for (to, sender) in [(PHONE, "+442079460001"), ("+12025550199", "+12025550123")] {
        route.deliver(&message(to), NOW).await.unwrap();
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let expected =
            [field("From", sender), field("Text", CODE), field("To", to.trim_start_matches('+'))];
        assert_eq!(gateway.next().await.form(), expected);
    }
}

#[tokio::test]
async fn a_message_of_another_channel_is_not_sent_by_a_gateway() {
    let mut gateway = Gateway::answering(200, &json!({})).await;
    let route = route(webhook(&gateway.url()));
    let other = route.provider().deliver(&misdirected(message(PHONE)), NOW).await.unwrap_err();
    assert_eq!(other.kind, Failure::Permanent);
    assert!(gateway.has_no_more_requests());
}

#[tokio::test]
async fn s8_debug_of_gateways_shows_no_secret() {
    let gateway = Gateway::answering(200, &json!({})).await;
    for settings in [webhook(&gateway.url()), http(&gateway, "")] {
        let shown = format!("{settings:?} {:?}", route(settings.clone()));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    let inbox = Arc::new(Inbox::new(catalogue()));
    assert_eq!(Route::from(Provider::Inbox(inbox)).name(), "inbox");
}
