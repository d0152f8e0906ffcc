//! The presets of the kind `http`: the request that each gateway documents, and its answers.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use server::delivery::{Failure, KindSettings, ProbeError, Probed, Route};

use crate::{
    NOW,
    gateway::{Gateway, PHONE, configured, refusal, route},
    message,
};

const TEXT: &str = "042917 is your Example code. It is valid for 5 minutes. Tell nobody. Type it only where you \
                    asked for it.\n@login.example.com #042917";

/// The provider of a preset, whose requests go to the gateway in place of the documented host.
fn preset(name: &str, account: &str, gateway: &Gateway, documented: &str) -> Route {
    let file = format!(
        "[[providers]]\nname = \"{name}\"\nkind = \"http\"\nhttp.preset = \"{name}\"\n\
         http.sender = \"+442079460001\"\n{account}"
    );
    let mut settings = configured(&file);
    let KindSettings::Http(http) = &mut settings.kind else { panic!("{settings:?}") };
    assert_eq!(http.url.as_str(), documented);
    for url in [Some(&mut http.url), http.probe_url.as_mut()].into_iter().flatten() {
        url.set_scheme("http").unwrap();
        url.set_ip_host(gateway.address.ip()).unwrap();
        url.set_port(Some(gateway.address.port())).unwrap();
    }
    route(settings)
}

fn basic(username: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{username}:{password}")))
}

fn fields(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    fields.iter().map(owned).collect()
}

const VONAGE: &str = "https://rest.nexmo.com/sms/json";

pub(crate) fn vonage(gateway: &Gateway) -> Route {
    let account = "http.username = \"abcd1234\"\nhttp.password = \"hunter2\"\n";
    preset("vonage", account, gateway, VONAGE)
}

/// An answer with one message of this status.
pub(crate) fn vonage_answer(status: &str) -> Value {
    let message = json!({ "to": "447700900142", "message-id": "0A0000000123ABCD1", "status": status,
                          "error-text": format!("about {PHONE}") });
    json!({ "message-count": "1", "messages": [message] })
}

#[tokio::test]
async fn vonage_gets_the_documented_request_and_its_statuses_are_understood() {
    let mut gateway = Gateway::answering(200, &vonage_answer("0")).await;
    let receipt = vonage(&gateway).deliver(&message(PHONE), NOW).await.unwrap();
    assert_eq!(receipt.reference.as_deref(), Some("0A0000000123ABCD1"));
    let request = gateway.next().await;
    assert_eq!((request.method.as_str(), &*request.path), ("POST", "/sms/json"));
    assert_eq!(request.header("authorization"), basic("abcd1234", "hunter2"));
    let expected =
        [("from", "442079460001"), ("text", TEXT), ("to", "447700900142"), ("type", "text")];
    assert_eq!(request.form(), fields(&expected));

    assert_eq!(vonage(&gateway).provider().probe().await, Ok(Probed::Ready));
    let request = gateway.next().await;
    assert_eq!((request.method.as_str(), &*request.path), ("GET", "/account/get-balance"));
    assert_eq!(request.header("authorization"), basic("abcd1234", "hunter2"));

    let mut unicode = message(PHONE);
    Arc::make_mut(&mut unicode.site).brand.name = "Пример".to_owned();
    vonage(&gateway).deliver(&unicode, NOW).await.unwrap();
    let form = gateway.next().await.form();
    assert!(form.contains(&("type".to_owned(), "unicode".to_owned())), "{form:?}");

    for (status, kind) in [
        ("1", Failure::Transient),
        ("2", Failure::Permanent),
        ("3", Failure::Permanent),
        ("4", Failure::Account),
        ("5", Failure::Transient),
        ("6", Failure::Permanent),
        ("7", Failure::Permanent),
        ("8", Failure::Account),
        ("9", Failure::Account),
        ("10", Failure::Transient),
        ("15", Failure::Permanent),
        ("29", Failure::Permanent),
        ("99", Failure::Permanent),
    ] {
        let gateway = Gateway::answering(200, &vonage_answer(status)).await;
        assert_eq!(refusal(&vonage(&gateway), PHONE).await.kind, kind, "{status}");
    }
    for (status, kind) in
        [(200, Failure::Ambiguous), (401, Failure::Account), (429, Failure::Transient)]
    {
        let gateway = Gateway::answering(status, &json!({ "message-count": "0" })).await;
        assert_eq!(refusal(&vonage(&gateway), PHONE).await.kind, kind, "{status}");
    }
}

