//! Connections that are made and refused, and how responses are read.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use reqwest::dns::{Addrs, Name, Resolving};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;
use crate::{keyring::Keyring, webhook::Secret};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_500);
/// Long enough never to pass in a test.
const TIMEOUT: Duration = Duration::from_secs(60);

fn settings(allowed: &[&str]) -> WebhookSettings {
    let allowed_networks = allowed.iter().map(|network| network.parse().unwrap()).collect();
    WebhookSettings { timeout: TIMEOUT, allowed_networks, https_only: false }
}

fn signer() -> Signer {
    let keyring = Keyring::parse(["A".repeat(43).as_str()]).unwrap();
    Signer::new(&Secret::of_site(&keyring, "shop").unwrap())
}

async fn post(sender: &WebhookSender, url: &str) -> Answer {
    let (url, signer) = (Url::parse(url).unwrap(), signer());
    let body = r#"{"type":"test"}"#.to_owned();
    sender.post(Post { url: &url, signer: &signer, id: "msg_1", body, now: NOW }).await
}

fn refused() -> Answer {
    failed(Refused.to_string())
}

/// A receiver that gives the same answer to all requests and records them.
struct Receiver {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    async fn answering(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let kept = requests.clone();
        tokio::spawn(async move {
            loop {
                let (mut connection, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !request.ends_with(b"}") {
                    connection.read_buf(&mut request).await.unwrap();
                }
                kept.lock().unwrap().push(String::from_utf8(request).unwrap());
                connection.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { address, requests }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    async fn post_to(&self) -> Answer {
        let sender = WebhookSender::new(settings(&["127.0.0.0/8"])).unwrap();
        post(&sender, &format!("http://{}/hooks?key=1", self.address)).await
    }
}

/// A resolver that returns the next of its results at each query.
struct Changing {
    results: Vec<Vec<SocketAddr>>,
    asked: Arc<AtomicUsize>,
}

impl Resolve for Changing {
    fn resolve(&self, _name: Name) -> Resolving {
        let number = self.asked.fetch_add(1, Ordering::SeqCst);
        let found: Addrs = Box::new(self.results[number].clone().into_iter());
        Box::pin(async move { Ok(found) })
    }
}

#[tokio::test]
async fn a_request_has_the_headers_of_standard_webhooks_and_no_others() {
    let receiver = Receiver::answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    assert_eq!(receiver.post_to().await, Answer::Accepted);
    let request = &receiver.requests()[0];
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, r#"{"type":"test"}"#);
    let mut lines: Vec<_> = head.lines().collect();
    assert_eq!(lines.remove(0), "POST /hooks?key=1 HTTP/1.1");
    lines.sort_unstable();
    let signature = signer().sign("msg_1", 1_700_000_000, body.as_bytes());
    let expected = [
        "accept: */*".to_owned(),
        "content-length: 15".to_owned(),
        "content-type: application/json".to_owned(),
        format!("host: {}", receiver.address),
        format!("user-agent: Latchkey/{}", env!("CARGO_PKG_VERSION")),
        "webhook-id: msg_1".to_owned(),
        format!("webhook-signature: {signature}"),
        "webhook-timestamp: 1700000000".to_owned(),
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn addresses_that_are_not_public_are_refused_however_they_are_written() {
    let receiver = Receiver::answering("HTTP/1.1 200 OK\r\n\r\n").await;
    let sender = WebhookSender::new(settings(&[])).unwrap();
    let port = receiver.address.port();
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "localhost",
        "10.0.0.1",
        "169.254.169.254",
        "[fe80::1]",
        "[fd00::1]",
        "[64:ff9b::7f00:1]",
    ] {
        assert_eq!(post(&sender, &format!("http://{host}:{port}/")).await, refused(), "{host}");
    }
    assert_eq!(receiver.requests(), [""; 0]);
}

#[tokio::test]
async fn the_client_connects_to_the_address_that_was_checked() {
    let receiver = Receiver::answering("HTTP/1.1 200 OK\r\n\r\n").await;
    let private: SocketAddr = "10.0.0.1:0".parse().unwrap();
    let loopback = SocketAddr::new(receiver.address.ip(), 0);
    let asked = Arc::<AtomicUsize>::default();
    // The first result has one allowed address; later results have none.
    let results = vec![vec![private, loopback], vec![private]];
    let resolver = Changing { results, asked: asked.clone() };
    let sender = WebhookSender::with_resolver(resolver, settings(&["127.0.0.0/8"])).unwrap();
    let url = format!("http://receiver.example:{}/", receiver.address.port());
    assert_eq!(post(&sender, &url).await, Answer::Accepted);
    assert_eq!(asked.load(Ordering::SeqCst), 1, "resolved once, and connected to that");
    assert_eq!(receiver.requests().len(), 1);
}

#[tokio::test]
async fn a_name_that_changes_to_a_private_address_is_refused() {
    let receiver = Receiver::answering("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await;
    let loopback = SocketAddr::new(receiver.address.ip(), 0);
    let private: SocketAddr = "10.0.0.1:0".parse().unwrap();
    let results = vec![vec![loopback], vec![private]];
    let resolver = Changing { results, asked: Arc::default() };
    let sender = WebhookSender::with_resolver(resolver, settings(&["127.0.0.0/8"])).unwrap();
    let url = format!("http://receiver.example:{}/", receiver.address.port());
    assert_eq!(post(&sender, &url).await, Answer::Accepted);
    assert_eq!(post(&sender, &url).await, refused());
    assert_eq!(receiver.requests().len(), 1);
}

#[tokio::test]
async fn plain_http_is_refused_if_https_is_required() {
    let receiver = Receiver::answering("HTTP/1.1 200 OK\r\n\r\n").await;
    let https_only = WebhookSettings { https_only: true, ..settings(&["127.0.0.0/8"]) };
    let sender = WebhookSender::new(https_only).unwrap();
    let answer = post(&sender, &format!("http://{}/", receiver.address)).await;
    assert!(matches!(answer, Answer::Failed { .. }), "{answer:?}");
    assert_eq!(receiver.requests(), [""; 0]);
}

#[tokio::test]
async fn s23_a_redirect_is_a_failure_and_not_followed() {
    let answer = "HTTP/1.1 307 Temporary Redirect\r\nlocation: /elsewhere\r\n\r\n";
    let receiver = Receiver::answering(answer).await;
    assert_eq!(receiver.post_to().await, failed("HTTP 307".to_owned()));
    assert_eq!(receiver.requests().len(), 1);
}

#[tokio::test]
async fn gone_is_final_and_retry_after_is_read() {
    let gone = Receiver::answering("HTTP/1.1 410 Gone\r\n\r\n").await;
    assert_eq!(gone.post_to().await, Answer::Gone);
    let busy =
        Receiver::answering("HTTP/1.1 503 Service Unavailable\r\nretry-after: 90\r\n\r\n").await;
    let expected = Answer::Failed {
        reason: "HTTP 503".to_owned(),
        not_before: Some(NOW + Duration::from_secs(90)),
    };
    assert_eq!(busy.post_to().await, expected);
}

#[tokio::test]
async fn the_body_of_a_response_is_not_read() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\nand so on";
    let receiver = Receiver::answering(answer).await;
    assert_eq!(receiver.post_to().await, Answer::Accepted);
}
