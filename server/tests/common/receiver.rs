//! A webhook receiver on a local port.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use tokio::sync::mpsc;

/// Longest wait for a request.
const SOON: Duration = Duration::from_secs(60);

/// Response to a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reply {
    /// A status, with an optional `Retry-After` in seconds.
    Answer { status: u16, retry_after: Option<u64> },
    /// No response, ever.
    Silence,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self::Answer { status, retry_after: None }
    }
}

/// A webhook request.
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
}

pub(crate) struct Receiver {
    pub(crate) url: String,
    pub(crate) requests: mpsc::UnboundedReceiver<Request>,
}

#[derive(Clone)]
struct Responder {
    first: Arc<Mutex<VecDeque<Reply>>>,
    then: Reply,
    requests: mpsc::UnboundedSender<Request>,
}

impl Receiver {
    /// A receiver that gives the replies of `first` in turn and then always `then`.
    pub(crate) async fn replying(first: impl IntoIterator<Item = Reply>, then: Reply) -> Self {
        let (sender, requests) = mpsc::unbounded_channel();
        let first = Arc::new(Mutex::new(first.into_iter().collect()));
        let router =
            Router::new().fallback(answer).with_state(Responder { first, then, requests: sender });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, requests }
    }

    /// Waits for the next request.
    pub(crate) async fn next(&mut self) -> Request {
        let request = tokio::time::timeout(SOON, self.requests.recv()).await;
        request.expect("a request arrives in time").expect("the receiver is running")
    }

    /// All requests that have arrived.
    pub(crate) fn so_far(&mut self) -> Vec<Request> {
        std::iter::from_fn(|| self.requests.try_recv().ok()).collect()
    }
}

async fn answer(State(responder): State<Responder>, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    let request = Request {
        id: header("webhook-id"),
        seconds: header("webhook-timestamp").parse().unwrap(),
        signatures: header("webhook-signature"),
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    responder.requests.send(request).unwrap();
    let next = responder.first.lock().unwrap().pop_front();
    match next.unwrap_or(responder.then) {
        Reply::Answer { status, retry_after } => {
            let mut response = StatusCode::from_u16(status).unwrap().into_response();
            if let Some(seconds) = retry_after {
                response.headers_mut().insert("retry-after", seconds.into());
            }
            response
        }
        Reply::Silence => std::future::pending().await,
    }
}
