//! A code is accepted once, whoever asks how often at the same time.

use ::app::wire::{Outcome, State};

use otp::CodeProblem;

use crate::app::{TestApp, wrong, wrong_by};

#[tokio::test(flavor = "multi_thread")]
async fn a_code_sent_by_e_mail_is_verified_once() {
    let app = TestApp::start().await;
    let id = app.start_email("jo@example.com").await;
    let code = app.code(1).await;
    assert_eq!(app.outcome(&id, &wrong(&code)).await, Outcome::Incorrect { attempts_left: 4 });
    assert_eq!(app.outcome(&id, &code).await, Outcome::Approved);
    assert_eq!(app.outcome(&id, &code).await, Outcome::AlreadyUsed);
    assert_eq!(app.view(&id).await.unwrap().state, State::Approved);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_sent_to_a_national_phone_number_is_verified() {
    let app = TestApp::start().await;
    let id = app.start_sms("07400 123456").await;
    let message = &app.inbox(1).await[0];
    assert_eq!(message.to, "+447400123456");
    assert_eq!(app.outcome(&id, &message.code).await, Outcome::Approved);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_code_has_as_many_digits_as_were_configured() {
    // A code of four digits takes more than the usual risk of a day.
    for (length, risk) in [("4", "0.001"), ("5", "0.0001"), ("10", "0.00002")] {
        let app = TestApp::start_with(&[
            ("LATCHKEY_POLICY__CODE_LENGTH", length),
            ("LATCHKEY_POLICY__DAILY_RISK", risk),
        ])
        .await;
        let id = app.start_email("jo@example.com").await;
        let code = app.code(1).await;
        assert_eq!(code.len().to_string(), length);
        let expected = length.parse().unwrap();
        let malformed = |problem| Outcome::Malformed { expected, problem };
        assert_eq!(app.outcome(&id, "123").await, malformed(CodeProblem::TooShort));
        assert_eq!(app.outcome(&id, "12345678901").await, malformed(CodeProblem::TooLong));
        assert_eq!(app.outcome(&id, "abcdef").await, malformed(CodeProblem::NotDigits));
        assert_eq!(app.view(&id).await.unwrap().attempts_left, 5);
        assert_eq!(app.outcome(&id, &code).await, Outcome::Approved);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s3_of_200_parallel_right_checks_exactly_one_is_approved() {
    let app = lenient().await;
    let id = app.start_email("jo@example.com").await;
    let code = app.code(1).await;
    let outcomes = in_parallel(&app, &id, &code).await;
    let count = |wanted| outcomes.iter().filter(|outcome| **outcome == wanted).count();
    assert_eq!((count(Outcome::Approved), count(Outcome::AlreadyUsed)), (1, 199));
    let app = app.restart().await;
    assert_eq!(app.outcome(&id, &code).await, Outcome::AlreadyUsed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s4_of_200_parallel_wrong_checks_five_are_compared() {
    let app = lenient().await;
    let id = app.start_email("jo@example.com").await;
    let code = app.code(1).await;
    let guesses: Vec<_> = (1..=200).map(|steps| wrong_by(steps, &code)).collect();
    let checks = guesses.iter().map(|guess| app.outcome(&id, guess));
    let outcomes = futures_util::future::join_all(checks).await;
    let incorrect =
        outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Incorrect { .. })).count();
    let too_many = outcomes.iter().filter(|outcome| **outcome == Outcome::TooManyAttempts).count();
    assert_eq!((incorrect, too_many), (5, 195));
    assert_eq!(app.outcome(&id, &code).await, Outcome::TooManyAttempts);
    let app = app.restart().await;
    assert_eq!(app.outcome(&id, &code).await, Outcome::TooManyAttempts);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s4_the_same_wrong_code_200_times_costs_one_attempt_and_the_page_says_so() {
    let app = lenient().await;
    let id = app.start_email("jo@example.com").await;
    let code = app.code(1).await;
    let outcomes = in_parallel(&app, &id, &wrong(&code)).await;
    let count = |outcome: Outcome| outcomes.iter().filter(|found| **found == outcome).count();
    assert_eq!(count(Outcome::Incorrect { attempts_left: 4 }), 1);
    assert_eq!(count(Outcome::AlreadyTried { attempts_left: 4 }), 199);
    let check = app.post_form(&format!("/v/{id}/check"), &[("code", &wrong(&code))]).await;
    let location = check.headers()["location"].to_str().unwrap().to_owned();
    let page = app.get(&location).await.text().await.unwrap();
    assert!(page.contains("You have tried this code already"), "{page}");
    assert_eq!(app.outcome(&id, &code).await, Outcome::Approved);
}

#[tokio::test(flavor = "multi_thread")]
async fn s2_a_code_is_accepted_until_its_time_and_not_at_it() {
    let app = TestApp::start().await;
    let (first, second) =
        (app.start_email("a@example.com").await, app.start_email("b@example.com").await);
    let messages = app.inbox(2).await;
    let code = |to: &str| messages.iter().find(|message| message.to == to).unwrap().code.clone();
    app.advance(299);
    assert_eq!(app.outcome(&first, &code("a@example.com")).await, Outcome::Approved);
    app.advance(1);
    assert_eq!(app.outcome(&second, &code("b@example.com")).await, Outcome::Expired);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resend_leaves_the_code_before_it_valid() {
    let app = TestApp::start().await;
    let id = app.start_email("jo@example.com").await;
    let first = app.code(1).await;
    let early = app.resend(&id).await;
    assert_eq!(
        (early.status().as_u16(), &early.headers()["retry-after"]),
        (429, &"30".parse().unwrap())
    );
    app.advance(30);
    assert_eq!(app.resend(&id).await.status(), 200);
    assert_ne!(app.code(2).await, first);
    assert_eq!(app.outcome(&id, &first).await, Outcome::Approved);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_before_a_restart_verifies_after_it() {
    let app = TestApp::start().await;
    let id = app.start_email("jo@example.com").await;
    let code = app.code(1).await;
    app.outcome(&id, &wrong(&code)).await;
    let app = app.restart().await;
    assert_eq!(app.view(&id).await.unwrap().attempts_left, 4);
    assert_eq!(app.outcome(&id, &code).await, Outcome::Approved);
}

/// A server whose caller may check as often as it likes, as many addresses together could.
async fn lenient() -> TestApp {
    TestApp::start_with(&[("LATCHKEY_LIMITS__CALLER_CHECKS_PER_MINUTE", "1000")]).await
}

async fn in_parallel(app: &TestApp, id: &str, guess: &str) -> Vec<Outcome> {
    let checks = (0..200).map(|_| app.outcome(id, guess));
    futures_util::future::join_all(checks).await
}
