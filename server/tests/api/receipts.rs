//! S22: receipts over HTTP, as providers post them and as somebody else might.

use std::sync::{Arc, Mutex};

use ::app::wire::DeliveryState;
use aws_lc_rs::hmac;
use axum::{Router, body::Bytes, http::StatusCode};
use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::{Method, Response};
use secrecy::ExposeSecret;
use server::{keyring::Keyring, webhook::Secret};

use crate::app::{TestApp, eventually};

const TOKEN: &str = "a token that only Twilio knows";
const MASTER: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// What the proxy in front is called; the server itself listens elsewhere.
const PUBLIC: &str = "https://otp.example";

/// The fields of a message.
type Form = Vec<(String, String)>;

/// Twilio: takes every message, and keeps its fields.
#[derive(Clone, Default)]
struct Twilio {
    taken: Arc<Mutex<Vec<Form>>>,
}

impl Twilio {
    async fn start() -> (Self, String) {
        let twilio = Self::default();
        let taken = twilio.taken.clone();
        let router = Router::new().fallback(async move |body: Bytes| {
            let form = url::form_urlencoded::parse(&body).into_owned().collect();
            taken.lock().unwrap().push(form);
            (StatusCode::CREATED, r#"{"sid":"SM1"}"#)
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (twilio, base_url)
    }

    /// Where it was asked to report on its only message.
    fn callback(&self) -> String {
        let taken = self.taken.lock().unwrap();
        let fields = taken.last().expect("a message was sent").clone();
        fields.into_iter().find(|(name, _)| name == "StatusCallback").expect("it is asked").1
    }
}

async fn start(base_url: &str) -> TestApp {
    TestApp::start_with(&[
        ("LATCHKEY_SERVER__MODE", "development"),
        ("LATCHKEY_SERVER__PUBLIC_ORIGIN", PUBLIC),
        ("LATCHKEY_KEYS__SECRETS", MASTER),
        ("LATCHKEY_TWILIO__BASE_URL", base_url),
        ("TWILIO_SID", "AC00000000000000000000000000000000"),
        ("TWILIO_AUTH_TOKEN", TOKEN),
        ("SENDER_NUMBER", "+447700900001"),
        ("SMTP_URL", "smtp://mail.invalid?from=otp@example.com"),
        ("LATCHKEY_SMTP__RECEIPTS", "true"),
        ("LATCHKEY_STARTUP__CHECK_PROVIDERS", "false"),
    ])
    .await
}

fn sign(url: &str, fields: &[(&str, &str)]) -> String {
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    let text = sorted.iter().fold(url.to_owned(), |text, (name, value)| text + name + value);
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, TOKEN.as_bytes());
    BASE64_STANDARD.encode(hmac::sign(&key, text.as_bytes()))
}

/// A status as Twilio posts it.
async fn post(app: &TestApp, url: &str, signature: &str, fields: &[(&str, &str)]) -> Response {
    let path = url.strip_prefix(PUBLIC).unwrap();
    let request = app.bare_request(Method::POST, path).form(fields);
    request.header("x-twilio-signature", signature).send().await.unwrap()
}

async fn delivery(app: &TestApp, id: &str) -> DeliveryState {
    app.view(id).await.unwrap().delivery.state
}

/// A verification by text, whose message Twilio has taken.
async fn sent(app: &TestApp) -> String {
    let id = app.start_sms("07400 123456").await;
    eventually("the message to be taken", async || {
        (delivery(app, &id).await == DeliveryState::Sent).then_some(())
    })
    .await;
    id
}

#[tokio::test]
async fn s22_a_callback_with_twilio_s_signature_for_the_public_url_is_believed() {
    let (twilio, base_url) = Twilio::start().await;
    let app = start(&base_url).await;
    let id = sent(&app).await;
    let url = twilio.callback();
    assert!(url.starts_with("https://otp.example/receipts/twilio/"), "{url}");
    assert!(!url.contains(&id), "an id in a log would open the verification");

    let delivered =
        [("MessageSid", "SM1"), ("MessageStatus", "delivered"), ("To", "+447400123456")];
    let right = sign(&url, &delivered);
    let local = url.replace(PUBLIC, &app.origin);
    let failed = [("MessageSid", "SM1"), ("MessageStatus", "failed"), ("To", "+447400123456")];
    let other_token = {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"another");
        BASE64_STANDARD.encode(hmac::sign(&key, url.as_bytes()))
    };
    let forged = [
        (&url, sign(&local, &delivered), &delivered),
        (&url, right.clone(), &failed),
        (&url, sign(&url, &failed), &delivered),
        (&url, other_token, &delivered),
        (&url, String::new(), &delivered),
        (&format!("{url}A"), right.clone(), &delivered),
        (&format!("{url}?a=1"), right.clone(), &delivered),
        (&url.replace("/twilio/", "/smtp/"), right.clone(), &delivered),
        (&url.replace("/twilio/", "/nobody/"), right.clone(), &delivered),
    ];
    let unknown = app.bare_request(Method::POST, "/receipts/nobody/x").send().await.unwrap();
    let unknown = (unknown.status(), unknown.text().await.unwrap());
    for (url, signature, fields) in forged {
        let answer = post(&app, url, &signature, fields).await;
        assert_eq!((answer.status(), answer.text().await.unwrap()), unknown, "{url}");
        assert_eq!(delivery(&app, &id).await, DeliveryState::Sent, "{url} {signature}");
    }
    assert_eq!(unknown.0, 404);

    let answer = post(&app, &url, &right, &delivered).await;
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap()), (204, String::new()));
    assert_eq!(delivery(&app, &id).await, DeliveryState::Delivered, "the page sees it");
    let late = post(&app, &url, &sign(&url, &failed), &failed).await;
    assert_eq!(
        (late.status().as_u16(), delivery(&app, &id).await),
        (204, DeliveryState::Delivered)
    );
}

