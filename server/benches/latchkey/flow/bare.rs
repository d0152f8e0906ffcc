//! The yardstick: axum, a router with one route, JSON in and JSON out, nothing else.

use axum::{Json, Router, routing::post};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Echo {
    id: String,
    guess: String,
}

pub(crate) fn serve() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let router =
            Router::new().route("/check", post(|Json(echo): Json<Echo>| async { Json(echo) }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("http://{}", listener.local_addr().expect("an address"));
        axum::serve(listener, router).await.expect("served");
    });
}
