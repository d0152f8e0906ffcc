//! S26: the database is unavailable for a while. S39: it is gone.

use std::time::Duration;

use app::wire::{Outcome, State};
use futures_util::future::join_all;
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::json;

use crate::{
    browser::Browser,
    installation::{Installation, Program},
    mail_sink::MailSink,
};

#[tokio::test(flavor = "multi_thread")]
async fn s26_while_the_database_is_locked_changes_are_refused_within_a_second() {
    let mail = MailSink::open().await;
    let installation = Installation::mailing(&mail);
    let program = installation.start();
    let verification = Verification::started(&program, &mail).await;

    for lock in ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"] {
        let lock = installation.lock(lock).await;
        verification.is_refused_within_a_second().await;
        lock.release().await;
        program.browser().becomes_ready().await;
        verification.is_as_it_was().await;
    }
    verification.is_approved(&mail).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s26_while_the_disk_is_full_changes_are_refused_within_a_second() {
    let mail = MailSink::open().await;
    let installation = Installation::mailing(&mail).on_a_file();
    let installation = installation.with("LATCHKEY_POLICY__RESEND_WAITS", "0");
    let program = installation.start();
    let verification = Verification::started(&program, &mail).await;

    program.limit_files(Some(1));
    verification.is_refused_within_a_second().await;
    program.limit_files(None);
    program.browser().becomes_ready().await;
    verification.is_as_it_was().await;
    verification.is_approved(&mail).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s39_a_database_that_is_removed_under_the_server_is_noticed() {
    let mail = MailSink::open().await;
    let installation = Installation::mailing(&mail).on_a_file();
    let program = installation.start();
    let verification = Verification::started(&program, &mail).await;

    std::fs::remove_dir_all(installation.database().parent().unwrap()).unwrap();
    verification.is_refused_within_a_second().await;
    assert!(installation.log().contains("latchkey.db was removed or replaced"));
}

/// Longest wait for a refusal: a second is promised, and the rest is for the requests themselves.
const LONGEST: Duration = Duration::from_millis(1500);
/// A machine that is busy with other tests may delay a round, so the fastest of a few counts.
const ROUNDS: usize = 3;

/// A verification whose code was delivered.
struct Verification {
    browser: Browser,
    id: String,
    code: String,
}

impl Verification {
    async fn started(program: &Program, mail: &MailSink) -> Self {
        let browser = program.browser();
        let id = browser.start("jo@example.com").await.unwrap();
        let code = mail.codes("jo@example.com", 1).await.remove(0);
        Self { browser, id, code }
    }

    /// All changes are answered with 503 and `Retry-After` within a second, and reads still work.
    async fn is_refused_within_a_second(&self) {
        let Self { browser, id, .. } = self;
        let mut durations = Vec::new();
        while durations.iter().all(|duration| *duration > LONGEST) {
            assert!(durations.len() < ROUNDS, "every round took too long: {durations:?}");
            durations.push(self.changes_are_refused().await);
        }
        // The result of a check is given again for a second.
        browser.becomes_unready().await;
        assert_eq!(browser.view(id).await.unwrap().expect("it can be read").state, State::Pending);
    }

    /// Sends all requests that change something at once; returns how long the slowest refusal took.
    async fn changes_are_refused(&self) -> Duration {
        let Self { browser, id, code } = self;
        let wrong = if code == "000000" { "111111" } else { "000000" };
        let path = |verb| format!("/v/{id}/{verb}");
        let (check, resend, cancel) = (path("check"), path("resend"), path("cancel"));
        let begun = tokio::time::Instant::now();
        let sam = [("channel", "email"), ("email", "sam@example.com")];
        let requests = [
            browser.form("/", &sam),
            browser.form(&check, &[("code", wrong)]),
            browser.form(&check, &[("code", code)]),
            browser.form(&resend, &[]),
            browser.form(&cancel, &[]),
            browser.call("check", &json!([id, wrong, ""])),
            browser.call("check", &json!([id, code, ""])),
            browser.call("resend", &json!([id, "0"])),
        ];
        let answers = join_all(requests.map(RequestBuilder::send)).await;
        let elapsed = begun.elapsed();
        for (number, answer) in answers.into_iter().enumerate() {
            assert_refused(number, &answer.unwrap());
        }
        elapsed
    }

    async fn is_as_it_was(&self) {
        let view = self.browser.view(&self.id).await.unwrap().unwrap();
        let counts = (view.attempts_left, view.delivery.number);
        assert_eq!((view.state, counts), (State::Pending, (5, 1)), "{view:?}");
    }

    async fn is_approved(&self, mail: &MailSink) {
        assert_eq!(self.browser.check(&self.id, &self.code).await.unwrap(), Outcome::Approved);
        let sam = self.browser.start("sam@example.com").await.unwrap();
        let code = &mail.codes("sam@example.com", 1).await[0];
        assert_eq!(self.browser.check(&sam, code).await.unwrap(), Outcome::Approved);
    }
}

fn assert_refused(number: usize, answer: &Response) {
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "request {number}");
    let seconds: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "request {number}: {seconds}");
}
