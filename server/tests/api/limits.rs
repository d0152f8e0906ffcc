//! Limits across verifications.

use ::app::wire::Outcome;
use serde_json::json;

use crate::{
    app::{TestApp, wrong_by},
    back_ends::DEMO,
};

#[tokio::test(flavor = "multi_thread")]
async fn s5_guesses_at_a_recipient_add_up_over_verifications_spellings_and_restarts() {
    let mut app = TestApp::start().await;
    for (count, spelling) in (1..).zip(["jo@example.com", "JO@example.com", "jo@Example.COM"]) {
        let id = app.start_email(spelling).await;
        let code = app.code(count).await;
        assert_eq!(code.len(), 6);
        for (steps, attempts_left) in (1..).zip((0..5).rev()) {
            let outcome = app.outcome(&id, &wrong_by(steps, &code)).await;
            assert_eq!(outcome, Outcome::Incorrect { attempts_left });
        }
        assert_eq!(app.outcome(&id, &code).await, Outcome::TooManyAttempts);
    }
    app = app.restart().await;
    app.advance(700);
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

/// They share limits, and each person is still known by the address that they gave.
#[tokio::test(flavor = "multi_thread")]
async fn s18_addresses_of_one_mailbox_share_its_limits_and_keep_their_identity() {
    let app = TestApp::start().await;
    let demo = app.back_end(DEMO);
    let spellings = [
        "j.o+a@gmail.com",
        "jo@googlemail.com",
        "Jo+b@gmail.com",
        "jo+c@gmail.com",
        "jo@gmail.com",
    ];
    let mut path = String::new();
    for spelling in spellings {
        path = demo.create(spelling).await;
    }
    let sixth = demo.post("/v1/verifications", &json!({ "to": "j.o@gmail.com" })).await;
    assert_eq!(sixth.problem(), (429, "rate_limited"));
    assert_eq!(sixth.json["limit"], "recipient_sends");
    for other in ["jo@example.com", "jo.a@gmail.com", "j.o@example.com"] {
        demo.create(other).await;
    }

    let sent = app.inbox(8).await;
    let mut to: Vec<_> = sent.iter().map(|message| message.to.as_str()).collect();
    to.sort_unstable();
    assert!(spellings.iter().all(|spelling| to.contains(spelling)), "{to:?}");
    let code = &sent.iter().find(|message| message.to == "jo@gmail.com").unwrap().code;
    assert_eq!(code.len(), 8, "the risk of the codes before it counts as well");
    let checked = demo.check(&path, code).await;
    assert_eq!(checked.json["result"], "approved", "{}", checked.text);

    app.advance(3600);
    let begin = json!({"to": "J.o+shop@gmail.com", "return_url": "http://localhost:3001/return"});
    let tagged = demo.post("/v1/verifications", &begin).await;
    let code = app.code(9).await;
    let page = tagged.header("location").replace("/v1/verifications", "/v") + "/check";
    let page = app.post_form(&page, &[("code", &code)]).await.text().await.unwrap();
    let token = page.split_once("name=\"token\" value=\"").unwrap().1.split_once('"').unwrap().0;
    let redeemed = demo.post("/v1/tokens/redeem", &json!({ "token": token })).await;
    assert_eq!(redeemed.json["recipient"], "j.o+shop@gmail.com", "{}", redeemed.text);
    assert_eq!(redeemed.json["recipient_as_typed"], "J.o+shop@gmail.com");
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
        for steps in 1..=4 {
            let outcome = app.outcome(&id, &wrong_by(steps, &code)).await;
            assert!(matches!(outcome, Outcome::Incorrect { .. }));
        }
        assert_eq!(app.outcome(&id, &code).await, Outcome::Approved);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s34_a_longer_code_after_a_resend_ends_the_shorter_ones() {
    let app = TestApp::start_with(&[
        ("LATCHKEY_POLICY__RESEND_WAITS", "0"),
        ("LATCHKEY_LIMITS__RECIPIENT_SENDS_PER_10_MINUTES", "10"),
    ])
    .await;
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
async fn strangers_send_a_recipient_three_messages_in_ten_minutes() {
    let app = TestApp::start().await;
    for _ in 0..3 {
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

#[tokio::test(flavor = "multi_thread")]
async fn s34_guesses_spread_over_recipients_make_the_codes_of_the_site_longer() {
    let app = TestApp::start_with(&[
        ("LATCHKEY_LIMITS__CALLER_SENDS_PER_5_MINUTES", "1000"),
        ("LATCHKEY_LIMITS__CALLER_CHECKS_PER_MINUTE", "1000"),
        ("LATCHKEY_POLICY__SENDS", "1"),
        ("LATCHKEY_WORK__ENABLED", "false"),
    ])
    .await;
    let open = app.start_email("jo@example.com").await;
    let short = app.code(1).await;
    for number in 2..=61 {
        let id = app.start_email(&format!("victim{number}@example.com")).await;
        let code = app.code(number).await;
        for steps in 1..=5 {
            app.outcome(&id, &wrong_by(steps, &code)).await;
        }
    }
    // The code that was open ends, and another one is sent at once, though the policy allows one.
    assert_eq!(app.outcome(&open, &short).await, Outcome::Expired);
    let page = app.get(&format!("/v/{open}?e=expired")).await.text().await.unwrap();
    assert!(page.contains("This OTP has expired"), "{page}");
    assert_eq!(app.resend(&open).await.status(), 200);
    let long = app.code(62).await;
    assert_eq!(long.len(), 8);
    assert_eq!(app.outcome(&open, &long).await, Outcome::Approved);
    // New ones are long, after a restart too, and a day later short again.
    let app = app.restart().await;
    app.start_email("sam@example.com").await;
    assert_eq!(app.code(1).await.len(), 8);
    app.advance(24 * 3600 + 24 * 3600 / 20);
    app.start_email("kim@example.com").await;
    assert_eq!(app.code(2).await.len(), 6);
}
