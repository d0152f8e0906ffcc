//! Texts: ceilings and the conversion guard, over the whole server.

use ::app::wire::Outcome;
use serde_json::{Value, json};

use crate::{
    app::TestApp,
    back_ends::{DEMO, Reply},
};

/// A British mobile number, of one prefix.
fn number(index: usize) -> String {
    format!("+4474001{index:05}")
}

impl TestApp {
    async fn begin_by_text(&self, to: &str) -> Reply {
        self.back_end(DEMO).post("/v1/verifications", &json!({ "to": to })).await
    }
}

fn limit(reply: &Reply) -> (u16, &str, Option<&Value>) {
    let (status, code) = reply.problem();
    (status, code, reply.json.get("limit"))
}

#[tokio::test(flavor = "multi_thread")]
async fn s33_a_destination_closes_when_too_many_verifications_stay_without_approval() {
    let app = TestApp::start_with(&[("LATCHKEY_SMS__GUARD_LEARNING", "0")]).await;
    let mut ids = Vec::new();
    for index in 0..10 {
        ids.push(app.begin_by_text(&number(index)).await.json["id"].as_str().unwrap().to_owned());
    }
    let code = app.code(10).await;
    let refused = app.begin_by_text(&number(10)).await;
    assert_eq!(limit(&refused), (429, "destination_blocked", None));
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((3000..=3800).contains(&wait), "{wait}");
    let form = [("channel", "sms"), ("phone", &*number(10)), ("country", "GB")];
    let page = app.post_form("/", &form).await;
    assert_eq!(page.status(), 429);
    let page = page.text().await.unwrap();
    assert!(page.contains("No text can be sent to this number for the moment."), "{page}");
    assert!(page.contains("Or choose e-mail."), "{page}");
    assert!(page.contains(&number(10)), "what was typed is kept");

    // Mail goes on, another country does, and those who have begun verify and get another code.
    app.start_email("jo@example.com").await;
    assert_eq!(app.begin_by_text("+33612345678").await.status, 201);
    app.advance(30);
    assert_eq!(app.resend(&ids[0]).await.status(), 200);

    // It stays closed over a restart, and an approval opens it for one more.
    let app = app.restart().await;
    assert_eq!(app.begin_by_text(&number(10)).await.status, 429);
    assert_eq!(app.outcome(&ids[9], &code).await, Outcome::Approved);
    assert_eq!(app.begin_by_text(&number(10)).await.status, 201);
    assert_eq!(app.begin_by_text(&number(11)).await.status, 429);
    app.advance(3800);
    assert_eq!(app.begin_by_text(&number(11)).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn s33_people_who_were_approved_lately_pass_a_closed_destination_and_no_ceiling() {
    let learning = ("LATCHKEY_SMS__GUARD_LEARNING", "0");
    let app = TestApp::start_with(&[learning, ("LATCHKEY_SMS__PREFIX_TEXTS_PER_DAY", "12")]).await;
    let known = number(0);
    let id = app.start_sms(&known).await;
    let code = app.code(1).await;
    assert_eq!(app.outcome(&id, &code).await, Outcome::Approved);
    for index in 1..=10 {
        assert_eq!(app.begin_by_text(&number(index)).await.status, 201);
    }
    assert_eq!(limit(&app.begin_by_text(&number(11)).await), (429, "destination_blocked", None));

    // For everybody who asks for it, and over a restart.
    let app = app.restart().await;
    assert_eq!(app.begin_by_text(&known).await.status, 201);
    let refused = app.begin_by_text(&known).await;
    assert_eq!(limit(&refused), (429, "rate_limited", Some(&json!("texts"))));
    assert_eq!(app.begin_by_text("+33612345678").await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn s33_the_texts_to_a_prefix_have_a_ceiling_and_mail_has_none() {
    let app = TestApp::start_with(&[("LATCHKEY_SMS__PREFIX_TEXTS_PER_HOUR", "3")]).await;
    for index in 0..3 {
        assert_eq!(app.begin_by_text(&number(index)).await.status, 201);
    }
    let refused = app.begin_by_text(&number(3)).await;
    assert_eq!(limit(&refused), (429, "rate_limited", Some(&json!("texts"))));
    assert_eq!(app.begin_by_text("+447911123456").await.status, 201, "another prefix");
    app.start_email("jo@example.com").await;
    // A refused text counts for nobody.
    app.advance(3800);
    assert_eq!(app.begin_by_text(&number(3)).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn s33_a_day_of_texts_costs_no_more_than_the_cap() {
    let file = "[prices]\nGB = \"0.04\"\n\"*\" = \"0.5\"\n[limits]\ndaily_cap = \"1\"\n";
    let app = TestApp::start().await;
    std::fs::write(app.folder().join("latchkey.toml"), file).unwrap();
    let app = app.restart().await;
    let mut sent = 0;
    for index in 0..30 {
        sent += usize::from(app.begin_by_text(&number(index)).await.status == 201);
    }
    assert_eq!(sent, 25);
    assert_eq!(app.begin_by_text("+33612345678").await.status, 429);
    app.start_email("jo@example.com").await;
}
