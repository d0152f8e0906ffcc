//! A site's receiver of events, on a port of this machine.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
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

/// How a request is answered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reply {
    /// With a status, and perhaps with seconds to wait.
    Answer { status: u16, retry_after: Option<u64> },
    /// Not at all, for ever.
    Silence,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self::Answer { status, retry_after: None }
    }
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
