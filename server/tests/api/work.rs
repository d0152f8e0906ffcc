//! Proof of work before a message is sent, at every door that sends for strangers (S33).

use aws_lc_rs::pbkdf2;
use otp::work::ROUNDS;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::{app::TestApp, back_ends::DEMO};

const FRAME: &str = "site_key=lk_pub_demo&origin=http://localhost:3001";
/// Two messages are free.
const NETWORK: (&str, &str) = ("LATCHKEY_WORK__NETWORK_SENDS_PER_5_MINUTES", "2");
const NO_WAIT: (&str, &str) = ("LATCHKEY_POLICY__RESEND_WAITS", "0");

/// A door at which a message is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Door {
    Page,
    Frame,
    Element,
    Resend,
    ResendInFrame,
}

const DOORS: [Door; 5] =
    [Door::Page, Door::Frame, Door::Element, Door::Resend, Door::ResendInFrame];

/// A demand of work, as a client reads it.
#[derive(Clone, Debug, PartialEq)]
struct Demand {
    challenge: String,
    bits: u32,
    wait: u64,
}

/// A server, and a verification of each kind that began at it, before any limit.
struct Doors {
    app: TestApp,
    hosted: String,
    framed: String,
}

impl Doors {
    /// Both free messages are sent.
    async fn open(settings: &[(&str, &str)]) -> Self {
        let app = TestApp::start_with(&[settings, &[NO_WAIT]].concat()).await;
        let hosted = app.start_email("hosted@example.com").await;
        let form = [("channel", "email"), ("email", "framed@example.com")];
        let framed = location(&app.post_form(&format!("/embed?{FRAME}"), &form).await);
        Self { app, hosted, framed }
    }

    /// Asks for a message to somebody, with an answer or without.
    async fn ask(&self, door: Door, to: &str, work: &str) -> Response {
        let typed = [("channel", "email"), ("email", to), ("work", work)];
        let again = [("work", work)];
        let app = &self.app;
        match door {
            Door::Page => app.post_form("/", &typed).await,
            Door::Frame => app.post_form(&format!("/embed?{FRAME}"), &typed).await,
            Door::Resend => app.post_form(&format!("/v/{}/resend", self.hosted), &again).await,
            Door::ResendInFrame => {
                app.post_form(&format!("/embed/v/{}/resend?{FRAME}", self.framed), &again).await
            }
            Door::Element => {
                let body = json!({ "site_key": "lk_pub_demo", "to": to, "work": work });
                let request = app.bare_request(Method::POST, "/embed/verifications");
                let request = request.header("origin", "http://localhost:3001");
                request.header("sec-fetch-site", "cross-site").json(&body).send().await.unwrap()
            }
        }
    }

    /// The demand that the request without an answer, or with one that is not good, is refused with.
    async fn demand(&self, door: Door, work: &str) -> Demand {
        let refused = self.ask(door, "more@example.com", work).await;
        assert_eq!(refused.status(), 429, "{door:?}");
        let wait = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        let body = refused.text().await.unwrap();
        if door == Door::Element {
            let problem: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(
                (&problem["code"], &problem["rounds"]),
                (&json!("work_needed"), &json!(ROUNDS))
            );
            assert_eq!(problem["retry_after"], wait);
            let challenge = problem["challenge"].as_str().unwrap().to_owned();
            return Demand {
                challenge,
                bits: problem["bits"].as_u64().unwrap().try_into().unwrap(),
                wait,
            };
        }
        let (_, body) = body.split_once("One moment</h1>").expect("the page of a work");
        let part = |start: &str| {
            body.split_once(start)
                .unwrap_or_else(|| panic!("{start}: {body}"))
                .1
                .split_once('"')
                .unwrap()
                .0
        };
        assert_eq!(part("data-wait=\""), wait.to_string());
        assert_eq!(part("data-rounds=\""), ROUNDS.to_string());
        Demand {
            challenge: part("name=\"work\" value=\"").to_owned(),
            bits: part("data-bits=\"").parse().unwrap(),
            wait,
        }
    }

