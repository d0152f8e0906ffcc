//! Master secrets that are added and taken away, as `docs/CONFIGURATION.md` describes it.

use serde_json::json;

use crate::{
    app::{TestApp, wrong},
    back_ends::{DEMO, Reply},
};

const SECRETS: &str = "LATCHKEY_KEYS__SECRETS";
const DAY: u64 = 24 * 3600;

/// A master secret.
fn secret(letter: char) -> String {
    letter.to_string().repeat(43)
}

impl TestApp {
    /// Spends the wrong checks of a recipient and the messages of a caller, and makes a request under
    /// an idempotency key. Gives the id that it was answered with.
    async fn spend(&self, key: &str) -> String {
        let shop = self.back_end(DEMO);
        let path = shop.create("jo@example.com").await;
        let code = self.code(1).await;
        for _ in 0..3 {
            assert_eq!(shop.check(&path, &wrong(&code)).await.json["result"], "incorrect");
        }
        self.start_email("lee@example.com").await;
        self.create_once(key).await.json["id"].as_str().unwrap().to_owned()
    }

    /// Asserts that nothing that was spent is there again.
    async fn assert_spent(&self, key: &str, id: &str) {
        let again = json!({ "to": "Jo@example.com" });
        let refused = self.back_end(DEMO).post("/v1/verifications", &again).await;
        assert_eq!(refused.problem(), (429, "rate_limited"));
        assert_eq!(refused.json["limit"], "recipient_checks");
        let form = [("channel", "email"), ("email", "kim@example.com")];
        assert_eq!(self.post_form("/", &form).await.status(), 429, "the caller's messages");
        let repeated = self.create_once(key).await;
        assert_eq!(repeated.json["id"], id);
        assert_eq!(repeated.header("idempotency-replayed"), "true");
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
        ("LATCHKEY_LIMITS__RECIPIENT_WRONG_CHECKS_PER_DAY", "3"),
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
