//! A site's receiver of events, on a port of this machine.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use aws_lc_rs::hmac;
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;
use tokio::sync::mpsc;

/// How a request is answered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reply {
    Status(u16),
    /// 503, and to come back after so many seconds.
    After(u64),
    /// Nothing, for ever.
    Silence,
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) id: String,
    pub(crate) seconds: u64,
    pub(crate) signatures: String,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The type of the event.
    pub(crate) fn kind(&self) -> String {
        self.json()["type"].as_str().unwrap().to_owned()
    }

    /// Why the verification has failed.
    pub(crate) fn reason(&self) -> String {
        self.json()["data"]["reason"].as_str().unwrap_or_default().to_owned()
    }

    /// Whether one of its signatures is by a secret in the form that receivers are given.
    pub(crate) fn is_signed_by(&self, secret: &str) -> bool {
        let secret = BASE64_STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let signed = format!("{}.{}.{}", self.id, self.seconds, self.body);
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let right = BASE64_STANDARD.encode(hmac::sign(&key, signed.as_bytes()));
        self.signatures.split(' ').any(|signature| signature == format!("v1,{right}"))
    }
}

pub(crate) struct Receiver {
    pub(crate) url: String,
    pub(crate) requests: mpsc::UnboundedReceiver<Request>,
}

#[derive(Clone)]
struct Script {
    first: Arc<Mutex<VecDeque<Reply>>>,
    then: Reply,
    requests: mpsc::UnboundedSender<Request>,
}

impl Receiver {
    /// One that takes everything.
    pub(crate) async fn taking() -> Self {
        Self::replying([], Reply::Status(204)).await
    }

    /// One that replies as told, first and then ever after.
    pub(crate) async fn replying(first: impl IntoIterator<Item = Reply>, then: Reply) -> Self {
        let (sender, requests) = mpsc::unbounded_channel();
        let first = Arc::new(Mutex::new(first.into_iter().collect()));
        let router =
            Router::new().fallback(answer).with_state(Script { first, then, requests: sender });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, requests }
    }

    /// The next request, as soon as it is there.
    pub(crate) async fn next(&mut self) -> Request {
        self.requests.recv().await.unwrap()
    }

    /// All that have come by now.
    pub(crate) fn so_far(&mut self) -> Vec<Request> {
        std::iter::from_fn(|| self.requests.try_recv().ok()).collect()
    }
}

async fn answer(State(script): State<Script>, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    let request = Request {
        id: header("webhook-id"),
        seconds: header("webhook-timestamp").parse().unwrap(),
        signatures: header("webhook-signature"),
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    script.requests.send(request).unwrap();
    let next = script.first.lock().unwrap().pop_front();
    match next.unwrap_or(script.then) {
        Reply::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Reply::After(seconds) => {
            let after = [("retry-after", seconds.to_string())];
            (StatusCode::SERVICE_UNAVAILABLE, after).into_response()
        }
        Reply::Silence => std::future::pending().await,
    }
}
