//! Refusals of `/v1` and their problems.

use reqwest::{Method, header::HeaderValue};
use serde_json::{Value, json};

use super::{DEMO, Reply};
use crate::app::TestApp;

/// Every address that acts or shows something.
const ADDRESSES: [(&str, &str); 6] = [
    ("POST", "/v1/verifications"),
    ("GET", "/v1/verifications/AaH9CvQEJreHNH58TLtpxoBtQYgsVpqn"),
    ("DELETE", "/v1/verifications/AaH9CvQEJreHNH58TLtpxoBtQYgsVpqn"),
    ("POST", "/v1/verifications/AaH9CvQEJreHNH58TLtpxoBtQYgsVpqn/checks"),
    ("POST", "/v1/verifications/AaH9CvQEJreHNH58TLtpxoBtQYgsVpqn/sends"),
    ("POST", "/v1/tokens/redeem"),
];

#[tokio::test(flavor = "multi_thread")]
async fn s21_without_a_known_secret_key_nothing_is_told_but_that() {
    let app = TestApp::start().await;
    let mut answers = Vec::new();
    for (method, path) in ADDRESSES {
        let request = || app.bare_request(method.parse().unwrap(), path).body("no JSON");
        for credentials in [
            None,
            Some("lk_sec_demo"),
            Some("Bearer"),
            Some("Bearer "),
            Some("Bearer lk_sec_dem"),
            Some("Bearer lk_sec_demo2"),
            Some("Bearer lk_pub_demo"),
            Some("Basic bGtfc2VjX2RlbW86"),
            // The digest that a configuration keeps is no key.
            Some("Bearer sha256:0000000000000000000000000000000000000000000000000000000000000000"),
        ] {
            let request = match credentials {
                Some(credentials) => request().header("authorization", credentials),
                None => request(),
            };
            answers.push(Reply::to(request).await);
        }
        let twice = request().bearer_auth(DEMO).header("authorization", "Bearer lk_sec_demo");
        answers.push(Reply::to(twice).await);
        let bytes = HeaderValue::from_bytes(b"Bearer lk_sec_\xe4").unwrap();
        answers.push(Reply::to(request().header("authorization", bytes)).await);
    }
    for answer in &answers {
        assert_eq!(answer.problem(), (401, "unauthorized"));
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        assert_eq!(answer.text, answers[0].text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scheme_is_read_in_any_case() {
    let app = TestApp::start().await;
    for scheme in ["bearer", "BEARER", "Bearer"] {
        let request = app.bare_request(Method::GET, "/v1/verifications/unknown");
        let request = request.header("authorization", format!("{scheme} {DEMO}"));
        assert_eq!(Reply::to(request).await.status, 404, "{scheme}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s11_looking_never_acts_and_other_methods_are_told_which_there_are() {
    let app = TestApp::start().await;
    let shop = app.back_end(DEMO);
    let path = shop.create("jo@example.com").await;
    let code = app.code(1).await;
    for method in [Method::GET, Method::HEAD] {
        for path in [format!("{path}/checks?code={code}"), format!("{path}/sends")] {
            let answer = Reply::to(shop.request(method.clone(), &path)).await;
            assert_eq!((answer.status, answer.header("allow")), (405, "POST"), "{path}");
        }
        let looked = Reply::to(shop.request(method, &path)).await;
        assert_eq!(looked.status, 200);
    }
    let put = Reply::to(shop.request(Method::PUT, &path)).await;
    assert_eq!(put.problem(), (405, "method_not_allowed"));
    let mut allowed: Vec<_> = put.header("allow").split(',').collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["DELETE", "GET", "HEAD"]);
    assert_eq!(shop.check(&path, &code).await.json["result"], "approved");
    assert_eq!(app.inbox(1).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn problems_are_json_whatever_is_asked_for_and_carry_the_security_headers() {
    let app = TestApp::start().await;
    for path in ["/v1/nothing", "/v1/verifications/unknown", "/.well-known/nothing", "/v1/"] {
        let request = app.back_end(DEMO).request(Method::GET, path).header("accept", "text/html");
        let answer = Reply::to(request).await;
        assert_eq!(answer.problem(), (404, "not_found"), "{path}");
        assert!(answer.header("content-security-policy").contains("default-src 'none'"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s12_json_comes_with_its_content_type_and_pages_have_no_part_in_it() {
    let app = TestApp::start().await;
    let shop = app.back_end(DEMO);
    let body = json!({"to": "jo@example.com"}).to_string();
    let request = || shop.request(Method::POST, "/v1/verifications").body(body.clone());
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "json", ""]
    {
        let answer = Reply::to(request().header("content-type", kind)).await;
        assert_eq!(answer.problem(), (415, "unsupported_media_type"), "{kind}");
    }
    assert_eq!(Reply::to(request()).await.status, 415);
    for kind in ["application/json", "Application/JSON; charset=utf-8"] {
        assert_eq!(Reply::to(request().header("content-type", kind)).await.status, 201, "{kind}");
    }
    // A page that asks beforehand is told nothing that would let it go on.
    let asked = shop.request(Method::OPTIONS, "/v1/verifications");
    let asked = Reply::to(asked.header("origin", "https://evil.example")).await;
    assert_eq!((asked.status, asked.header("access-control-allow-origin")), (405, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn s19_what_is_no_json_object_is_refused_and_never_a_fault() {
    let app = TestApp::start().await;
    let shop = app.back_end(DEMO);
    let deep =
        |open: &str, close: &str| format!("{{\"to\":{}{}}}", open.repeat(2000), close.repeat(2000));
    let bodies: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"null".to_vec(),
        b"[]".to_vec(),
        b"[\"jo@example.com\"]".to_vec(),
        b"\"jo@example.com\"".to_vec(),
        b"{".to_vec(),
        b"{\"to\":\"jo@example.com\"".to_vec(),
        b"{\"to\":\"jo@example.com\"}x".to_vec(),
        b"{\"to\":\"jo@example.com\"}{}".to_vec(),
        b"{to:\"jo@example.com\"}".to_vec(),
        b"{'to':'jo@example.com'}".to_vec(),
        b"{\"to\":\"jo@example.com\",}".to_vec(),
        b"{\"to\":\"jo@\xff.example\"}".to_vec(),
        b"{\"to\":\"\\ud800\"}".to_vec(),
        b"{\"to\":\"a\x00b\"}".to_vec(),
        b"{\"to\":1e999}".to_vec(),
        b"{\"to\":NaN}".to_vec(),
        b"\xef\xbb\xbf{\"to\":\"jo@example.com\"}".to_vec(),
        deep("[", "]").into_bytes(),
        deep("{\"to\":", "}").into_bytes(),
    ];
    for body in bodies {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let request = shop.request(Method::POST, "/v1/verifications").body(body);
        let answer = Reply::to(request.header("content-type", "application/json")).await;
        assert_eq!(answer.problem(), (400, "bad_request"), "{shown}");
    }
    let body = shop.request(Method::DELETE, "/v1/verifications/unknown").body("{}");
    assert_eq!(Reply::to(body).await.problem(), (400, "bad_request"));
    let long = json!({"to": "jo@example.com", "state": "x".repeat(16 * 1024)});
    let answer = shop.post("/v1/verifications", &long).await;
    assert_eq!(answer.problem(), (413, "payload_too_large"));
    assert_eq!(app.inbox(0).await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn s19_fields_are_told_by_their_names_and_what_stood_in_them_is_not_repeated() {
    let app = TestApp::start().await;
    let shop = app.back_end(DEMO);
    let huge: Value = serde_json::from_str(&format!("1{}", "0".repeat(300))).unwrap();
    let pairs = |count| (0..count).map(|n| (format!("k{n}"), json!("v"))).collect::<Value>();
    let cases = [
        ("to", json!({})),
        ("to", json!({"to": null})),
        ("to", json!({"to": 4_711_471_147_u64})),
        ("to", json!({"to": huge})),
        ("to", json!({"to": ["4711471147"]})),
        ("to", json!({"to": ""})),
        ("to", json!({"to": "4711471147\u{0}"})),
        ("to", json!({"to": format!("4711471147{}", "1".repeat(245))})),
        ("channel", json!({"to": "a@example.com", "channel": "4711471147"})),
        ("channel", json!({"to": "a@example.com", "channel": "Email"})),
        ("country", json!({"to": "a@example.com", "country": "4711471147"})),
        ("country", json!({"to": "a@example.com", "country": "ÄÖ"})),
        ("country", json!({"to": "a@example.com", "country": "zz"})),
        ("country", json!({"to": "+447400123456", "country": "UK"})),
        ("locale", json!({"to": "a@example.com", "locale": "4711471147"})),
        ("locale", json!({"to": "a@example.com", "locale": "en, de;q=0.5"})),
        ("purpose", json!({"to": "a@example.com", "purpose": ""})),
        ("purpose", json!({"to": "a@example.com", "purpose": "x".repeat(65)})),
        ("purpose", json!({"to": "a@example.com", "purpose": "4711471147\n"})),
        ("state", json!({"to": "a@example.com", "state": "x".repeat(257)})),
        ("state", json!({"to": "a@example.com", "state": 4_711_471_147_u64})),
        ("metadata", json!({"to": "a@example.com", "metadata": []})),
        ("metadata", json!({"to": "a@example.com", "metadata": "4711471147"})),
        ("metadata", json!({"to": "a@example.com", "metadata": pairs(11)})),
        ("metadata", json!({"to": "a@example.com", "metadata": {"": "v"}})),
        ("metadata", json!({"to": "a@example.com", "metadata": {"x".repeat(41): "v"}})),
        ("metadata.k", json!({"to": "a@example.com", "metadata": {"k": "x".repeat(501)}})),
        ("metadata.k", json!({"to": "a@example.com", "metadata": {"k": {"k": "4711471147"}}})),
        ("metadata.k", json!({"to": "a@example.com", "metadata": {"k": null}})),
        ("code", json!({"to": "a@example.com", "code": "4711471147"})),
        ("To", json!({"To": "a@example.com"})),
    ];
    for (field, body) in cases {
        let answer = shop.post("/v1/verifications", &body).await;
        assert_eq!(answer.problem(), (422, "invalid_field"), "{body}");
        assert_eq!(answer.json["field"], field, "{body}");
        assert!(answer.json["detail"].as_str().unwrap().contains(&format!("`{field}`")));
        assert!(!answer.text.contains("4711471147"), "{}", answer.text);
    }
    for (path, body) in [
        ("/v1/verifications", r#"{"to":"a@example.com","to":"b@example.com"}"#),
        ("/v1/verifications", r#"{"to":"a@example.com","metadata":{"k":"1","k":"2"}}"#),
        ("/v1/verifications/x/checks", r#"{"code":"1","code":"2"}"#),
        ("/v1/verifications/x/checks", r#"{"code":123456}"#),
        ("/v1/verifications/x/checks", r#"{"code":"1","guess":"2"}"#),
        ("/v1/verifications/x/checks", r"{}"),
        ("/v1/verifications/x/sends", r#"{"channel":"fax"}"#),
        ("/v1/verifications/x/sends", r#"{"to":"a@example.com"}"#),
        ("/v1/tokens/redeem", r#"{"token":""}"#),
        ("/v1/tokens/redeem", r#"{"token":"x","token":"x"}"#),
    ] {
        let request = shop.request(Method::POST, path).header("content-type", "application/json");
        let answer = Reply::to(request.body(body)).await;
        assert_eq!(answer.problem(), (422, "invalid_field"), "{path} {body}");
    }
    // Names are repeated only if they look like names.
    for name in ["x".repeat(9000), "jo@example.com".to_owned(), "4711 471147".to_owned()] {
        let answer = shop.post("/v1/verifications", &json!({ &name: 1 })).await;
        assert_eq!(answer.problem(), (422, "invalid_field"), "{name}");
        assert!(!answer.text.contains(&name) && answer.json.get("field").is_none());
    }
    assert_eq!(app.inbox(0).await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_are_good_up_to_their_bounds() {
    let app = TestApp::start().await;
    let pairs: Value =
        (0..10).map(|n| (format!("{n}{}", "ü".repeat(39)), json!("ß".repeat(500)))).collect();
    let body = json!({
        "to": "jo@example.com",
        "channel": null,
        "country": null,
        "locale": "zh-Hant-TW",
        "purpose": "ü".repeat(64),
        "state": "ü".repeat(256),
        "metadata": pairs,
    });
    let created = app.back_end(DEMO).post("/v1/verifications", &body).await;
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(created.json["metadata"], body["metadata"]);
    assert_eq!(created.json["page_state"], body["state"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn s18_recipients_are_refused_with_the_reason() {
    let app = TestApp::start().await;
    let shop = app.back_end(DEMO);
    for (to, problem) in [
        (" ", "empty"),
        ("jo", "email"),
        ("jo@example.com,eve@evil.example", "email"),
        ("Jo <jo@example.com>", "email"),
        ("+447400", "phone_too_short"),
        ("+4474001234567890123", "phone_too_long"),
        ("+44 900 123 4567 x9", "phone"),
    ] {
        let answer = shop.post("/v1/verifications", &json!({ "to": to })).await;
        assert_eq!(answer.problem(), (422, "invalid_recipient"), "{to}");
        assert_eq!(answer.json["problem"], problem, "{to}");
    }
    let body = json!({"to": "jo@example.com", "channel": "sms"});
    assert_eq!(shop.post("/v1/verifications", &body).await.problem(), (422, "invalid_recipient"));
}
