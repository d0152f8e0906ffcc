//! The provider `twilio`, tested with an HTTP server in place of Twilio.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use otp::{Channel, recipient::Country};
use secrecy::SecretString;
use serde_json::{Value, json};
use server::delivery::{
    Failure, ProbeError, Provider, Receipt, ReceiptAddress, Senders, SetUpError, TextSender,
    Twilio, TwilioSettings, Undelivered, VoiceSettings, WhatsappSettings,
};
use tokio::{net::TcpSocket, sync::mpsc};

use crate::{CODE, NOW, SOON, TIMEOUT, by, catalogue, message, misdirected};

pub(crate) const SID: &str = "AC00000000000000000000000000000000";
pub(crate) const TOKEN: &str = "a token that only Twilio knows";
pub(crate) const PHONE: &str = "+447700900142";
pub(crate) const CONTENT: &str = "HX00000000000000000000000000000001";
pub(crate) const GERMAN_CONTENT: &str = "HX00000000000000000000000000000002";

/// Response to every request; `None` never answers.
pub(crate) type Answer = Option<(StatusCode, Value)>;

pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) authorization: String,
    pub(crate) form: Vec<(String, String)>,
}

/// An HTTP server in place of Twilio.
pub(crate) struct MockServer {
    base_url: String,
    requests: mpsc::UnboundedReceiver<Request>,
}

#[derive(Clone)]
struct Responder {
    answer: Arc<Answer>,
    requests: mpsc::UnboundedSender<Request>,
}

impl MockServer {
    pub(crate) async fn answering(answer: Answer) -> Self {
        let (sender, requests) = mpsc::unbounded_channel();
        let responder = Responder { answer: Arc::new(answer), requests: sender };
        let router = Router::new().fallback(respond).with_state(responder);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base_url, requests }
    }

    pub(crate) async fn with_status(status: u16, body: Value) -> Self {
        Self::answering(Some((StatusCode::from_u16(status).unwrap(), body))).await
    }

    pub(crate) fn settings(&self) -> TwilioSettings {
        settings(&self.base_url)
    }

    pub(crate) fn provider(&self) -> Provider {
        provider(self.settings())
    }

    /// The next request.
    pub(crate) async fn next(&mut self) -> Request {
        let request = tokio::time::timeout(SOON, self.requests.recv()).await;
        request.expect("a request arrives in time").expect("the server is running")
    }

    pub(crate) fn has_no_more_requests(mut self) -> bool {
        self.requests.try_recv().is_err()
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
    let form = reqwest::Url::parse(&format!("http://form/?{body}")).unwrap();
    let request = Request {
        method,
        path: uri.to_string(),
        authorization: headers[header::AUTHORIZATION].to_str().unwrap().to_owned(),
        form: form.query_pairs().into_owned().collect(),
    };
    responder.requests.send(request).unwrap();
    match responder.answer.as_ref() {
        Some((status, body)) if status.is_redirection() => {
            (*status, [(header::LOCATION, body.as_str().unwrap().to_owned())]).into_response()
        }
        Some((status, body)) => (*status, axum::Json(body.clone())).into_response(),
        None => std::future::pending().await,
    }
}

fn settings(base_url: &str) -> TwilioSettings {
    TwilioSettings {
        account_sid: SID.to_owned(),
        auth_token: SecretString::from(TOKEN),
        sender: Some(TextSender::From("+447700900001".to_owned())),
        senders: Senders::default(),
        whatsapp: Some(WhatsappSettings {
            sender: "+447700900002".to_owned(),
            content: CONTENT.to_owned(),
            contents: [("de".to_owned(), GERMAN_CONTENT.to_owned())].into(),
        }),
        voice: Some(VoiceSettings {
            sender: "+447700900003".to_owned(),
            senders: Senders([(Country::parse("US").unwrap(), "+12025550100".to_owned())].into()),
        }),
        base_url: base_url.to_owned(),
        timeout: TIMEOUT,
    }
}

pub(crate) fn provider(settings: TwilioSettings) -> Provider {
    Provider::Twilio(Twilio::new(settings, catalogue()).unwrap())
}

async fn refusal(provider: &Provider) -> Undelivered {
    refusal_by(Channel::Sms, provider).await
}

pub(crate) async fn refusal_by(channel: Channel, provider: &Provider) -> Undelivered {
    let undelivered = provider.deliver(&by(channel, message(PHONE)), NOW).await.unwrap_err();
    for secret in [PHONE, "447700900142", CODE, TOKEN, SID] {
        assert!(!undelivered.reason.contains(secret), "{undelivered}");
    }
    undelivered
}

/// An error response of Twilio, whose message repeats the recipient.
pub(crate) fn error(code: u32) -> Value {
    json!({ "code": code, "message": format!("The 'To' number {PHONE} is no good."), "status": 400 })
}