    /// Asks with an answer, which is taken.
    async fn is_sent(&self, door: Door, to: &str, work: &str) {
        let answer = self.ask(door, to, work).await;
        let status = if door == Door::Element { 201 } else { 303 };
        assert_eq!(answer.status(), status, "{door:?}");
    }
}

/// The id in the address of a page.
fn location(answer: &Response) -> String {
    assert_eq!(answer.status(), 303);
    let path = answer.headers()["location"].to_str().unwrap().split('?').next().unwrap();
    path.rsplit('/').next().unwrap().to_owned()
}

/// The answer that a script finds.
fn solved(Demand { challenge, bits, .. }: &Demand) -> String {
    let rounds = ROUNDS.try_into().unwrap();
    let is_solution = |number: &u32| {
        let (salt, mut found) = (number.to_string(), [0; 4]);
        let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
        pbkdf2::derive(algorithm, rounds, salt.as_bytes(), challenge.as_bytes(), &mut found);
        u32::from_be_bytes(found).leading_zeros() >= *bits
    };
    format!("{challenge}-{}", (0..u32::MAX).find(is_solution).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn s33_each_door_takes_a_solved_challenge_once_and_no_altered_one() {
    for door in DOORS {
        let doors = Doors::open(&[NETWORK]).await;
        let demand = doors.demand(door, "").await;
        assert_eq!((demand.bits, demand.wait), (9, 10), "{door:?}");
        let answer = solved(&demand);
        for altered in [
            format!("{}-{}", demand.challenge, u64::MAX),
            answer.replacen("0-", "1-", 1),
            answer.replacen("-17", "-18", 1),
            format!("{answer}-0"),
            "nonsense".to_owned(),
        ] {
            doors.demand(door, &altered).await;
        }
        doors.is_sent(door, "more@example.com", &answer).await;
        let next = doors.demand(door, &answer).await;
        assert_ne!(next.challenge, demand.challenge, "{door:?}: it is spent");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s33_a_challenge_of_one_door_is_none_at_another() {
    let doors = Doors::open(&[NETWORK]).await;
    for from in DOORS {
        let answer = solved(&doors.demand(from, "").await);
        for to in DOORS.into_iter().filter(|to| *to != from) {
            // The element and the form in its frame are one door.
            if ![from, to].iter().all(|door| matches!(door, Door::Frame | Door::Element)) {
                doors.demand(to, &answer).await;
            }
        }
    }
    assert_eq!(doors.app.inbox(2).await.len(), 2, "nothing was sent for them");
}

#[tokio::test(flavor = "multi_thread")]
async fn s33_without_script_the_server_keeps_the_wait_and_ends_it_once() {
    for door in DOORS {
        let doors = Doors::open(&[NETWORK]).await;
        let demand = doors.demand(door, "").await;
        doors.app.advance(4);
        let rest = doors.demand(door, &demand.challenge).await;
        assert_eq!(rest, Demand { wait: demand.wait - 4, ..demand.clone() }, "{door:?}");
        doors.app.advance(rest.wait - 1);
        assert_eq!(doors.demand(door, &demand.challenge).await.wait, 1, "{door:?}");
        doors.app.advance(1);
        doors.is_sent(door, "more@example.com", &demand.challenge).await;
        let next = doors.demand(door, &demand.challenge).await;
        assert_ne!(next.challenge, demand.challenge, "{door:?}: it is spent");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s33_challenges_that_were_collected_are_good_for_one_message_or_none() {
    let doors = Doors::open(&[NETWORK]).await;
    let mut collected = Vec::new();
    for _ in 0..3 {
        collected.push(doors.demand(Door::Page, "").await.challenge);
        doors.app.advance(1);
    }
    let expiring = doors.demand(Door::Page, "").await.challenge;
    doors.app.advance(10);
    // The oldest first: a wait is over for all of them.
    doors.is_sent(Door::Page, "jo@example.com", &collected[0]).await;
    for challenge in &collected {
        assert_ne!(doors.demand(Door::Page, challenge).await.challenge, *challenge);
    }
    doors.app.advance(240);
    assert_ne!(doors.demand(Door::Page, &expiring).await.challenge, expiring);
}

#[tokio::test(flavor = "multi_thread")]
async fn s33_the_work_grows_with_the_rate_and_an_easier_answer_is_refused() {
    let doors = Doors::open(&[NETWORK]).await;
    let easy = doors.demand(Door::Page, "").await;
    for number in 0..2 {
        let answer = solved(&doors.demand(Door::Page, "").await);
        doors.is_sent(Door::Page, &format!("jo{number}@example.com"), &answer).await;
        doors.app.advance(1);
    }
    let hard = doors.demand(Door::Page, &solved(&easy)).await;
    assert_eq!([(easy.bits, easy.wait), (hard.bits, hard.wait)], [(9, 10), (10, 20)]);
    doors.is_sent(Door::Page, "more@example.com", &solved(&hard)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s33_the_rate_of_the_server_asks_everybody_for_work() {
    let doors = Doors::open(&[("LATCHKEY_WORK__SERVER_SENDS_PER_5_MINUTES", "2")]).await;
    let answer = solved(&doors.demand(Door::Page, "").await);
    doors.is_sent(Door::Page, "jo@example.com", &answer).await;
    doors.app.advance(316);
    doors.is_sent(Door::Page, "sam@example.com", "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s33_an_ordinary_person_is_asked_for_no_work() {
    let doors = Doors::open(&[]).await;
    for door in DOORS {
        doors.is_sent(door, "jo@example.com", "").await;
    }
    let id = doors.app.start_email("island@example.com").await;
    assert_eq!(doors.app.resend(&id).await.status(), 200);
    // Nine messages of one network, which is more than most send.
    doors.is_sent(Door::Page, "tenth@example.com", "").await;
    doors.demand(Door::Page, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s33_the_island_is_told_so_and_its_form_does_the_work() {
    let doors = Doors::open(&[NETWORK]).await;
    let refused = doors.app.resend(&doors.hosted).await;
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.text().await.unwrap(), r#"["work-needed.10"]"#);
    let answer = solved(&doors.demand(Door::Resend, "").await);
    doors.is_sent(Door::Resend, "", &answer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s33_what_was_typed_is_kept_and_nothing_is_counted_for_a_demand() {
    let doors = Doors::open(&[NETWORK]).await;
    let form = [("channel", "sms"), ("phone", "07400 123\"456"), ("country", "GB")];
    let page = doors.app.post_form("/", &form).await.text().await.unwrap();
    for kept in ["name=\"channel\" value=\"sms\"", "value=\"07400 123&quot;456\"", "value=\"GB\""] {
        assert!(page.contains(kept), "{kept}: {page}");
    }
    for _ in 0..40 {
        assert_eq!(doors.demand(Door::Page, "").await.bits, 9);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s33_back_ends_never_meet_it() {
    let doors = Doors::open(&[NETWORK, ("LATCHKEY_WORK__SERVER_SENDS_PER_5_MINUTES", "2")]).await;
    for number in 0..5 {
        let request = json!({ "to": format!("jo{number}@example.com") });
        let created = doors.app.back_end(DEMO).post("/v1/verifications", &request).await;
        assert_eq!(created.status, 201);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s33_an_answer_is_spent_over_a_restart() {
    let doors = Doors::open(&[NETWORK]).await;
    let answer = solved(&doors.demand(Door::Page, "").await);
    doors.is_sent(Door::Page, "jo@example.com", &answer).await;
    let Doors { app, hosted, framed } = doors;
    let doors = Doors { app: app.restart().await, hosted, framed };
    doors.demand(Door::Page, &answer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s33_of_many_requests_with_one_answer_one_is_sent() {
    let doors = Doors::open(&[NETWORK]).await;
    let answer = solved(&doors.demand(Door::Page, "").await);
    let doors = std::sync::Arc::new(doors);
    let requests = (0..10).map(|number| {
        let (doors, answer) = (doors.clone(), answer.clone());
        tokio::spawn(async move {
            doors.ask(Door::Page, &format!("jo{number}@example.com"), &answer).await.status()
        })
    });
    let mut sent = 0;
    for request in requests.collect::<Vec<_>>() {
        sent += u32::from(request.await.unwrap() == 303);
    }
    assert_eq!(sent, 1);
}