const PLIVO: &str = "https://api.plivo.com/v1/Account/MA0000/Message/";

pub(crate) fn plivo(gateway: &Gateway) -> Route {
    let account = "http.username = \"MA0000\"\nhttp.password = \"hunter2\"\n";
    preset("plivo", account, gateway, PLIVO)
}

#[tokio::test]
async fn plivo_gets_the_documented_request_and_its_statuses_are_understood() {
    let answer = json!({ "api_id": "db342550", "message": "message(s) queued",
                         "message_uuid": ["db3ce55a-7f1d-11e1-8ea7-1231380bc196"] });
    let mut gateway = Gateway::answering(202, &answer).await;
    let receipt = plivo(&gateway).deliver(&message(PHONE), NOW).await.unwrap();
    assert_eq!(receipt.reference.as_deref(), Some("db3ce55a-7f1d-11e1-8ea7-1231380bc196"));
    let request = gateway.next().await;
    assert_eq!((request.method.as_str(), &*request.path), ("POST", "/v1/Account/MA0000/Message/"));
    assert_eq!(request.header("authorization"), basic("MA0000", "hunter2"));
    let expected =
        json!({ "src": "442079460001", "dst": "447700900142", "text": TEXT, "log": false });
    assert_eq!(request.json(), expected);

    plivo(&gateway).provider().probe().await.unwrap();
    assert_eq!(gateway.next().await.path, "/v1/Account/MA0000/");
    for (status, kind) in [
        (400, Failure::Permanent),
        (401, Failure::Account),
        (403, Failure::Permanent),
        (404, Failure::Permanent),
        (429, Failure::Transient),
        (500, Failure::Ambiguous),
        (503, Failure::Transient),
        (502, Failure::Ambiguous),
    ] {
        let answer = json!({ "api_id": "97ceeb52", "error": format!("{PHONE} is no good") });
        let gateway = Gateway::answering(status, &answer).await;
        assert_eq!(refusal(&plivo(&gateway), PHONE).await.kind, kind, "{status}");
    }
}

const TELNYX: &str = "https://api.telnyx.com/v2/messages";

pub(crate) fn telnyx(gateway: &Gateway) -> Route {
    preset("telnyx", "http.token = \"hunter2\"\n", gateway, TELNYX)
}

/// An answer with one error of this code.
fn telnyx_error(code: &str) -> Value {
    json!({ "errors": [{ "code": code, "title": "No", "detail": format!("about {PHONE}") }] })
}

#[tokio::test]
async fn telnyx_gets_the_documented_request_and_its_errors_are_understood() {
    let answer = json!({ "data": { "record_type": "message", "id": "40385f64-5717-4562-b3fc-2c963f66afa6",
                                   "to": [{ "phone_number": PHONE, "status": "queued" }], "errors": [] } });
    let mut gateway = Gateway::answering(200, &answer).await;
    let receipt = telnyx(&gateway).deliver(&message(PHONE), NOW).await.unwrap();
    assert_eq!(receipt.reference.as_deref(), Some("40385f64-5717-4562-b3fc-2c963f66afa6"));
    let request = gateway.next().await;
    assert_eq!((request.method.as_str(), &*request.path), ("POST", "/v2/messages"));
    assert_eq!(request.header("authorization"), "Bearer hunter2");
    assert_eq!(request.json(), json!({ "from": "+442079460001", "to": PHONE, "text": TEXT }));

    for (status, code, kind) in [
        (401, "10009", Failure::Account),
        (403, "10010", Failure::Account),
        (403, "40300", Failure::Permanent),
        (400, "10002", Failure::Permanent),
        (422, "10015", Failure::Permanent),
        (429, "10011", Failure::Transient),
        (500, "10007", Failure::Ambiguous),
        (504, "10008", Failure::Ambiguous),
    ] {
        let gateway = Gateway::answering(status, &telnyx_error(code)).await;
        assert_eq!(refusal(&telnyx(&gateway), PHONE).await.kind, kind, "{status} {code}");
    }
    let mut gateway = Gateway::answering(401, &telnyx_error("10009")).await;
    let refused = telnyx(&gateway).provider().probe().await;
    assert!(matches!(refused, Err(ProbeError::Rejected { .. })), "{refused:?}");
    assert_eq!(gateway.next().await.path, "/v2/balance");
}
