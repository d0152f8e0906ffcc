//! S26: the database is away, and then is back.

use app::wire::{Outcome, State};
use futures_util::future::join_all;
use reqwest::{RequestBuilder, Response, StatusCode};
use rusqlite::Connection;
use serde_json::json;

use crate::{
    SOON,
    browser::Browser,
    installation::{Installation, Program},
    postbox::Postbox,
};

#[tokio::test(flavor = "multi_thread")]
async fn s26_while_the_database_is_held_everything_that_changes_it_is_refused_for_a_moment() {
    let postbox = Postbox::open().await;
    let installation = Installation::mailing(&postbox);
    let program = installation.start();
    let verification = Verification::started(&program, &postbox).await;

    for hold in ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"] {
        let other = Connection::open(installation.database()).unwrap();
        other.execute_batch(hold).unwrap();
        verification.is_refused_for_a_moment().await;
        other.execute_batch("ROLLBACK").unwrap();
        program.browser().becomes_ready().await;
        verification.is_as_it_was().await;
    }
    verification.is_approved(&postbox).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s26_while_the_disk_is_full_nothing_is_approved_and_afterwards_it_goes_on() {
    let postbox = Postbox::open().await;
    let installation = Installation::mailing(&postbox).with("LATCHKEY_POLICY__RESEND_WAITS", "0");
    let program = installation.start();
    let verification = Verification::started(&program, &postbox).await;

    program.limit_files(Some(1));
    verification.is_refused_for_a_moment().await;
    program.limit_files(None);
    program.browser().becomes_ready().await;
    verification.is_as_it_was().await;
    verification.is_approved(&postbox).await;
}

/// One verification, with its code delivered.
struct Verification {
    browser: Browser,
    id: String,
    code: String,
}

impl Verification {
    async fn started(program: &Program, postbox: &Postbox) -> Self {
        let browser = program.browser();
        let id = browser.start("jo@example.com").await.unwrap();
        let code = postbox.codes("jo@example.com", 1).await.remove(0);
        Self { browser, id, code }
    }

    /// Everything that would change something is answered with 503 and when to try again: nobody is
    /// approved, and nobody hangs.
    async fn is_refused_for_a_moment(&self) {
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
            browser.call("check", &json!([id, wrong])),
            browser.call("check", &json!([id, code])),
            browser.call("resend", &json!([id, "0"])),
        ];
        let answers = join_all(requests.map(RequestBuilder::send)).await;
        for (number, answer) in answers.into_iter().enumerate() {
            assert_refused(number, &answer.unwrap());
        }
        // A second is the promise; a machine that is busy with other tests is forgiven.
        assert!(begun.elapsed() < SOON / 4, "{:?}", begun.elapsed());
        assert!(!browser.is_ready().await.unwrap());
        assert_eq!(browser.view(id).await.unwrap().expect("it can be read").state, State::Pending);
    }

    async fn is_as_it_was(&self) {
        let view = self.browser.view(&self.id).await.unwrap().unwrap();
        let counts = (view.attempts_left, view.delivery.number);
        assert_eq!((view.state, counts), (State::Pending, (5, 1)), "{view:?}");
    }

    async fn is_approved(&self, postbox: &Postbox) {
        assert_eq!(self.browser.check(&self.id, &self.code).await.unwrap(), Outcome::Approved);
        let sam = self.browser.start("sam@example.com").await.unwrap();
        let code = &postbox.codes("sam@example.com", 1).await[0];
        assert_eq!(self.browser.check(&sam, code).await.unwrap(), Outcome::Approved);
    }
}

fn assert_refused(number: usize, answer: &Response) {
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "request {number}");
    let seconds: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "request {number}: {seconds}");
}
