//! Protection of the pages against other sites.

use ::app::wire::Outcome;
use reqwest::{Method, Response, StatusCode};
use serde_json::json;

use crate::{app::TestApp, back_ends::DEMO};

#[tokio::test(flavor = "multi_thread")]
async fn s12_a_foreign_page_changes_nothing() {
    let app = TestApp::start().await;
    let id = app.start_email("jo@example.com").await;
    let code = app.code(1).await;
    let foreign = |path: String, header: &'static str, value: &'static str| {
        app.bare_request(Method::POST, &path).header(header, value)
    };
    for (header, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("x-nothing", "neither header"),
    ] {
        for path in ["check", "resend", "cancel"] {
            let path = format!("/v/{id}/{path}");
            let answer =
                foreign(path, header, value).form(&[("code", &code)]).send().await.unwrap();
            assert_eq!(answer.status(), 403);
        }
        let form = [("channel", "email"), ("email", "victim@example.com")];
        let answer = foreign("/".into(), header, value).form(&form).send().await.unwrap();
        assert_eq!(answer.status(), 403);
        let arguments = json!([id, code, ""]);
        let answer = foreign("/ui/check".into(), header, value).json(&arguments).send().await;
        assert_eq!(answer.unwrap().status(), 403);
    }
    assert_eq!(app.inbox(1).await.len(), 1);
    assert_eq!(app.outcome(&id, &code).await, Outcome::Approved);
}

