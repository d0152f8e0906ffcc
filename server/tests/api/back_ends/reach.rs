//! A back end reaches the verifications of its own site only.

use serde_json::json;

use super::{APPROVE, DEMO, Reply};
use crate::app::TestApp;

/// All that can be asked of one verification.
async fn ask(app: &TestApp, secret: &'static str, id: &str) -> Vec<Reply> {
    let shop = app.back_end(secret);
    let path = format!("/v1/verifications/{id}");
    let key: String = id.chars().take(40).collect();
    vec![
        shop.get(&path).await,
        shop.post(&format!("{path}/sends"), &json!({})).await,
        shop.post(&format!("{path}/sends"), &json!({"channel": "email"})).await,
        shop.check(&path, "123456").await,
        shop.check(&path, "no code").await,
        shop.delete(&path).await,
        shop.repeatable(&key, &format!("{path}/checks"), &json!({"code": "1"})).await,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn s9_unknown_expired_and_foreign_verifications_are_answered_alike_byte_for_byte() {
    let app = TestApp::start().await;
    let id = |path: String| path.strip_prefix("/v1/verifications/").unwrap().to_owned();
    let expired = id(app.back_end(DEMO).create("old@example.com").await);
    app.advance(3600);
    let foreign = id(app.back_end(APPROVE).create("jo@example.com").await);
    let hosted = app.start_email("sam@example.com").await;
    let expected = ask(&app, DEMO, "AaH9CvQEJreHNH58TLtpxoBtQYgsVpqn").await;
    assert_eq!(expected[0].problem(), (404, "not_found"));
    assert_eq!(expected[1].problem(), (404, "not_found"));
    assert_eq!(expected[3].json, json!({"result": "expired", "verification": null}));
    assert_eq!(expected[5].problem(), (404, "not_found"));
    for id in [&expired, &foreign, "x", "%00", "%ff", "..%2f..", "a%20b", &"x".repeat(2000)] {
        for (answer, expected) in ask(&app, DEMO, id).await.iter().zip(&expected) {
            assert_eq!((answer.status, &answer.text), (expected.status, &expected.text), "{id}");
            let headers = |reply: &Reply| {
                let mut headers = reply.headers.clone();
                headers.remove("date");
                headers
            };
            assert_eq!(headers(answer), headers(expected), "{id}");
        }
    }
    // The page's own verifications are the site's whose page it is, and nobody else's.
    let path = format!("/v1/verifications/{hosted}");
    assert_eq!(app.back_end(APPROVE).get(&path).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_site_sees_checks_cancels_or_resends_another_s() {
    let app = TestApp::start().await;
    let path = app.back_end(DEMO).create("jo@example.com").await;
    let code = app.code(1).await;
    app.advance(30);
    let id = path.strip_prefix("/v1/verifications/").unwrap();
    ask(&app, APPROVE, id).await;
    let foreign = app.back_end(APPROVE).check(&path, &code).await;
    assert_eq!(foreign.json, json!({"result": "expired", "verification": null}));

    let own = app.back_end(DEMO).get(&path).await.json;
    assert_eq!((&own["state"], &own["attempts_left"]), (&"pending".into(), &5.into()));
    assert_eq!(app.inbox(1).await.len(), 1);
    assert_eq!(app.back_end(DEMO).check(&path, &code).await.json["result"], "approved");
}
