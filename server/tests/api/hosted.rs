//! The hosted flow: a back end sends a person here, and a form brings them back.

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::{
    app::{TestApp, wrong_by},
    back_ends::{DEMO, Reply},
};

const SHOP: &str = "http://localhost:3001/return";
/// As of a page that asked for the code.
const CLAIM: &str = "AAECAwQFBgcICQoLDA0ODw";

/// Begins a verification that leads back to the shop; gives its id.
async fn visit(app: &TestApp, beside: Value) -> String {
    let mut request = json!({ "to": "jo@example.com", "return_url": SHOP, "state": "a \"b\" <c>" });
    request.as_object_mut().unwrap().extend(beside.as_object().unwrap().clone());
    let created = app.back_end(DEMO).post("/v1/verifications", &request).await;
    assert_eq!(created.status, 201);
    let created = created.json;
    let id = created["id"].as_str().unwrap().to_owned();
    assert_eq!(created["url"], format!("{}/v/{id}", app.origin));
    id
}

/// A page and what its policy lets forms do.
async fn page(app: &TestApp, id: &str) -> (String, String) {
    read(app.get(&format!("/v/{id}")).await).await
}

/// The answer to the form of a page with this claim.
async fn checked(app: &TestApp, id: &str, code: &str) -> (String, String) {
    let form = [("code", code), ("claim", CLAIM)];
    let answer = app.post_form(&format!("/v/{id}/check"), &form).await;
    assert_eq!(answer.status(), 200);
    read(answer).await
}

async fn read(answer: Response) -> (String, String) {
    let policy = answer.headers()["content-security-policy"].to_str().unwrap();
    let targets =
        policy.split_once("form-action ").unwrap().1.split_once(';').unwrap().0.to_owned();
    (answer.text().await.unwrap(), targets)
}

/// The hidden field of the way back with this name.
fn field(page: &str, name: &str) -> Option<String> {
    let start = format!("<input type=\"hidden\" name=\"{name}\" value=\"");
    let value = page.split_once(&start)?.1.split_once('"')?.0;
    Some(
        value
            .replace("&quot;", "\"")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&"),
    )
}

fn goes_by_itself(page: &str) -> bool {
    page.contains(".submit()")
}

