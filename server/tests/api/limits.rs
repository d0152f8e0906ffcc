//! Limits across verifications.

use ::app::wire::Outcome;
use serde_json::json;

use crate::app::{TestApp, wrong};

#[tokio::test(flavor = "multi_thread")]
async fn s5_guesses_at_a_recipient_add_up_over_verifications_spellings_and_restarts() {
    let mut app = TestApp::start().await;
    for (count, spelling) in (1..).zip(["jo@example.com", "JO@example.com", "jo@Example.COM"]) {
        let id = app.start_email(spelling).await;
        let code = app.code(count).await;
        assert_eq!(code.len(), 6);
        for attempts_left in (0..5).rev() {
            let outcome = app.outcome(&id, &wrong(&code)).await;
            assert_eq!(outcome, Outcome::Incorrect { attempts_left });
        }
        assert_eq!(app.outcome(&id, &code).await, Outcome::TooManyAttempts);
    }
    app = app.restart().await;
    // Three times five guesses at six digits are all that one day has. The codes after them are a
    // hundred times harder to guess, and the right person is not locked out (S34).
    let id = app.start_email("jo@example.com").await;
    let code = app.code(1).await;
    assert_eq!(code.len(), 8);
    assert_eq!(app.view(&id).await.unwrap().code_length, 8);
    let six = json!([id, "123456", ""]);
    assert!(app.call("check", six).await.text().await.unwrap().contains("too-short"));
    assert_eq!(app.outcome(&id, &code).await, Outcome::Approved);
    // Nobody else pays for it.
    app.start_email("sam@example.com").await;
    assert_eq!(app.code(2).await.len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn s34_an_approval_gives_its_own_risk_back_and_no_other() {
    let app =
        TestApp::start_with(&[("LATCHKEY_LIMITS__RECIPIENT_SENDS_PER_10_MINUTES", "100")]).await;
    let lengths = async |count: usize| app.code(count).await.len();
    for count in [1, 2] {
        app.start_email("jo@example.com").await;
        assert_eq!(lengths(count).await, 6);
    }
    for count in 3..=6 {
        let id = app.start_email("jo@example.com").await;
        let code = app.code(count).await;
        assert_eq!(code.len(), 6);
        assert_eq!(app.outcome(&id, &code).await, Outcome::Approved);
    }
    app.start_email("jo@example.com").await;
    assert_eq!(lengths(7).await, 6);
    app.start_email("jo@example.com").await;
    assert_eq!(lengths(8).await, 8);
    app.advance(24 * 3600 + 24 * 3600 / 20);
    app.start_email("jo@example.com").await;
    assert_eq!(lengths(9).await, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn s34_guesses_that_were_made_before_an_approval_are_not_given_back() {
    let app = TestApp::start().await;
    for (count, length) in [(1, 6), (2, 6), (3, 6), (4, 8)] {
        let id = app.start_email("jo@example.com").await;
        let code = app.code(count).await;
        assert_eq!(code.len(), length);
        for _ in 0..4 {
            assert!(matches!(app.outcome(&id, &wrong(&code)).await, Outcome::Incorrect { .. }));
        }
        assert_eq!(app.outcome(&id, &code).await, Outcome::Approved);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s34_a_longer_code_after_a_resend_ends_the_shorter_ones() {
    let app = TestApp::start_with(&[("LATCHKEY_POLICY__RESEND_WAITS", "0")]).await;
    let id = app.start_email("jo@example.com").await;
    for _ in 0..2 {
        assert_eq!(app.resend(&id).await.status(), 200);
    }
    let short = app.code(3).await;
    assert_eq!(app.resend(&id).await.status(), 200);
    let long = app.code(4).await;
    assert_eq!((short.len(), long.len()), (6, 8));
    assert!(
        app.call("check", json!([id, short, ""])).await.text().await.unwrap().contains("too-short")
    );
    let page = app.get(&format!("/v/{id}")).await.text().await.unwrap();
    assert!(page.contains("8-digit"), "{page}");
    assert_eq!(app.outcome(&id, &long).await, Outcome::Approved);
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
    let app = TestApp::start_with(&[hosts, ("LATCHKEY_WORK__ENABLED", "false")]).await;
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
