//! Limits by network, people of whom back ends tell, and messages that strangers cannot use up.

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::{
    app::{TestApp, verification},
    back_ends::{BackEnd, DEMO, Reply},
};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
/// The same browser after an update.
const UPDATED: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0";
const CURL: &str = "curl/8.14.1";
/// Address of a victim, and a later one in her network.
const HOME: &str = "2001:db8:1:100::7";
const HOME_LATER: &str = "2001:db8:1:4444::1";
const VICTIM: &str = "jane@example.com";

const DAY: u64 = 24 * 3600;

/// A server behind a proxy, whose callers come from the addresses that the proxy names.
async fn behind_a_proxy(settings: &[(&str, &str)]) -> TestApp {
    let proxy = [
        ("LATCHKEY_SERVER__MODE", "development"),
        ("LATCHKEY_SERVER__DEVELOPMENT_HOSTS", "127.0.0.1"),
        ("LATCHKEY_SERVER__TRUSTED_PROXIES", "127.0.0.1"),
    ];
    TestApp::start_with(&[&proxy, settings].concat()).await
}

fn from(request: RequestBuilder, address: &str, user_agent: &str) -> RequestBuilder {
    request.header("x-forwarded-for", address).header("user-agent", user_agent)
}

/// Begins a verification on the start page.
async fn begin(app: &TestApp, to: &str, address: &str, user_agent: &str) -> Response {
    let form = [("channel", "email"), ("email", to)];
    let request = app.request(Method::POST, "/").form(&form);
    from(request, address, user_agent).send().await.unwrap()
}

/// Begins a verification on the start page and types its code.
async fn verify(app: &TestApp, to: &str, address: &str, user_agent: &str) {
    let sent = app.inbox(0).await.len();
    let id = verification(&begin(app, to, address, user_agent).await);
    let code = app.code(sent + 1).await;
    let check = app.request(Method::POST, "/ui/check").json(&json!([id, code, ""]));
    let checked = from(check, address, user_agent).send().await.unwrap();
    assert!(checked.text().await.unwrap().contains("approved"));
}

/// Asks for messages to the victim from another network each time, until the limit is reached.
async fn spend(app: &TestApp, expected: u16) {
    for network in 0..expected {
        let begun = begin(app, VICTIM, &format!("198.51.{network}.1"), CURL).await;
        assert_eq!(begun.status(), 303, "message {network}");
    }
    let refused = begin(app, VICTIM, "203.0.113.1", CURL).await;
    assert_eq!(refused.status(), 429);
}

/// A client as a back end tells of it.
fn client(address: &str, user_agent: &str) -> Value {
    json!({"address": address, "user_agent": user_agent})
}

async fn create(back_end: &BackEnd<'_>, to: &str, client: &Value) -> Reply {
    back_end.post("/v1/verifications", &json!({"to": to, "client": client})).await
}

#[track_caller]
fn assert_limited(reply: &Reply, limit: &str) {
    assert_eq!(reply.problem(), (429, "rate_limited"));
    assert_eq!(reply.json["limit"], limit);
}