#[tokio::test(flavor = "multi_thread")]
async fn s12_functions_take_json_with_its_content_type_only() {
    let app = TestApp::start().await;
    let id = app.start_email("jo@example.com").await;
    let body = json!([id, app.code(1).await, ""]).to_string();
    for content_type in ["text/plain", "application/x-www-form-urlencoded", ""] {
        let request = app.request(Method::POST, "/ui/check").header("content-type", content_type);
        let answer = request.body(body.clone()).send().await.unwrap();
        assert!(answer.status().is_client_error(), "{content_type}");
    }
    assert_eq!(app.view(&id).await.unwrap().attempts_left, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn s13_every_answer_carries_the_security_headers() {
    let app = TestApp::start().await;
    let id = app.start_email("jo@example.com").await;
    let mut answers = Vec::new();
    for path in ["/", &format!("/v/{id}"), "/v/unknown", "/nowhere", "/health/live", "/dev/inbox"] {
        answers.push(app.get(path).await);
    }
    answers.push(app.post_form("/", &[("channel", "email"), ("email", "nonsense")]).await);
    answers.push(app.post_form("/", &[("unknown", "field")]).await);
    answers.push(app.bare_request(Method::POST, "/").send().await.unwrap());
    answers.push(app.request(Method::DELETE, "/").send().await.unwrap());
    answers.push(app.call("check", json!([id, "1", ""])).await);
    answers.push(app.call("check", json!([id])).await);
    for answer in answers {
        let header = |name: &str| {
            let value = answer.headers().get(name).unwrap_or_else(|| panic!("{name}: {answer:?}"));
            value.to_str().unwrap().to_owned()
        };
        let policy = header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(policy.contains("default-src 'none'"), "{policy}");
        assert!(!policy.contains("unsafe-inline") && !policy.contains('*'), "{policy}");
        assert_eq!(header("x-content-type-options"), "nosniff");
        // Not `no-referrer`, by which a form would post with `Origin: null` (S12).
        assert_eq!(header("referrer-policy"), "same-origin");
        assert_eq!(header("cache-control"), "no-store");
        assert!(header("permissions-policy").contains("camera=()"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s13_no_two_pages_share_a_nonce_and_scripts_need_one() {
    let app = TestApp::start().await;
    let nonce = |answer: &Response| {
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        let (_, rest) = policy.split_once("'nonce-").unwrap();
        rest.split_once('\'').unwrap().0.to_owned()
    };
    let (one, other) = (app.get("/").await, app.get("/").await);
    assert_ne!(nonce(&one), nonce(&other));
    let expected = nonce(&one);
    let page = one.text().await.unwrap();
    for tag in page.split("<script").skip(1).chain(page.split("<style").skip(1)) {
        let tag = tag.split_once('>').unwrap().0;
        assert!(tag.contains(&format!("nonce=\"{expected}\"")), "{tag}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s16_host_and_forwarded_headers_change_no_message_and_no_redirect() {
    let origin = ("LATCHKEY_SERVER__PUBLIC_ORIGIN", "http://otp.example");
    let hosts = ("LATCHKEY_SERVER__DEVELOPMENT_HOSTS", "127.0.0.1,evil.example");
    let app = TestApp::start_with(&[origin, hosts]).await;
    let answer = app
        .request(Method::POST, "/")
        .header("host", "evil.example")
        .header("x-forwarded-host", "evil.example")
        .header("x-forwarded-proto", "https")
        .header("forwarded", "host=evil.example;proto=https")
        .form(&[("channel", "sms"), ("phone", "+447400123456"), ("country", "GB")])
        .send()
        .await
        .unwrap();
    assert!(!format!("{:?}", answer.headers()).contains("evil"));
    let message = &app.inbox(1).await[0];
    assert!(message.text.ends_with(&format!("@otp.example #{}", message.code)), "{}", message.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn s18_a_recipient_list_or_a_line_break_never_reaches_a_second_recipient() {
    let app = TestApp::start().await;
    for nasty in [
        "jo@example.com,eve@evil.example",
        "jo@example.com;eve@evil.example",
        "jo@example.com eve@evil.example",
        "jo@example.com\r\nBcc: eve@evil.example",
        "jo@example.com\u{0}eve@evil.example",
        "\"jo\r\n\"@example.com",
        "Jo <jo@example.com>, Eve <eve@evil.example>",
    ] {
        let answer = app.post_form("/", &[("channel", "email"), ("email", nasty)]).await;
        assert_eq!(answer.status(), 422, "{nasty:?}");
    }
    app.start_email("last@example.com").await;
    assert_eq!(app.inbox(1).await.len(), 1, "nothing but the last was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn s19_unknown_fields_are_refused_and_large_bodies_get_413() {
    let app = TestApp::start().await;
    let id = app.start_email("jo@example.com").await;
    let form = [("channel", "email"), ("email", "jo@example.com"), ("admin", "true")];
    assert_eq!(app.post_form("/", &form).await.status(), 400);
    assert_eq!(app.call("check", json!([id, "123456", "", "admin"])).await.status(), 400);
    assert_eq!(app.call("check", json!({ "id": id, "guess": "123456" })).await.status(), 400);
    let large = "1".repeat(17 * 1024);
    let answer = app.post_form(&format!("/v/{id}/check"), &[("code", &large)]).await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let answer = app.call("check", json!([id, large, ""])).await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(app.view(&id).await.unwrap().attempts_left, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journey_works_as_plain_forms() {
    let app = TestApp::start().await;
    let id = app.start_email("jo@example.com").await;
    let code = app.code(1).await;
    let check = format!("/v/{id}/check");
    let location = |answer: &Response| answer.headers()["location"].to_str().unwrap().to_owned();

    let answer = app.post_form(&check, &[("code", &crate::app::wrong(&code))]).await;
    assert_eq!(answer.status(), 303);
    let page = app.get(&location(&answer)).await.text().await.unwrap();
    assert!(page.contains("Incorrect OTP!") && page.contains("<title>Error:"), "{page}");

    let spaced = format!("{} {}", &code[..3], &code[3..]);
    let answer = app.post_form(&check, &[("code", &spaced)]).await;
    assert_eq!(location(&answer), format!("/v/{id}"));
    let page = app.get(&location(&answer)).await.text().await.unwrap();
    assert!(page.contains("Login Success!"));

    let answer = app.post_form(&check, &[("code", &code)]).await;
    let page = app.get(&location(&answer)).await.text().await.unwrap();
    assert!(page.contains("This OTP has already been used"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn changing_the_recipient_calls_the_verification_off() {
    let app = TestApp::start().await;
    let id = app.start_email("jo@example.com").await;
    let code = app.code(1).await;
    let answer = app.request(Method::POST, &format!("/v/{id}/cancel")).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["location"]),
        (303, &"/".parse().unwrap())
    );
    assert_eq!(app.outcome(&id, &code).await, Outcome::Canceled);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_fixed_recipient_nothing_is_typed() {
    let app = TestApp::start_with(&[("RECIPIENT_NUMBER", "+447400123442")]).await;
    let page = app.get("/").await.text().await.unwrap();
    assert!(page.contains("+44 ••• ••42") && !page.contains("+447400123442"), "{page}");
    let answer = app.post_form("/", &[]).await;
    let id = crate::app::verification(&answer);
    assert_eq!(app.inbox(1).await[0].to, "+447400123442");
    // Another recipient in the request is ignored.
    let form = [("channel", "sms"), ("phone", "+447400999999"), ("country", "GB")];
    app.post_form("/", &form).await;
    assert_eq!(app.inbox(2).await[0].to, "+447400123442");
    assert_eq!(app.outcome(&id, &app.inbox(2).await[1].code).await, Outcome::Approved);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fixed_recipient_binds_back_ends_as_well() {
    let app = TestApp::start_with(&[("RECIPIENT_NUMBER", "+447400123442")]).await;
    let shop = app.back_end(DEMO);
    for to in ["+447400999999", "jo@example.com"] {
        let refused = shop.post("/v1/verifications", &json!({ "to": to })).await;
        assert_eq!(refused.problem(), (422, "channel_unavailable"), "{to}");
    }
    shop.create("07400 123442").await;
    assert_eq!(app.inbox(1).await[0].to, "+447400123442");
}
