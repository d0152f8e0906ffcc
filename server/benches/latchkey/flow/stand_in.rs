//! A local server in place of Twilio, which remembers the codes of the texts.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex},
};

use axum::{
    Form, Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{process, settings};

/// Codes by recipient.
type Codes = Arc<Mutex<HashMap<String, String>>>;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Text {
    to: String,
    body: String,
}

pub(crate) fn serve() {
    // The probe of the credentials, before the server serves.
    let account = async || Json(json!({"status": "active"}));
    let router = Router::new()
        .route("/2010-04-01/Accounts/{account}", get(account))
        .route("/2010-04-01/Accounts/{account}/Messages.json", post(take))
        .route("/codes", get(codes))
        .with_state(Codes::default());
    process::serve(router);
}

/// Takes a text, answered like Twilio does.
async fn take(
    State(codes): State<Codes>,
    Form(Text { to, body }): Form<Text>,
) -> (StatusCode, Json<Value>) {
    let code = body.split(' ').next().unwrap_or_default().to_owned();
    let answer = json!({
        "account_sid": settings::ACCOUNT, "api_version": "2010-04-01", "body": body,
        "date_created": "Sat, 21 Nov 2026 07:00:00 +0000", "date_sent": null,
        "date_updated": "Sat, 21 Nov 2026 07:00:00 +0000", "direction": "outbound-api",
        "error_code": null, "error_message": null, "from": settings::SENDER,
        "messaging_service_sid": null, "num_media": "0", "num_segments": "1", "price": null,
        "price_unit": "USD", "sid": "SM00000000000000000000000000000000", "status": "queued",
        "to": to, "uri": "/2010-04-01/Accounts/AC/Messages/SM.json",
    });
    codes.lock().expect("no panic").insert(to, code);
    (StatusCode::CREATED, Json(answer))
}

/// The codes since the last time.
async fn codes(State(codes): State<Codes>) -> Json<HashMap<String, String>> {
    Json(mem::take(&mut codes.lock().expect("no panic")))
}
