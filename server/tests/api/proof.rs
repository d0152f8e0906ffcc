//! S31: the proof reaches only the client whose check was approved.
//!
//! Each test plays with plain requests, as a browser without script would, at both doors: the hosted
//! page and the page in a frame.

use reqwest::{Method, Response, StatusCode};
use serde_json::json;

use crate::{
    app::{TestApp, wrong},
    back_ends::{DEMO, Reply},
};

const SHOP: &str = "http://localhost:3001/return";
const FRAME: &str = "site_key=lk_pub_demo&origin=http://localhost:3001&state=s1";

/// A verification that leads on, behind its door.
struct Door {
    id: String,
    page: String,
    check: String,
}

impl Door {
    fn hosted(id: &str) -> Self {
        Self { id: id.to_owned(), page: format!("/v/{id}"), check: format!("/v/{id}/check") }
    }

    fn framed(id: &str) -> Self {
        let path = format!("/embed/v/{id}");
        let (page, check) = (format!("{path}?{FRAME}"), format!("{path}/check?{FRAME}"));
        Self { id: id.to_owned(), page, check }
    }
}

/// Begins a verification at each door; gives it with its code.
async fn both(app: &TestApp) -> [(Door, String); 2] {
    let request = json!({ "to": "jo@example.com", "return_url": SHOP, "state": "s1" });
    let created = app.back_end(DEMO).post("/v1/verifications", &request).await;
    let hosted = Door::hosted(created.json["id"].as_str().unwrap());
    let hosted = (hosted, app.code(1).await);
    let begun = [("channel", "email"), ("email", "jan@example.com")];
    let begun = app.post_form(&format!("/embed?{FRAME}"), &begun).await;
    let location = begun.headers()["location"].to_str().unwrap();
    let id = location.strip_prefix("/embed/v/").unwrap().split('?').next().unwrap();
    [hosted, (Door::framed(id), app.code(2).await)]
}

/// One client: it knows the address, and the claim of the page that it was given.
struct Client<'a> {
    app: &'a TestApp,
    claim: String,
}

impl<'a> Client<'a> {
    /// Opens the page.
    async fn open(app: &'a TestApp, door: &Door) -> Self {
        let page = app.get(&door.page).await.text().await.unwrap();
        let claim = between(&page, "name=\"claim\" value=\"", "\"").unwrap_or_default();
        Self { app, claim }
    }

    async fn check(&self, door: &Door, code: &str) -> Response {
        let mut form = vec![("code", code)];
        if !self.claim.is_empty() {
            form.push(("claim", &self.claim));
        }
        self.app.post_form(&door.check, &form).await
    }

    /// The token in the answer to a check that is expected to have one.
    async fn proof(&self, door: &Door, code: &str) -> String {
        let answer = self.check(door, code).await;
        assert_eq!(answer.status(), StatusCode::OK, "no redirect");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        let page = answer.text().await.unwrap();
        token(&page).unwrap_or_else(|| panic!("no token in {page}"))
    }
}

fn between(text: &str, before: &str, after: &str) -> Option<String> {
    Some(text.split_once(before)?.1.split_once(after)?.0.to_owned())
}

/// The token in the form of the hosted page, or for the page around a frame.
fn token(page: &str) -> Option<String> {
    let hosted = between(page, "name=\"token\" value=\"", "\"");
    hosted.or_else(|| between(page, "data-token=\"", "\""))
}

/// Whether a JWT stands anywhere in `text`. Three letters would not do: a nonce may begin with them.
fn holds_a_token(text: &str) -> bool {
    text.contains("eyJ0eXAi") || text.contains("eyJhbGci")
}

