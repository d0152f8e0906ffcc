//! The yardstick: axum, a router with one route, JSON in and JSON out, nothing else.

use std::time::Duration;

use axum::{Json, Router, routing::post};
use serde::{Deserialize, Serialize};

use super::{Answers, CONNECTIONS};
use crate::{
    client::{Client, JSON},
    load,
    process::{self, Process},
};

#[derive(Serialize, Deserialize)]
struct Echo {
    id: String,
    guess: String,
}

pub(crate) fn serve() {
    let echo = async |Json(echo): Json<Echo>| Json(echo);
    process::serve(Router::new().route("/check", post(echo)));
}

pub(crate) struct Bare {
    server: Process,
    clients: Vec<Client>,
}

impl Bare {
    pub(crate) async fn start() -> Self {
        let server = Process::bare();
        let clients = Client::connect_all(server.address(), CONNECTIONS, "lk_sec_demo").await;
        Self { server, clients }
    }
}

impl Answers for Bare {
    /// CPU time of three requests for each of the flows.
    async fn run(&mut self, flows: usize) -> Duration {
        let begun = self.server.settled().await;
        load::each(&mut self.clients, flows, async |client, _| {
            for _ in 0..3 {
                let body = r#"{"id":"AaH9CvQEJreHNH58TLtpxoBtQYgsVpqn","guess":"123456"}"#;
                assert_eq!(client.post("/check", JSON, body).await.status, 200);
            }
        })
        .await;
        self.server.settled().await.saturating_sub(begun)
    }
}
