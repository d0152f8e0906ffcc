//! S33: text messages go to the countries and kinds of lines that are listed, whichever door they are
//! asked for at.

use reqwest::Method;
use serde_json::json;

use crate::{
    app::TestApp,
    back_ends::{APPROVE, DEMO, Reply},
};

const BRITISH: &str = "+447400123456";
const FRENCH: &str = "+33612345678";
const LANDLINE: &str = "+442079460001";
const SETTINGS: [(&str, &str); 2] =
    [("LATCHKEY_SMS__COUNTRIES", "GB"), ("LATCHKEY_SMS__LINE_TYPES", "mobile")];
const SHOP: &str = "http://localhost:3001";

async fn app() -> TestApp {
    TestApp::start_with(&SETTINGS).await
}

/// The element's request for this number.
async fn element(app: &TestApp, to: &str) -> Reply {
    let request = app.bare_request(Method::POST, "/embed/verifications").header("origin", SHOP);
    Reply::to(request.json(&json!({ "site_key": "lk_pub_demo", "to": to }))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn s33_a_number_elsewhere_is_refused_at_every_door() {
    let app = app().await;
    let frame = format!("/embed?site_key=lk_pub_demo&origin={SHOP}");
    for (to, words, code) in [
        (FRENCH, "We send no text messages to this country", "destination_not_served"),
        ("+870773111632", "We send no text messages to this country", "destination_not_served"),
        (LANDLINE, "We cannot text this kind of number", "invalid_recipient"),
    ] {
        let form = [("channel", "sms"), ("phone", to), ("country", "GB")];
        for path in ["/", &frame] {
            let answer = app.post_form(path, &form).await;
            assert_eq!(answer.status(), 422, "{path} {to}");
            let page = answer.text().await.unwrap();
            // That of a frame for its form comes first, and is empty.
            let mut alerts = page.split("role=\"alert\">").skip(1);
            let alert = alerts.find(|alert| !alert.starts_with("</p>")).unwrap();
            assert!(alert.trim_start().starts_with(words), "{path} {to}: {page}");
            assert!(alert.contains("Or choose e-mail."), "{path} {to}: {page}");
            assert!(page.contains(&format!("value=\"{to}\"")), "the number stays: {page}");
        }
        let refused = app.back_end(DEMO).post("/v1/verifications", &json!({ "to": to })).await;
        assert_eq!(refused.problem(), (422, code), "{to}");
        assert!(!refused.text.contains(to), "{}", refused.text);
        assert_eq!(element(&app, to).await.problem(), (422, code), "{to}");
    }
    let refused = app.back_end(DEMO).post("/v1/verifications", &json!({ "to": LANDLINE })).await;
    assert_eq!(refused.json["problem"], "not_mobile");

    app.start_sms(BRITISH).await;
    app.back_end(DEMO).create(BRITISH).await;
    assert_eq!(element(&app, BRITISH).await.status, 201);
    let sent = app.inbox(3).await;
    assert!(sent.len() == 3 && sent.iter().all(|message| message.to == BRITISH), "{sent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn s33_a_country_that_is_taken_off_the_list_is_sent_no_further_codes() {
    let app = app().await;
    let path = app.back_end(DEMO).create(BRITISH).await;
    let id = app.start_sms("+447400999999").await;
    let email = app.back_end(DEMO).create("jo@example.com").await;
    let code = app.inbox(3).await.iter().find(|sent| sent.to == BRITISH).unwrap().code.clone();

    let app = app.restart_with("LATCHKEY_SMS__COUNTRIES", "FR").await;
    app.advance(60);
    let demo = app.back_end(DEMO);
    let again = demo.post(&format!("{path}/sends"), &json!({})).await;
    assert_eq!(again.problem(), (422, "destination_not_served"));
    let answer = app.post_form(&format!("/v/{id}/resend"), &[]).await;
    assert!(answer.headers()["location"].to_str().unwrap().ends_with("e=no-sends-left"));
    assert_eq!(demo.post(&format!("{email}/sends"), &json!({})).await.status, 201);
    // The code that was sent before is as good as ever.
    assert_eq!(demo.check(&path, &code).await.json["result"], "approved");
    assert!(app.inbox(1).await.iter().all(|message| message.to == "jo@example.com"));
}

#[tokio::test(flavor = "multi_thread")]
async fn s33_the_start_page_offers_the_countries_that_are_served() {
    let app = TestApp::start_with(&[("LATCHKEY_SMS__COUNTRIES", "GB,FR,+883")]).await;
    let options = async |path: &str| {
        let page = app.get(path).await.text().await.unwrap();
        let options = page.split("<option value=\"").skip(1).map(|rest| rest[..2].to_owned());
        options.collect::<Vec<_>>()
    };
    assert_eq!(options("/").await, ["FR", "GB"]);
    let frame = |site: &str| format!("/embed?site_key=lk_pub_{site}&origin={SHOP}");
    assert_eq!(options(&frame("demo")).await, ["FR", "GB"]);
    assert!(options(&frame("test_approve")).await.len() > 200, "it sends nothing");
    for (path, selected) in [
        ("/".to_owned(), "GB"),
        // A country is selected for the page around only if it is offered.
        (format!("{}&country=FR", frame("demo")), "FR"),
        (format!("{}&country=DE", frame("demo")), "GB"),
    ] {
        let page = app.get(&path).await.text().await.unwrap();
        assert!(page.contains(&format!("<option value=\"{selected}\" selected>")), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sites_for_test_suites_take_any_number() {
    let app = app().await;
    app.back_end(APPROVE).create(FRENCH).await;
}
