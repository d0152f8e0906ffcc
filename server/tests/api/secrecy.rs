//! Secrets that no answer, page or log may hold.

use std::{
    io::Write,
    sync::{Arc, Mutex, OnceLock},
};

use ::app::wire::Outcome;
use reqwest::{Method, Response};
use serde_json::json;

use crate::{
    app::{TestApp, wrong},
    back_ends::DEMO,
};

/// Everything that was logged by any test of this program, at the most talkative level.
static LOG: OnceLock<Arc<Mutex<Vec<u8>>>> = OnceLock::new();

struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn log() -> &'static Arc<Mutex<Vec<u8>>> {
    LOG.get_or_init(|| {
        let log = Arc::new(Mutex::new(Vec::new()));
        let sink = log.clone();
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || Sink(sink.clone()))
            .init();
        log
    })
}

fn contains(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

/// Headers and body of an answer in one text.
async fn whole(response: Response) -> String {
    let headers = format!("{:?}", response.headers());
    headers + &response.text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn s8_code_key_and_recipient_appear_in_no_log_answer_or_file() {
    let log = log();
    let app = TestApp::start().await;
    let address = "s8.whole.recipient@example.com";
    let id = app.start_email(address).await;
    let code = app.code(1).await;
    let mut answers = Vec::new();
    for path in [format!("/v/{id}"), format!("/v/{id}?e=incorrect"), "/".into(), "/nowhere".into()]
    {
        answers.push(whole(app.get(&path).await).await);
    }
    let wrong = wrong(&code);
    for guess in [wrong.as_str(), "12", "abc", &code, &code] {
        let arguments = json!([id, guess, ""]);
        answers.push(whole(app.call("check", arguments).await).await);
        answers
            .push(whole(app.post_form(&format!("/v/{id}/check"), &[("code", guess)]).await).await);
    }
    answers.push(whole(app.call("view", json!([id])).await).await);
    answers.push(whole(app.resend(&id).await).await);
    for answer in &answers {
        assert!(!answer.contains(&code), "the code is in an answer: {answer}");
        assert!(!answer.contains(address), "the recipient is in an answer: {answer}");
    }

    let key = std::fs::read_to_string(app.folder().join("data/latchkey.keys")).unwrap();
    let key = key.lines().last().unwrap().to_owned();
    for (name, file) in app.stored() {
        // Digits of a code could stand in a time or a digest by chance; these are its neighbours.
        for needle in [format!("\"code\":\"{code}\""), format!("\"{code}\"")] {
            assert!(!contains(&file, &needle), "the code is in {name}");
        }
        if name != "latchkey.keys" {
            assert!(!contains(&file, &key), "the key is in {name}");
        }
    }
    app.restart().await;
    let log = log.lock().unwrap().clone();
    assert!(contains(&log, "TRACE") && contains(&log, "/ui/check"), "the log is listened to");
    for (what, needle) in [("recipient", address), ("key", key.as_str()), ("id", id.as_str())] {
        assert!(!contains(&log, needle), "the {what} is in the log");
    }
    let text = String::from_utf8_lossy(&log);
    let told = text.lines().find(|line| has_number(line, &code));
    assert_eq!(told, None, "the code is in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn s8_a_result_token_is_in_no_log() {
    let log = log();
    let app = TestApp::start().await;
    let shop = app.back_end(DEMO);
    let (address, back) = ("s8.of.a.token@example.com", "http://localhost:3001/return");
    let created = shop.post("/v1/verifications", &json!({"to": address, "return_url": back})).await;
    let code = app.code(1).await;
    let path = created.header("location").replace("/v1/verifications", "/v") + "/check";
    let page = app.post_form(&path, &[("code", &code)]).await.text().await.unwrap();
    let token = page.split_once("name=\"token\" value=\"").unwrap().1.split_once('"').unwrap().0;
    let redeemed = shop.post("/v1/tokens/redeem", &json!({ "token": token })).await;
    assert_eq!(redeemed.json["recipient"], address);
    app.restart().await;

    let log = log.lock().unwrap().clone();
    assert!(contains(&log, "/v1/tokens/redeem"), "the log is listened to");
    let signature = token.rsplit_once('.').unwrap().1;
    for needle in [token, signature, address] {
        assert!(!contains(&log, needle), "{needle} is in the log");
    }
}

/// S31: a claim is as good as the proof, so it is as secret.
#[tokio::test(flavor = "multi_thread")]
async fn s8_a_claim_is_in_no_log_url_or_file() {
    let log = log();
    let app = TestApp::start().await;
    let id = app.start_email("s8.of.a.claim@example.com").await;
    let code = app.code(1).await;
    let page = app.get(&format!("/v/{id}")).await.text().await.unwrap();
    let claim = page.split_once("name=\"claim\" value=\"").unwrap().1.split_once('"').unwrap().0;
    for guess in [&wrong(&code), &code, ""] {
        let form = [("code", guess), ("claim", claim)];
        let posted = whole(app.post_form(&format!("/v/{id}/check"), &form).await).await;
        let called = whole(app.call("check", json!([id, guess, claim])).await).await;
        assert!(!posted.contains(claim) && !called.contains(claim), "{posted} {called}");
    }
    assert_eq!(app.view(&id).await.unwrap().state, ::app::wire::State::Approved);
    for (name, file) in app.stored() {
        assert!(!contains(&file, claim), "the claim is in {name}");
    }
    app.restart().await;
    let log = log.lock().unwrap().clone();
    assert!(contains(&log, "/v/{id}/check"), "the log is listened to");
    assert!(!contains(&log, claim), "the claim is in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn s8_what_a_back_end_sends_appears_in_no_log_and_in_no_refusal() {
    let log = log();
    let app = TestApp::start().await;
    let shop = app.back_end(DEMO);
    let (address, token) = ("s8.of.a.back.end@example.com", "s8eyJ0b2tlbg.s8eyJ0b2tlbg.s8c2ln");
    let body = json!({"to": address, "state": "s8-state", "metadata": {"s8-name": "s8-text"}});
    let created = shop.repeatable("s8-request", "/v1/verifications", &body).await;
    let path = created.header("location");
    let code = app.code(1).await;
    let answers = [
        shop.check(path, &wrong(&code)).await,
        shop.check(path, &code).await,
        shop.get(path).await,
        shop.delete(path).await,
        shop.post("/v1/tokens/redeem", &json!({"token": token})).await,
        shop.post("/v1/verifications", &json!({"to": address, "channel": "sms"})).await,
        shop.post("/v1/verifications", &json!({"to": address, "locale": address})).await,
        shop.post("/v1/verifications", &json!({"to": {"email": address}})).await,
        app.back_end("lk_sec_s8_guessed").get(path).await,
        created.clone(),
    ];
    for answer in &answers {
        let whole = format!("{:?} {}", answer.headers, answer.text);
        for needle in [address, token, "lk_sec_", "s8-request"] {
            assert!(!whole.contains(needle), "{needle} is in an answer: {whole}");
        }
    }
    let id = path.rsplit('/').next().unwrap().to_owned();
    app.restart().await;
    let log = log.lock().unwrap().clone();
    assert!(contains(&log, "/v1/verifications/{id}/checks"), "the log is listened to");
    for needle in [address, token, &id, "lk_sec_", "s8-state", "s8-name", "s8-text", "s8-request"] {
        assert!(!contains(&log, needle), "{needle} is in the log");
    }
    let text = String::from_utf8_lossy(&log);
    assert_eq!(text.lines().find(|line| has_number(line, &code)), None, "the code is in the log");
}

/// Whether the digits stand in a line by themselves, not inside a longer number or a digest.
fn has_number(line: &str, digits: &str) -> bool {
    line.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == digits)
}

#[tokio::test(flavor = "multi_thread")]
async fn s9_an_unknown_an_expired_and_an_impossible_id_answer_alike() {
    let app = TestApp::start().await;
    let expired = app.start_email("jo@example.com").await;
    let code = app.code(1).await;
    app.advance(900);
    let unknown = "A".repeat(32);
    let mut answers = Vec::new();
    for id in [expired.as_str(), &unknown, "not-an-id"] {
        let check = app.call("check", json!([id, code, ""])).await;
        let view = app.call("view", json!([id])).await;
        let resend = app.call("resend", json!([id, "0"])).await;
        let form = app.post_form(&format!("/v/{id}/check"), &[("code", &code)]).await;
        let page = app.get(&format!("/v/{id}")).await;
        let mut answer = Vec::new();
        for response in [check, view, resend, form, page] {
            let status = response.status();
            let location = response.headers().get("location").cloned();
            let location = location.map(|value| value.to_str().unwrap().replace(id, "ID"));
            let body = response.text().await.unwrap().replace(id, "ID");
            answer.push((status, location, without_nonce(&body)));
        }
        answers.push(answer);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
    assert_eq!(app.outcome(&unknown, &code).await, Outcome::Expired);
}

/// Pages differ in their nonces alone.
pub(crate) fn without_nonce(page: &str) -> String {
    let mut parts = page.split("nonce=\"");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |page, part| page + part.split_once('"').map_or(part, |(_nonce, rest)| rest))
}

#[tokio::test(flavor = "multi_thread")]
async fn s11_nothing_acts_on_get_or_head() {
    let app = TestApp::start().await;
    let id = app.start_email("jo@example.com").await;
    let code = app.code(1).await;
    let before = app.delivered(&id).await;
    for _ in 0..10 {
        for method in [Method::GET, Method::HEAD] {
            for path in ["", "/check", "/resend", "/cancel"] {
                let path = format!("/v/{id}{path}?code={code}");
                app.bare_request(method.clone(), &path).send().await.unwrap();
            }
            for path in ["/ui/check", "/ui/resend", "/?channel=email&email=jo@example.com"] {
                app.bare_request(method.clone(), path).send().await.unwrap();
            }
        }
    }
    assert_eq!(app.view(&id).await.unwrap(), before);
    assert_eq!(app.inbox(1).await.len(), 1);
    assert_eq!(app.outcome(&id, &code).await, Outcome::Approved);
}