#[tokio::test(flavor = "multi_thread")]
async fn s35_strangers_spend_a_recipients_messages_and_the_right_person_verifies() {
    let app = behind_a_proxy(&[]).await;
    verify(&app, VICTIM, HOME, FIREFOX).await;
    app.advance(DAY);
    spend(&app, 3).await;
    app.advance(700);
    spend(&app, 3).await;
    // Another customer of the same network is a stranger.
    assert_eq!(begin(&app, VICTIM, HOME_LATER, CURL).await.status(), 429);
    verify(&app, VICTIM, HOME_LATER, UPDATED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s35_the_back_end_of_the_site_verifies_a_recipient_whose_messages_strangers_have_spent() {
    let app = behind_a_proxy(&[]).await;
    spend(&app, 3).await;
    let demo = app.back_end(DEMO);
    let path = demo.create(VICTIM).await;
    let code = app.code(4).await;
    assert_eq!(demo.check(&path, &code).await.json["result"], "approved");
    // Not even back ends get more messages for a recipient than there are.
    demo.create(VICTIM).await;
    let sixth = demo.post("/v1/verifications", &json!({ "to": VICTIM })).await;
    assert_limited(&sixth, "recipient_sends");
}

#[tokio::test(flavor = "multi_thread")]
async fn s35_a_recipient_who_cools_down_verifies_from_a_known_client() {
    let app = behind_a_proxy(&[]).await;
    verify(&app, VICTIM, HOME, FIREFOX).await;
    assert_eq!(begin(&app, VICTIM, "198.51.100.1", CURL).await.status(), 303);
    app.press(&app.not_me_link(2).await).await;
    assert_eq!(begin(&app, VICTIM, "198.51.101.1", FIREFOX).await.status(), 429);
    let stranger = client("198.51.101.1", CURL);
    assert_limited(&create(&app.back_end(DEMO), VICTIM, &stranger).await, "recipient_cooled_down");
    verify(&app, VICTIM, HOME_LATER, UPDATED).await;
}

/// The site's own form lets strangers begin as well, so its back end tells from which address they come.
#[tokio::test(flavor = "multi_thread")]
async fn s35_a_stranger_of_whom_a_back_end_tells_is_refused_and_the_known_person_verifies() {
    let app = behind_a_proxy(&[]).await;
    let demo = app.back_end(DEMO);
    let home = client(HOME, FIREFOX);
    let begun = create(&demo, VICTIM, &home).await;
    let (path, code) = (begun.header("location"), app.code(1).await);
    let guess = json!({"code": code, "client": home});
    let checked = demo.post(&format!("{path}/checks"), &guess).await;
    assert_eq!(checked.json["result"], "approved", "{}", checked.text);
    app.advance(89 * DAY);
    let app = app.restart().await;
    let demo = app.back_end(DEMO);
    for network in 0..3 {
        let stranger = client(&format!("198.51.{network}.1"), CURL);
        assert_eq!(create(&demo, VICTIM, &stranger).await.status, 201);
    }
    assert_limited(&create(&demo, VICTIM, &client("203.0.113.1", CURL)).await, "recipient_sends");
    let known = create(&demo, VICTIM, &client(HOME_LATER, UPDATED)).await;
    assert_eq!(known.status, 201, "{}", known.text);
    // She is known on the pages of the same site as well, until 90 days have passed.
    assert_eq!(begin(&app, VICTIM, HOME, FIREFOX).await.status(), 303);
    app.advance(3 * DAY);
    spend(&app, 3).await;
    assert_eq!(begin(&app, VICTIM, HOME, FIREFOX).await.status(), 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn s17_many_addresses_of_one_network_have_eight_times_the_limit_of_one_together() {
    let app = behind_a_proxy(&[("LATCHKEY_LIMITS__CALLER_SENDS_PER_5_MINUTES", "1")]).await;
    let mut number = 0;
    let mut ask = async |address: &str| {
        number += 1;
        begin(&app, &format!("jo{number}@example.com"), address, CURL).await.status().as_u16()
    };
    // Of a /64 one counts, of a /56 two, of a /48 eight.
    assert_eq!(ask("2001:db8:1:0::1").await, 303);
    assert_eq!(ask("2001:db8:1:0::2").await, 429);
    assert_eq!(ask("2001:db8:1:1::1").await, 303);
    assert_eq!(ask("2001:db8:1:2::1").await, 429);
    for network in 1..=6 {
        assert_eq!(ask(&format!("2001:db8:1:{network}00::1")).await, 303, "{network}");
    }
    for network in 7..=9 {
        assert_eq!(ask(&format!("2001:db8:1:{network}00::1")).await, 429, "{network}");
    }
    assert_eq!(ask("2001:db8:2::1").await, 303);
    // Of an IPv4 address one, of a /24 eight.
    for host in 1..=8 {
        assert_eq!(ask(&format!("192.0.2.{host}")).await, 303, "{host}");
    }
    assert_eq!(ask("192.0.2.9").await, 429);
    assert_eq!(ask("::ffff:192.0.2.10").await, 429);
    assert_eq!(ask("192.0.3.1").await, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn s17_people_of_whom_a_back_end_tells_have_the_limits_of_browsers() {
    let settings = [
        ("LATCHKEY_LIMITS__CALLER_SENDS_PER_5_MINUTES", "2"),
        ("LATCHKEY_LIMITS__CALLER_CHECKS_PER_MINUTE", "2"),
    ];
    let app = behind_a_proxy(&settings).await;
    let demo = app.back_end(DEMO);
    let mut number = 0;
    let mut ask = async |client: Value| {
        number += 1;
        create(&demo, &format!("jo{number}@example.com"), &client).await
    };
    // One address, whether it comes by itself or a back end tells of it.
    assert_eq!(begin(&app, "sam@example.com", HOME, FIREFOX).await.status(), 303);
    let begun = ask(json!({"address": HOME})).await;
    assert_eq!(begun.status, 201, "{}", begun.text);
    assert_limited(&ask(client(HOME, UPDATED)).await, "caller_sends");
    assert_eq!(begin(&app, "kim@example.com", HOME, FIREFOX).await.status(), 429);
    // One account, from wherever.
    for address in ["198.51.100.1", "198.51.101.1"] {
        let account = json!({"address": address, "account": "jane-1042"});
        assert_eq!(ask(account).await.status, 201);
    }
    assert_limited(&ask(json!({"account": "jane-1042"})).await, "caller_sends");
    assert_eq!(ask(json!({"account": "jane-1043"})).await.status, 201);
    // Without a word of the person nothing is counted.
    for _ in 0..4 {
        assert_eq!(ask(Value::Null).await.status, 201);
        assert_eq!(ask(json!({})).await.status, 201);
    }
    // Guesses and further messages are counted likewise.
    let path = begun.header("location");
    let check = async |client: Value| {
        let guess = json!({"code": "1", "client": client});
        demo.post(&format!("{path}/checks"), &guess).await
    };
    for _ in 0..2 {
        assert_eq!(check(json!({"account": "jane-1042"})).await.json["result"], "malformed");
    }
    assert_limited(&check(json!({"account": "jane-1042"})).await, "caller_checks");
    assert_eq!(check(json!({"address": HOME})).await.status, 200);
    app.advance(60);
    let again = json!({"client": {"account": "jane-1042"}});
    let again = demo.post(&format!("{path}/sends"), &again).await;
    assert_limited(&again, "caller_sends");
}

/// A hostile site cannot use up anybody's limits at the others.
#[tokio::test(flavor = "multi_thread")]
async fn s17_the_addresses_that_a_back_end_tells_count_for_its_site_alone() {
    let app = behind_a_proxy(&[("LATCHKEY_LIMITS__CALLER_SENDS_PER_5_MINUTES", "2")]).await;
    let digest = server::site::SecretDigest::of("lk_sec_hostile");
    let hostile = format!("[[sites]]\nname = \"hostile\"\nsecret_keys = [\"{digest}\"]\n");
    std::fs::write(app.folder().join("latchkey.toml"), hostile).unwrap();
    let app = app.restart().await;
    let (hostile, demo) = (app.back_end("lk_sec_hostile"), app.back_end(DEMO));
    let told = json!({"address": HOME, "account": "jane-1042"});
    for number in 0..2 {
        assert_eq!(create(&hostile, &format!("jo{number}@example.com"), &told).await.status, 201);
    }
    assert_limited(&create(&hostile, "jo@example.com", &told).await, "caller_sends");
    assert_eq!(create(&demo, "jo@example.com", &told).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn s8_what_a_back_end_tells_of_a_person_is_bounded_and_in_no_refusal_and_no_file() {
    let app = TestApp::start().await;
    let demo = app.back_end(DEMO);
    let long = "s8-long".repeat(80);
    for (told, field) in [
        (json!("s8"), "client"),
        (json!([]), "client"),
        (json!({"address": "s8.example.com"}), "client.address"),
        (json!({"address": "192.0.2.7:80"}), "client.address"),
        (json!({"address": "fe80::1%eth0"}), "client.address"),
        (json!({"address": 7}), "client.address"),
        (json!({"user_agent": ""}), "client.user_agent"),
        (json!({"user_agent": long}), "client.user_agent"),
        (json!({"account": "s8\nline"}), "client.account"),
        (json!({"account": long[..129]}), "client.account"),
        (json!({"phone": "s8"}), "client.phone"),
    ] {
        let refused = create(&demo, VICTIM, &told).await;
        assert_eq!(refused.problem(), (422, "invalid_field"), "{told}");
        assert_eq!(refused.json["field"], field, "{told}");
        assert!(!refused.text.contains("s8"), "{}", refused.text);
    }
    let told = json!({"address": "2001:db8:7777::7", "user_agent": "S8-Browser/1.0",
                      "account": "s8-account-of-jane"});
    let begun = create(&demo, VICTIM, &told).await;
    let guess = json!({"code": app.code(1).await, "client": told});
    let checked = demo.post(&format!("{}/checks", begun.header("location")), &guess).await;
    assert_eq!(checked.json["result"], "approved", "{}", checked.text);
    for (name, file) in app.stored() {
        for needle in ["2001:db8:7777", "S8-Browser", "s8-account-of-jane"] {
            let found = file.windows(needle.len()).any(|window| window == needle.as_bytes());
            assert!(!found, "{needle} is in {name}");
        }
    }
}
