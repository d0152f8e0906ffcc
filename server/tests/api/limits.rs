//! Limits across verifications.

use ::app::wire::Outcome;
use serde_json::json;

use crate::app::{TestApp, wrong};

#[tokio::test(flavor = "multi_thread")]
async fn s5_wrong_checks_of_a_recipient_add_up_over_verifications_spellings_and_restarts() {
    let mut app = TestApp::start_with(&[
        ("LATCHKEY_LIMITS__RECIPIENT_WRONG_CHECKS_PER_DAY", "7"),
        ("LATCHKEY_LIMITS__RECIPIENT_SENDS_PER_10_MINUTES", "100"),
    ])
    .await;
    let first = app.start_email("jo@example.com").await;
    let code = app.code(1).await;
    for attempts_left in (0..5).rev() {
        assert_eq!(app.outcome(&first, &wrong(&code)).await, Outcome::Incorrect { attempts_left });
    }
    app = app.restart().await;
    let second = app.start_email("JO@Example.COM").await;
    let code = app.code(1).await;
    for attempts_left in [4, 3] {
        assert_eq!(app.outcome(&second, &wrong(&code)).await, Outcome::Incorrect { attempts_left });
    }
    // Not even the right code passes now, or the limit would only slow a guesser down.
    let refused = app.call("check", json!([second, code, ""])).await;
    assert_eq!(refused.status(), 429);
    assert!(refused.headers().contains_key("retry-after"));
    assert!(refused.text().await.unwrap().starts_with("[\"limit-checks."));
    // Nobody else pays for it.
    let other = app.start_email("sam@example.com").await;
    let code = app.code(2).await;
    assert_eq!(app.outcome(&other, &code).await, Outcome::Approved);
}

#[tokio::test(flavor = "multi_thread")]
async fn s5_the_right_code_clears_the_wrong_checks() {
    let app =
        TestApp::start_with(&[("LATCHKEY_LIMITS__RECIPIENT_WRONG_CHECKS_PER_DAY", "5")]).await;
    for count in 1..=3 {
        let id = app.start_email("jo@example.com").await;
        let code = app.code(count).await;
        for _ in 0..4 {
            assert!(matches!(app.outcome(&id, &wrong(&code)).await, Outcome::Incorrect { .. }));
        }
        assert_eq!(app.outcome(&id, &code).await, Outcome::Approved);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipient_gets_five_messages_in_ten_minutes() {
    let app = TestApp::start().await;
    for _ in 0..5 {
        app.start_email("jo@example.com").await;
    }
    let refused = app.post_form("/", &[("channel", "email"), ("email", "jo@example.com")]).await;
    assert_eq!(refused.status(), 429);
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((570..=630).contains(&wait), "{wait}");
    assert!(refused.text().await.unwrap().contains("jo@example.com"), "what was typed is kept");
    app.start_email("sam@example.com").await;
    app.advance(wait);
    app.start_email("jo@example.com").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s17_one_address_asks_for_thirty_messages_in_five_minutes_whatever_it_claims() {
    let hosts = ("LATCHKEY_SERVER__DEVELOPMENT_HOSTS", "127.0.0.1");
    let app = TestApp::start_with(&[hosts]).await;
    for number in 0..30 {
        app.start_email(&format!("jo{number}@example.com")).await;
    }
    let refused = app
        .request(reqwest::Method::POST, "/")
        .header("x-forwarded-for", "192.0.2.1")
        .form(&[("channel", "email"), ("email", "other@example.com")])
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_checks_sixty_times_a_minute() {
    let app = TestApp::start().await;
    for _ in 0..60 {
        let unknown = json!(["A".repeat(32), "123456", ""]);
        assert_eq!(app.call("check", unknown).await.status(), 200);
    }
    let unknown = json!(["A".repeat(32), "123456", ""]);
    let refused = app.call("check", unknown).await;
    assert_eq!(refused.status(), 429);
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    app.advance(wait);
    let unknown = json!(["A".repeat(32), "123456", ""]);
    assert_eq!(app.call("check", unknown).await.status(), 200);
}