#[tokio::test]
async fn a_message_is_one_request_with_the_fields_of_the_api() {
    let mut twilio =
        MockServer::with_status(201, json!({ "sid": "SM1", "status": "queued" })).await;
    let receipt = twilio.provider().deliver(&message(PHONE), NOW).await.unwrap();
    assert_eq!(receipt, Receipt { provider: "twilio", reference: Some("SM1".to_owned()) });

    let request = twilio.next().await;
    assert_eq!(request.method, Method::POST);
    assert_eq!(request.path, format!("/2010-04-01/Accounts/{SID}/Messages.json"));
    let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{SID}:{TOKEN}")));
    assert_eq!(request.authorization, basic);
    let body = "042917 is your Example code. It is valid for 5 minutes. Tell nobody. Type it only \
                where you asked for it.\n@login.example.com #042917";
    assert_eq!(
        request.form,
        [
            field("To", PHONE),
            field("From", "+447700900001"),
            field("Body", body),
            field("ValidityPeriod", "300"),
        ]
    );
    assert!(twilio.has_no_more_requests());
}

pub(crate) fn field(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[tokio::test]
async fn status_callbacks_are_asked_for_at_the_address_of_the_message() {
    let mut twilio = MockServer::with_status(201, json!({ "sid": "SM1" })).await;
    let mut message = message(PHONE);
    let url = "https://login.example.com/receipts/twilio/R".to_owned();
    message.receipts = Some(ReceiptAddress { url: url.clone(), reference: "R".to_owned() });
    twilio.provider().deliver(&message, NOW).await.unwrap();
    assert!(twilio.next().await.form.contains(&("StatusCallback".to_owned(), url)));

    // An address that Twilio cannot reach says nothing about the recipient.
    let twilio = MockServer::with_status(400, error(21609)).await;
    let refused = twilio.provider().deliver(&message, NOW).await.unwrap_err();
    assert_eq!(refused.kind, Failure::Account);
    assert!(refused.reason.contains("twilio.receipts"), "{refused}");
}

#[tokio::test]
async fn a_messaging_service_is_sent_in_its_own_field() {
    let mut twilio = MockServer::with_status(201, json!({ "sid": "SM1" })).await;
    let service = "MG00000000000000000000000000000000".to_owned();
    let sender = Some(TextSender::Service(service.clone()));
    let settings = TwilioSettings { sender, ..twilio.settings() };
    provider(settings).deliver(&message(PHONE), NOW).await.unwrap();
    let request = twilio.next().await;
    assert!(request.form.contains(&("MessagingServiceSid".to_owned(), service)));
    assert!(request.form.iter().all(|(name, _)| name != "From"));
}

#[tokio::test]
async fn s25_twilio_never_keeps_a_message_past_the_expiry_of_its_code() {
    let mut twilio = MockServer::with_status(201, json!({ "sid": "SM1" })).await;
    let provider = twilio.provider();
    let message = message(PHONE);
    let before = |left| message.expires_at - Duration::from_millis(left);
    for (left, validity) in [(120_999, "120"), (1_000, "1")] {
        provider.deliver(&message, before(left)).await.unwrap();
        let form = twilio.next().await.form;
        assert!(form.contains(&("ValidityPeriod".to_owned(), validity.to_owned())), "{form:?}");
    }
    // A refusal would end the verification, and another code can still be sent.
    for (left, failure) in [(999, Failure::Transient), (0, Failure::Permanent)] {
        let late = provider.deliver(&message, before(left)).await.unwrap_err();
        assert_eq!(late.kind, failure);
    }
    assert!(twilio.has_no_more_requests());
}

#[tokio::test]
async fn the_validity_period_is_at_most_the_maximum_of_twilio() {
    let mut twilio = MockServer::with_status(201, json!({ "sid": "SM1" })).await;
    let mut message = message(PHONE);
    message.expires_at = NOW + Duration::from_secs(86_400);
    twilio.provider().deliver(&message, NOW).await.unwrap();
    let form = twilio.next().await.form;
    assert!(form.contains(&("ValidityPeriod".to_owned(), "14400".to_owned())), "{form:?}");
}

#[tokio::test]
async fn a_message_of_another_channel_is_not_sent() {
    let twilio = MockServer::with_status(201, json!({ "sid": "SM1" })).await;
    let other = twilio.provider().deliver(&misdirected(message(PHONE)), NOW).await.unwrap_err();
    assert_eq!(other.kind, Failure::Permanent);
    assert!(twilio.has_no_more_requests());
}

#[tokio::test]
async fn answers_decide_whether_to_try_again() {
    for (status, body, kind, reason) in [
        (400, error(21211), Failure::Permanent, "HTTP 400, Twilio error 21211"),
        (401, error(20003), Failure::Account, "HTTP 401, Twilio error 20003"),
        (401, error(10001), Failure::Account, "HTTP 401, Twilio error 10001"),
        (401, error(12345), Failure::Account, "HTTP 401, Twilio error 12345"),
        (403, error(90010), Failure::Account, "HTTP 403, Twilio error 90010"),
        (403, json!("no"), Failure::Account, "HTTP 403"),
        (403, error(21408), Failure::Permanent, "HTTP 403, Twilio error 21408"),
        (429, error(20429), Failure::Transient, "HTTP 429, Twilio error 20429"),
        (500, json!({}), Failure::Ambiguous, "HTTP 500"),
        (503, json!({}), Failure::Transient, "HTTP 503"),
        (502, json!({}), Failure::Ambiguous, "HTTP 502"),
        (504, json!({}), Failure::Ambiguous, "HTTP 504"),
    ] {
        let twilio = MockServer::with_status(status, body).await;
        let undelivered = refusal(&twilio.provider()).await;
        assert_eq!(undelivered.kind, kind, "{status}");
        assert!(undelivered.reason.starts_with(reason), "{undelivered}");
    }
}

#[tokio::test]
async fn s25_twilio_says_how_long_to_leave_it_alone() {
    let router = Router::new().fallback(async || {
        let busy = axum::Json(error(20429));
        (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "90")], busy)
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let undelivered = refusal(&provider(settings(&base_url))).await;
    assert_eq!(undelivered.kind, Failure::Transient);
    assert_eq!(undelivered.not_before, Some(NOW + Duration::from_secs(90)));
}

#[tokio::test]
async fn a_created_message_counts_even_if_its_description_cannot_be_read() {
    let twilio = MockServer::with_status(201, json!("?")).await;
    let receipt = twilio.provider().deliver(&message(PHONE), NOW).await.unwrap();
    assert_eq!(receipt.reference, None);
}

#[tokio::test]
async fn s23_a_redirect_is_not_followed() {
    let elsewhere = MockServer::with_status(201, json!({ "sid": "SM1" })).await;
    for status in [301, 307, 308] {
        let twilio = MockServer::with_status(status, json!(elsewhere.base_url)).await;
        assert_eq!(refusal(&twilio.provider()).await.kind, Failure::Account);
    }
    assert!(elsewhere.has_no_more_requests());
}

#[tokio::test]
async fn s25_a_time_out_after_the_request_is_ambiguous() {
    let mut twilio = MockServer::answering(None).await;
    let provider = twilio.provider();
    let (undelivered, ()) = tokio::join!(refusal(&provider), async {
        twilio.next().await;
        tokio::time::pause();
    });
    assert_eq!(undelivered.kind, Failure::Ambiguous);
    assert!(undelivered.reason.contains("timed out"), "{undelivered}");
}

#[tokio::test]
async fn s25_a_time_out_of_the_connection_is_transient() {
    let (address, _filling) = crate::gateway::full().await;
    tokio::time::pause();
    let undelivered = refusal(&provider(settings(&format!("http://{address}")))).await;
    assert_eq!(undelivered.kind, Failure::Transient, "{undelivered}");
    assert!(undelivered.reason.contains("timed out"), "{undelivered}");
}

#[tokio::test]
async fn a_refused_connection_is_transient() {
    // The socket is bound and not listening, so connections are refused and the port stays free.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let base_url = format!("http://{}", socket.local_addr().unwrap());
    let provider = provider(settings(&base_url));
    assert_eq!(refusal(&provider).await.kind, Failure::Transient);
    assert!(matches!(provider.probe().await, Err(ProbeError::Unreachable { .. })));
}

#[tokio::test]
async fn a_probe_requests_the_account_and_sends_nothing() {
    let mut twilio = MockServer::with_status(200, json!({ "sid": SID, "status": "active" })).await;
    twilio.provider().probe().await.unwrap();
    let request = twilio.next().await;
    assert_eq!(request.method, Method::GET);
    assert_eq!(request.path, format!("/2010-04-01/Accounts/{SID}.json"));
    assert!(twilio.has_no_more_requests());
}

#[tokio::test]
async fn a_probe_tells_refused_credentials_from_an_outage() {
    for (status, body, rejected) in [
        (401, error(20003), true),
        (404, error(20404), true),
        (200, json!({ "status": "suspended" }), true),
        (200, json!("hello"), false),
        (429, error(20429), false),
        (500, json!({}), false),
        (302, json!("http://localhost/"), false),
    ] {
        let twilio = MockServer::with_status(status, body).await;
        let error = twilio.provider().probe().await.unwrap_err();
        assert_eq!(matches!(error, ProbeError::Rejected { .. }), rejected, "{status}: {error}");
        assert!(!error.to_string().contains(TOKEN), "{error}");
    }
}

#[test]
fn an_invalid_base_url_is_refused() {
    for base_url in ["", "api.twilio.com", "mailto:a@example.com"] {
        let refused = Twilio::new(settings(base_url), catalogue()).unwrap_err();
        assert!(matches!(refused, SetUpError::BaseUrl), "{base_url}");
    }
}
