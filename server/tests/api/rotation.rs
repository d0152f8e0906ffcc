//! Master secrets that are added and taken away, as `docs/CONFIGURATION.md` describes it.

use serde_json::json;

use crate::{
    app::TestApp,
    back_ends::{DEMO, Reply},
};

const SECRETS: &str = "LATCHKEY_KEYS__SECRETS";
const DAY: u64 = 24 * 3600;

/// A master secret.
fn secret(letter: char) -> String {
    letter.to_string().repeat(43)
}

impl TestApp {
    /// Spends the short codes of a recipient and the messages of a caller, and makes a request under
    /// an idempotency key. Gives the id that it was answered with.
    async fn spend(&self, key: &str) -> String {
        for _ in 0..3 {
            assert_eq!(self.code_length("jo@example.com").await, 6);
        }
        self.start_email("lee@example.com").await;
        self.create_once(key).await.json["id"].as_str().unwrap().to_owned()
    }

    /// Asserts that nothing that was spent is there again.
    async fn assert_spent(&self, key: &str, id: &str) {
        assert_eq!(self.code_length("Jo@example.com").await, 8);
        let form = [("channel", "email"), ("email", "kim@example.com")];
        assert_eq!(self.post_form("/", &form).await.status(), 429, "the caller's messages");
        let repeated = self.create_once(key).await;
        assert_eq!(repeated.json["id"], id);
        assert_eq!(repeated.header("idempotency-replayed"), "true");
    }

    /// Digits of a new code for a recipient.
    async fn code_length(&self, to: &str) -> u64 {
        let created = self.back_end(DEMO).post("/v1/verifications", &json!({ "to": to })).await;
        created.json["code_length"].as_u64().unwrap()
    }

    async fn create_once(&self, key: &str) -> Reply {
        let body = json!({ "to": "sam@example.com" });
        self.back_end(DEMO).repeatable(key, "/v1/verifications", &body).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s37_removing_or_adding_a_master_secret_refills_no_budget() {
    let (old, new) = (secret('A'), secret('B'));
    let app = TestApp::start_with(&[
        (SECRETS, &old),
        ("LATCHKEY_LIMITS__CALLER_SENDS_PER_5_MINUTES", "1"),
    ])
    .await;
    let first = app.spend("first").await;

    // A fresh one is put in front.
    let app = app.restart_with(SECRETS, &format!("{new},{old}")).await;
    app.assert_spent("first", &first).await;

    // A day later all budgets are open again by time, and are spent again.
    app.advance(DAY + DAY / 10);
    let second = app.spend("second").await;

    // The last one is taken away.
    let app = app.restart_with(SECRETS, &new).await;
    app.assert_spent("second", &second).await;
}