#[tokio::test]
async fn s22_receipts_act_on_post_alone_and_are_bounded_and_unknown_messages_are_not_told() {
    let (twilio, base_url) = Twilio::start().await;
    let app = start(&base_url).await;
    let id = sent(&app).await;
    let url = twilio.callback();
    let path = url.strip_prefix(PUBLIC).unwrap();
    for method in [Method::GET, Method::HEAD, Method::PUT] {
        let request = app.bare_request(method.clone(), &format!("{path}?MessageStatus=delivered"));
        assert_eq!(request.send().await.unwrap().status(), 405, "{method}");
    }
    let long = app.bare_request(Method::POST, path).body("a".repeat(64 * 1024 + 1));
    assert_eq!(long.send().await.unwrap().status(), 413);
    assert_eq!(delivery(&app, &id).await, DeliveryState::Sent);

    let fields = [("MessageStatus", "undelivered"), ("MessageSid", "SM1")];
    let genuine = post(&app, &url, &sign(&url, &fields), &fields).await;
    let known = (genuine.status(), genuine.headers().len());
    assert_eq!(delivery(&app, &id).await, DeliveryState::Undelivered, "there is no other provider");
    // A server with the same keys that has no such verification answers alike.
    let gone = start(&base_url).await;
    let genuine = post(&gone, &url, &sign(&url, &fields), &fields).await;
    assert_eq!((genuine.status(), genuine.headers().len()), known);
}

#[tokio::test]
async fn s22_a_bounce_needs_the_secret_of_its_provider() {
    let (_twilio, base_url) = Twilio::start().await;
    let app = start(&base_url).await;
    let keyring = Keyring::parse([MASTER]).unwrap();
    let secret = |name: &str| {
        let secrets = Secret::of_provider(&keyring, name).unwrap();
        format!("Bearer {}", secrets[0].to_text().expose_secret())
    };
    let post = async |provider: &str, secret: &str, body: Vec<u8>| {
        let request = app.bare_request(Method::POST, &format!("/receipts/{provider}")).body(body);
        request.header("authorization", secret).send().await.unwrap().status().as_u16()
    };
    // A mail that is about nothing of ours is taken, so that the mail server does not keep it.
    assert_eq!(post("smtp", &secret("smtp"), b"Subject: hello\r\n\r\nhello".to_vec()).await, 204);
    assert_eq!(post("smtp", &secret("smtp"), vec![b'a'; 64 * 1024]).await, 204);
    for (provider, secret) in [
        ("smtp", secret("other")),
        ("smtp", "Bearer".to_owned()),
        ("twilio", secret("twilio")),
        ("nobody", secret("nobody")),
    ] {
        assert_eq!(post(provider, &secret, Vec::new()).await, 404, "{provider}");
    }
}

#[tokio::test]
async fn receipts_are_asked_for_on_https_alone_unless_they_are_switched_on() {
    for (setting, is_asked) in [("auto", false), ("on", true), ("off", false)] {
        let (twilio, base_url) = Twilio::start().await;
        let app = TestApp::start_with(&[
            ("LATCHKEY_TWILIO__BASE_URL", &base_url),
            ("TWILIO_SID", "AC00000000000000000000000000000000"),
            ("TWILIO_AUTH_TOKEN", TOKEN),
            ("SENDER_NUMBER", "+447700900001"),
            ("LATCHKEY_STARTUP__CHECK_PROVIDERS", "false"),
            ("LATCHKEY_DELIVERY__RECEIPTS", setting),
        ])
        .await;
        sent(&app).await;
        let taken = twilio.taken.lock().unwrap();
        let asked = taken[0].iter().any(|(name, _)| name == "StatusCallback");
        assert_eq!(asked, is_asked, "{setting}");
    }
}