async fn redeem(app: &TestApp, token: &str) -> Reply {
    app.back_end(DEMO).post("/v1/tokens/redeem", &json!({ "token": token })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_approved_is_sent_back_with_a_token_that_is_good_once() {
    let app = TestApp::start().await;
    let id = visit(&app, json!({})).await;
    let code = app.code(1).await;

    let (ending, targets) = checked(&app, &id, &code).await;

    assert!(ending.contains(&format!("method=\"post\" action=\"{SHOP}\"")), "{ending}");
    assert_eq!(targets, "'self' http://localhost:3001");
    assert_eq!(field(&ending, "result").as_deref(), Some("approved"));
    assert_eq!(field(&ending, "state").as_deref(), Some("a \"b\" <c>"));
    assert!(goes_by_itself(&ending) && ending.contains("Return to <bdi>Latchkey</bdi>"));
    let token = field(&ending, "token").unwrap();
    let redeemed = redeem(&app, &token).await.json;
    assert_eq!(redeemed["recipient"], "jo@example.com");

    // Once it is redeemed, nothing leads to a success any more: not the token, and not the answer.
    assert_eq!(redeem(&app, &token).await.status, 409);
    let (ending, _) = checked(&app, &id, &code).await;
    assert!(!goes_by_itself(&ending) && field(&ending, "token").is_none(), "{ending}");
    assert_eq!(field(&ending, "result").as_deref(), Some("approved"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_is_typed_twice_leads_back_as_well() {
    let app = TestApp::start().await;
    let id = visit(&app, json!({})).await;
    let code = app.code(1).await;
    checked(&app, &id, &code).await;

    let (page, _) = checked(&app, &id, &code).await;

    assert!(page.contains("Login Success!") && goes_by_itself(&page), "{page}");
    assert!(field(&page, "token").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn before_it_is_over_a_visited_page_leads_nowhere_but_can_be_left() {
    let app = TestApp::start().await;
    let id = visit(&app, json!({})).await;

    let (pending, targets) = page(&app, &id).await;
    assert_eq!(targets, "'self'");
    assert!(!pending.contains(SHOP) && !goes_by_itself(&pending), "{pending}");
    assert!(pending.contains("Cancel and return to \u{2068}Latchkey\u{2069}"), "{pending}");

    let answer = app.request(Method::POST, &format!("/v/{id}/cancel")).send().await.unwrap();
    assert_eq!(answer.headers()["location"].to_str().unwrap(), format!("/v/{id}"));
    let (ending, targets) = page(&app, &id).await;
    assert_eq!(targets, "'self' http://localhost:3001");
    assert_eq!(field(&ending, "result").as_deref(), Some("canceled"));
    assert!(goes_by_itself(&ending) && field(&ending, "token").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_otherwise_explains_itself_and_offers_the_way_back() {
    let app = TestApp::start().await;

    let id = visit(&app, json!({ "to": "one@example.com" })).await;
    let code = app.code(1).await;
    for steps in 1..=5 {
        app.post_form(&format!("/v/{id}/check"), &[("code", &wrong_by(steps, &code))]).await;
    }
    let (attempts, _) = page(&app, &id).await;
    assert_eq!(field(&attempts, "result").as_deref(), Some("max_attempts_reached"));
    assert!(attempts.contains("Too many incorrect OTPs"), "{attempts}");

    let id = visit(&app, json!({ "to": "two@example.com" })).await;
    app.advance(24 * 3600);
    let (expired, targets) = page(&app, &id).await;
    assert_eq!(field(&expired, "result").as_deref(), Some("expired"));
    assert_eq!(targets, "'self' http://localhost:3001");
    assert!(expired.contains("This OTP has expired"), "{expired}");

    for ending in [attempts, expired] {
        assert!(!goes_by_itself(&ending) && field(&ending, "token").is_none(), "{ending}");
        assert!(ending.contains("Return to ") && !ending.contains("START AGAIN"), "{ending}");
        assert_eq!(field(&ending, "state").as_deref(), Some("a \"b\" <c>"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_delivered_leads_back_with_its_reason() {
    let app = TestApp::start().await;
    let request = json!({ "to": "jo@example.com", "return_url": SHOP });
    let created =
        app.back_end("lk_sec_test_undeliverable").post("/v1/verifications", &request).await.json;

    let (ending, _) = page(&app, created["id"].as_str().unwrap()).await;

    assert_eq!(field(&ending, "result").as_deref(), Some("failed"));
    assert_eq!(field(&ending, "state"), None);
    assert!(!goes_by_itself(&ending) && ending.contains("We could not reach you"), "{ending}");
}

/// S8, S13: nothing of the person or the result is in any URL, and the page tells nobody where it was.
#[tokio::test(flavor = "multi_thread")]
async fn s13_the_page_that_leads_back_keeps_its_headers_and_its_secrets() {
    let app = TestApp::start().await;
    let id = visit(&app, json!({})).await;
    let code = app.code(1).await;

    let answer = app.post_form(&format!("/v/{id}/check"), &[("code", &code)]).await;

    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("referrer-policy"), "same-origin");
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("x-frame-options"), "DENY");
    let policy = header("content-security-policy");
    assert!(
        policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe-inline"),
        "{policy}"
    );
    let page = answer.text().await.unwrap();
    let token = field(&page, "token").unwrap();
    assert_eq!(page.matches(&token).count(), 1, "in a field and nowhere else");
    assert!(!page.contains("jo@example.com") && !page.contains(&code), "{page}");
    for tag in page.split("<script").skip(1) {
        assert!(tag.starts_with(" nonce=\""), "{tag}");
    }
}

/// A URL that was taken off the list gets nobody and no token, even for what began before.
#[tokio::test(flavor = "multi_thread")]
async fn s15_a_return_url_that_is_no_longer_listed_leads_nowhere() {
    let app = TestApp::start().await;
    let id = visit(&app, json!({})).await;
    let code = app.code(1).await;
    checked(&app, &id, &code).await;
    let file = app.folder().join("latchkey.toml");
    std::fs::write(file, "[[sites]]\nname = \"demo\"\n").unwrap();

    let app = app.restart().await;

    let again = [("code", code.as_str()), ("claim", CLAIM)];
    let again = app.post_form(&format!("/v/{id}/check"), &again).await;
    assert_eq!(again.headers()["location"].to_str().unwrap(), format!("/v/{id}"));
    let (ending, targets) = page(&app, &id).await;
    assert_eq!(targets, "'self'");
    assert!(!ending.contains(SHOP) && field(&ending, "token").is_none(), "{ending}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_and_messages_carry_the_brand_of_their_site() {
    let app = TestApp::start().await;
    std::fs::write(app.folder().join("logo.svg"), "<svg></svg>").unwrap();
    let digest = server::site::SecretDigest::of("lk_sec_0123456789abcdef");
    let text = format!(
        "[[sites]]\nname = \"shop\"\nsecret_keys = [\"{digest}\"]\n\
         return_urls = [\"{SHOP}\"]\n[sites.brand]\nname = \"Tea & Co\"\n\
         accent = \"#7a0019\"\nsupport = \"mailto:help@shop.example\"\n"
    );
    std::fs::write(app.folder().join("latchkey.toml"), &text).unwrap();
    let app = app.restart().await;
    let request = json!({ "to": "jo@example.com", "return_url": SHOP });
    let created =
        app.back_end("lk_sec_0123456789abcdef").post("/v1/verifications", &request).await.json;
    let id = created["id"].as_str().unwrap().to_owned();

    let (named, _) = page(&app, &id).await;
    for part in [
        "<p class=\"account\">For your account at <bdi>Tea &amp; Co</bdi>",
        "--accent:#7a0019",
        "href=\"mailto:help@shop.example\"",
        "Help from <bdi>Tea &amp; Co</bdi>",
    ] {
        assert!(named.contains(part), "{part}: {named}");
    }
    assert!(app.inbox(1).await[0].text.contains("Tea & Co"));
    // A verification of the start page belongs to another site.
    let own = app.start_email("jo@example.com").await;
    assert!(!page(&app, &own).await.0.contains("Tea"));

    let text = text.replace("accent =", "logo = \"logo.svg\"\naccent =");
    std::fs::write(app.folder().join("latchkey.toml"), text).unwrap();
    let app = app.restart().await;
    let (pictured, _) = page(&app, &id).await;
    let logo = "src=\"data:image/svg+xml;base64,PHN2Zz48L3N2Zz4=\" alt=\"Tea &amp; Co\"";
    assert!(pictured.contains(logo), "{pictured}");
}