/// An answer that follows redirects, of which no part may hold a proof.
async fn proves_nothing(app: &TestApp, door: &Door, answer: Response) {
    let mut answer = answer;
    if answer.status() == StatusCode::SEE_OTHER {
        let location = answer.headers()["location"].to_str().unwrap().to_owned();
        answer = app.get(&location).await;
    }
    assert_eq!(answer.status(), StatusCode::OK);
    let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    let page = answer.text().await.unwrap();
    assert_eq!(token(&page), None, "{page}");
    assert!(!holds_a_token(&page) && !page.contains("way-back"), "{page}");
    assert!(!page.contains("data-page-state"), "{page}");
    assert!(page.contains("Go on where you typed the code"), "{page}");
    assert!(!page.contains("name=\"claim\"") && !page.contains("<form"), "{page}");
    assert!(policy.contains("form-action 'self';"), "{policy}");
    let is_framed = door.page.starts_with("/embed");
    assert_eq!(page.contains("data-ending=\"elsewhere\""), is_framed, "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn s31_whoever_has_the_address_gets_no_proof() {
    let app = TestApp::start().await;
    for (door, code) in both(&app).await {
        let attacker = Client::open(&app, &door).await;
        let victim = Client::open(&app, &door).await;
        victim.check(&door, &code).await;

        proves_nothing(&app, &door, app.get(&door.page).await).await;
        for guess in ["", "1", &wrong(&code), &code] {
            proves_nothing(&app, &door, attacker.check(&door, guess).await).await;
        }
        let forged = [
            String::new(),
            "A".repeat(21),
            "A".repeat(22),
            "A".repeat(23),
            "A".repeat(15_000),
            victim.claim[1..].to_owned(),
            format!("{}=", victim.claim),
            format!(" {}", victim.claim),
            victim.claim.to_lowercase(),
        ];
        for claim in forged {
            let stranger = Client { app: &app, claim };
            proves_nothing(&app, &door, stranger.check(&door, &code).await).await;
        }
        proves_nothing(&app, &door, app.get(&door.check).await).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s31_the_client_whose_check_was_approved_gets_the_proof_each_time() {
    let app = TestApp::start().await;
    for (door, code) in both(&app).await {
        let client = Client::open(&app, &door).await;
        assert_eq!(client.check(&door, &wrong(&code)).await.status(), StatusCode::SEE_OTHER);

        let proof = client.proof(&door, &code).await;

        // Sent twice, a lost answer, a reload, and whatever stands in the field by then.
        for typed in [&code, "", "1", &wrong(&code)] {
            assert_eq!(client.proof(&door, typed).await, proof);
        }
        let redeem = json!({ "token": proof });
        let redeemed = app.back_end(DEMO).post("/v1/tokens/redeem", &redeem).await;
        assert_eq!(redeemed.json["page_state"], "s1");
        let page = client.check(&door, &code).await.text().await.unwrap();
        assert_eq!(token(&page), None, "it is good once");
        assert!(!page.contains(".submit()"), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s31_of_many_forms_of_one_page_at_once_each_gets_the_same_proof() {
    let app = TestApp::start_with(&[("LATCHKEY_LIMITS__CALLER_CHECKS_PER_MINUTE", "200")]).await;
    for (door, code) in both(&app).await {
        let (client, other) = (Client::open(&app, &door).await, Client::open(&app, &door).await);
        let posts = (0..20).map(|_| client.proof(&door, &code));
        let proofs = futures_util::future::join_all(posts).await;
        assert!(proofs.iter().all(|proof| *proof == proofs[0]));
        proves_nothing(&app, &door, other.check(&door, &code).await).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s31_no_limit_stands_between_a_client_and_its_proof() {
    let app = TestApp::start_with(&[("LATCHKEY_LIMITS__CALLER_CHECKS_PER_MINUTE", "3")]).await;
    let [(door, code), _] = both(&app).await;
    let client = Client::open(&app, &door).await;
    let stranger = Client::open(&app, &door).await;
    let proof = client.proof(&door, &code).await;

    for _ in 0..10 {
        assert_eq!(client.proof(&door, "").await, proof, "and it counts nothing");
    }
    let location = |answer: &Response| answer.headers()["location"].to_str().unwrap().to_owned();
    for _ in 0..2 {
        assert!(!location(&stranger.check(&door, &code).await).contains("limit-checks"));
    }
    assert!(location(&stranger.check(&door, &code).await).contains("limit-checks"));

    assert_eq!(client.proof(&door, &code).await, proof);
    app.advance(300);
    let page = client.check(&door, &code).await.text().await.unwrap();
    assert_eq!(token(&page), None, "the proof itself lives as long as ever");
}

#[tokio::test(flavor = "multi_thread")]
async fn s31_the_cards_own_check_claims_the_proof_and_does_not_hold_it() {
    let app = TestApp::start().await;
    for (door, code) in both(&app).await {
        let (client, other) = (Client::open(&app, &door).await, Client::open(&app, &door).await);

        let answer = app.call("check", json!([door.id, code, client.claim])).await;
        let answer = answer.text().await.unwrap();
        assert!(answer.contains("\"approved\"") && !holds_a_token(&answer), "{answer}");
        // Its answer was lost, and it asks again.
        let again = app.call("check", json!([door.id, "", client.claim])).await;
        assert_eq!(again.text().await.unwrap(), answer);

        let late = app.call("check", json!([door.id, code, other.claim])).await;
        assert!(late.text().await.unwrap().contains("already-used"));
        proves_nothing(&app, &door, other.check(&door, "").await).await;
        client.proof(&door, "").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s31_an_approval_through_the_api_gives_no_page_the_proof() {
    let app = TestApp::start().await;
    let [(door, code), (framed, _)] = both(&app).await;
    let client = Client::open(&app, &door).await;
    let shop = app.back_end(DEMO);
    let path = format!("/v1/verifications/{}", door.id);

    let approved = shop.check(&path, &code).await;
    let looked = shop.get(&path).await;
    let with_claim = json!({ "code": code, "claim": client.claim });
    let refused = shop.post(&format!("{path}/checks"), &with_claim).await;

    assert_eq!(approved.json["result"], "approved");
    assert_eq!(refused.problem(), (422, "invalid_field"));
    for Reply { text, .. } in [approved, looked, refused] {
        assert!(!holds_a_token(&text) && !text.contains("claim\":"), "{text}");
    }
    proves_nothing(&app, &door, client.check(&door, &code).await).await;
    proves_nothing(&app, &door, app.get(&door.page).await).await;
    let stranger = Client::open(&app, &framed).await;
    assert_eq!(stranger.check(&framed, "000").await.status(), StatusCode::SEE_OTHER);
}

/// The proof is in the one answer, and nobody can ask for it again.
#[tokio::test(flavor = "multi_thread")]
async fn s31_a_check_without_a_claim_gets_the_proof_once() {
    let app = TestApp::start().await;
    for (door, code) in both(&app).await {
        let client = Client { app: &app, claim: String::new() };
        client.proof(&door, &code).await;
        proves_nothing(&app, &door, client.check(&door, &code).await).await;
        let other = Client { app: &app, claim: "AAAAAAAAAAAAAAAAAAAAAA".to_owned() };
        proves_nothing(&app, &door, other.check(&door, &code).await).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s31_each_page_that_asks_for_a_code_has_a_claim_of_its_own() {
    let app = TestApp::start().await;
    let [(hosted, _), (framed, _)] = both(&app).await;
    let alone = Door::hosted(&app.start_email("sam@example.com").await);
    let mut claims = Vec::new();
    for door in [&hosted, &hosted, &framed, &framed, &alone] {
        claims.push(Client::open(&app, door).await.claim);
    }
    for claim in &claims {
        assert_eq!(claim.len(), 22);
        assert_eq!(claims.iter().filter(|other| *other == claim).count(), 1);
    }
    // A page that asks for no code has none.
    for path in ["/".to_owned(), format!("/embed?{FRAME}"), "/v/unknown".to_owned()] {
        assert!(!app.get(&path).await.text().await.unwrap().contains("name=\"claim\""));
    }
}

/// S9: `GET /v/{id}` of a verification in a frame, `POST /embed/v/{id}/check` of a hosted one, and so on.
#[tokio::test(flavor = "multi_thread")]
async fn s9_at_the_wrong_door_a_verification_is_unknown() {
    let app = TestApp::start().await;
    let [(hosted, hosted_code), (framed, framed_code)] = both(&app).await;
    let alone = app.start_email("sam@example.com").await;
    let alone_code = app.code(3).await;
    let unknown = "A".repeat(32);
    app.advance(60);
    for (id, code, door) in [
        (&framed.id, &framed_code, Door::hosted as fn(&str) -> Door),
        (&hosted.id, &hosted_code, Door::framed),
        (&alone, &alone_code, Door::framed),
    ] {
        let (known, stranger) =
            (answers(&app, door, id, code), answers(&app, door, &unknown, code));
        assert_eq!(known.await, stranger.await);
    }
    assert_eq!(app.inbox(3).await.len(), 3, "nothing was sent again");
    for (door, code) in [(hosted, hosted_code), (framed, framed_code)] {
        Client::open(&app, &door).await.proof(&door, &code).await;
    }
}

/// All answers about one id at one door, without the id itself and the nonces of pages.
async fn answers(app: &TestApp, door: fn(&str) -> Door, id: &str, code: &str) -> Vec<String> {
    let Door { page, check, .. } = door(id);
    let claim = "A".repeat(22);
    let mut answers = vec![
        app.get(&page).await,
        app.post_form(&check, &[("code", code)]).await,
        app.post_form(&check, &[("code", code), ("claim", &claim)]).await,
        app.get(&check).await,
    ];
    for verb in ["resend", "cancel"] {
        let path = check.replace("check", verb);
        let request = app.request(Method::POST, &path);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        answers.push(request.send().await.unwrap());
    }
    let mut texts = Vec::new();
    for answer in answers {
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        let policy = headers.remove("content-security-policy").unwrap();
        let nonce = between(policy.to_str().unwrap(), "'nonce-", "'");
        headers.remove("date");
        let body = answer.text().await.unwrap();
        let body = nonce.map_or(body.clone(), |nonce| body.replace(&nonce, "NONCE"));
        texts.push(format!("{status} {headers:?} {body}").replace(id, "ID"));
    }
    texts
}
