//! Bodies of the JSON API, posted to a running server. The first byte chooses the endpoint.
#![cfg_attr(fuzzing, no_main)]

use std::sync::LazyLock;

use serde_json::{Map, Value};
use server::{
    config::{Config, Sources},
    startup::Application,
};

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| holds(data));

/// Endpoints, and the fields that they read.
const ENDPOINTS: [(&str, &[&str]); 3] = [
    (
        "/v1/verifications",
        &["to", "channel", "country", "locale", "purpose", "return_url", "state", "metadata"],
    ),
    ("/v1/verifications/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/checks", &["code"]),
    ("/v1/tokens/redeem", &["token"]),
];
/// Values that are long enough not to be in a refusal by chance.
const LONG: usize = 24;

struct Running {
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
    origin: String,
    _folder: tempfile::TempDir,
}

static SERVER: LazyLock<Running> = LazyLock::new(|| {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let sources = Sources {
        file: None,
        directory: folder.path().to_owned(),
        environment: [("LATCHKEY_SERVER__BIND", "127.0.0.1:0")].into_iter().collect(),
    };
    let config = Config::load(&sources).expect("a configuration");
    let application = runtime.block_on(Application::build(&config, false)).expect("a server");
    let origin = format!("http://{}", application.address());
    runtime.spawn(application.run_until_stopped(std::future::pending()));
    Running { runtime, client: reqwest::Client::new(), origin, _folder: folder }
});

pub(crate) fn holds(data: &[u8]) {
    let Some((first, body)) = data.split_first() else { return };
    let (path, fields) = ENDPOINTS[usize::from(*first) % ENDPOINTS.len()];
    let (status, answer) = post(path, body);
    assert!(status < 500, "{status} {answer}");
    let parsed = serde_json::from_slice::<Value>(body).ok();
    let Some(object) = parsed.as_ref().and_then(Value::as_object) else {
        return assert!(matches!(status, 400 | 413 | 422), "{status} for no JSON object");
    };
    if object.keys().any(|key| !fields.contains(&key.as_str())) {
        assert!(matches!(status, 400 | 413 | 422), "{status} in spite of an unknown field");
    }
    let document: Value = serde_json::from_str(&answer).expect("a document");
    if status >= 400 {
        assert_eq!(document["status"], status);
        for text in texts(object).into_iter().filter(|text| text.len() >= LONG) {
            // The name of an unknown field is repeated.
            assert!(object.contains_key(text) || !answer.contains(text), "{answer} quotes a value");
        }
    }
    if let (201, Some(to)) = (status, object.get("to").and_then(Value::as_str)) {
        let shown = document["recipient"].as_str().expect("the masked recipient");
        assert!(shown.contains(['*', '•']) && !shown.contains(to.trim()), "{shown} shows {to}");
    }
}

/// The texts in the fields of an object and in their fields, without names.
fn texts(object: &Map<String, Value>) -> Vec<&str> {
    let inner = object.values().filter_map(Value::as_object).flat_map(Map::values);
    object.values().chain(inner).filter_map(Value::as_str).collect()
}

/// Posts to the site for test suites, which sends nothing.
fn post(path: &str, body: &[u8]) -> (u16, String) {
    let Running { runtime, client, origin, .. } = &*SERVER;
    let request = client
        .post(format!("{origin}{path}"))
        .bearer_auth("lk_sec_test_approve")
        .header("content-type", "application/json")
        .body(body.to_vec());
    runtime.block_on(async {
        let response = request.send().await.expect("an answer");
        (response.status().as_u16(), response.text().await.expect("its text"))
    })
}
