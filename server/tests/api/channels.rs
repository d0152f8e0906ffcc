//! Texts, WhatsApp messages and calls to one number, over the whole server.

use ::app::wire::{Channel, DeliveryState, Outcome};
use serde_json::json;

use crate::{
    app::{TestApp, verification, wrong},
    back_ends::{APPROVE, DEMO},
};

const PHONE: &str = "+447400123456";
const ALL: (&str, &str) = ("LATCHKEY_DELIVERY__CHANNELS", "sms,whatsapp,voice,email");

#[tokio::test(flavor = "multi_thread")]
async fn unless_a_site_lists_others_numbers_get_texts_alone() {
    let app = TestApp::start().await;
    let shop = app.back_end(DEMO);
    let created = shop.post("/v1/verifications", &json!({ "to": PHONE })).await;
    assert_eq!(created.json["channels"], json!(["sms"]));
    for channel in ["voice", "whatsapp", "email"] {
        let body = json!({ "to": PHONE, "channel": channel });
        let refused = shop.post("/v1/verifications", &body).await;
        let expected = if channel == "email" { "invalid_recipient" } else { "channel_unavailable" };
        assert_eq!(refused.problem(), (422, expected), "{channel}");
    }
    // Waiting would not help, so this is told before the wait is over.
    let sends = format!("{}/sends", created.header("location"));
    let refused = shop.post(&sends, &json!({ "channel": "voice" })).await;
    assert_eq!(refused.problem(), (422, "channel_unavailable"));
    app.advance(30);
    assert_eq!(shop.post(&sends, &json!({ "channel": "sms" })).await.status, 201);
    assert_eq!(app.inbox(2).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_back_end_chooses_and_changes_the_channel() {
    let app = TestApp::start_with(&[ALL]).await;
    let shop = app.back_end(DEMO);
    let body = json!({ "to": PHONE, "channel": "voice" });
    let created = shop.post("/v1/verifications", &body).await;
    assert_eq!(created.json["delivery"]["channel"], "voice");
    assert_eq!(created.json["channels"], json!(["sms", "whatsapp", "voice"]));
    let path = created.header("location").to_owned();
    let sends = format!("{path}/sends");
    for (wait, asked, channel) in [
        (30, json!({}), "voice"),
        (40, json!({ "channel": "whatsapp" }), "whatsapp"),
        (60, json!({}), "whatsapp"),
    ] {
        app.advance(wait);
        let again = shop.post(&sends, &asked).await;
        assert_eq!((again.status, &again.json["delivery"]["channel"]), (201, &json!(channel)));
        assert_eq!(shop.get(&path).await.json["delivery"]["channel"], channel);
    }
    let sent: Vec<_> = app.inbox(4).await.iter().map(|message| message.channel).collect();
    assert_eq!(sent, [Channel::Whatsapp, Channel::Whatsapp, Channel::Voice, Channel::Voice]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_channel_of_the_site_carries_the_first_message() {
    let order = ("LATCHKEY_DELIVERY__CHANNELS", "voice,sms,email");
    let app = TestApp::start_with(&[order]).await;
    let created =
        app.back_end(DEMO).post("/v1/verifications", &json!({ "to": "07400 123456" })).await;
    assert_eq!(created.json["delivery"]["channel"], "voice");
    let page = app.get("/").await.text().await.unwrap();
    assert!(page.contains("value=\"voice\" checked") && !page.contains("value=\"sms\""), "{page}");
    let form = [("channel", "voice"), ("phone", PHONE), ("country", "GB")];
    let id = verification(&app.post_form("/", &form).await);
    assert_eq!(app.view(&id).await.unwrap().delivery.channel, Channel::Voice);
    let call = app.inbox(2).await.remove(0);
    assert_eq!(call.channel, Channel::Voice);
    let digits: Vec<_> = call.code.chars().map(String::from).collect();
    assert_eq!(call.text.matches(&digits.join(", ")).count(), 2, "{}", call.text);
    assert_eq!(app.outcome(&id, &call.code).await, Outcome::Approved);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_script_the_page_offers_the_next_channel_and_resends_by_the_newest() {
    // Strangers have three fifths of these.
    let sends = ("LATCHKEY_LIMITS__RECIPIENT_SENDS_PER_10_MINUTES", "10");
    let app = TestApp::start_with(&[ALL, sends]).await;
    let id = app.start_sms(PHONE).await;
    let offer = async || {
        let page = app.get(&format!("/v/{id}")).await.text().await.unwrap();
        let offer = page.split("name=\"channel\"").nth(1).unwrap();
        let button = offer.split('>').next().unwrap().to_owned();
        let text = offer.split('>').nth(1).unwrap().split('<').next().unwrap().to_owned();
        (!button.contains("hidden")).then_some(text)
    };
    assert_eq!(offer().await, None, "before the first resend");
    let resend = format!("/v/{id}/resend");
    for (wait, form, channel, offered) in [
        (30, &[][..], Channel::Sms, "Send it by WhatsApp"),
        (40, &[("channel", "whatsapp")], Channel::Whatsapp, "Call me instead"),
        (60, &[("channel", "voice")], Channel::Voice, "Send it by text message instead"),
        (90, &[], Channel::Voice, "Send it by text message instead"),
    ] {
        app.advance(wait);
        assert_eq!(verification(&app.post_form(&resend, form).await), id);
        assert_eq!(app.delivered(&id).await.delivery.channel, channel);
        assert_eq!(offer().await.as_deref(), Some(offered));
    }
    let view = app.view(&id).await.unwrap();
    assert_eq!(view.delivery.state, DeliveryState::Sent);
    let page = app.get(&format!("/v/{id}")).await.text().await.unwrap();
    assert!(page.contains("We are calling "), "{page}");
    assert!(page.contains("+44 ••• ••56") && !page.contains(PHONE), "{page}");
}

/// S6: a token says which channel was proven, which after a switch need not be that of the newest message.
#[tokio::test(flavor = "multi_thread")]
async fn s6_the_channel_of_a_result_is_that_of_the_code_that_was_typed() {
    let app = TestApp::start_with(&[ALL]).await;
    let shop = app.back_end(DEMO);
    for (typed, channel, assurance) in
        [(0, "whatsapp", "address_confirmation"), (1, "sms", "possession")]
    {
        let body = json!({ "to": PHONE, "return_url": "http://localhost:3001/return" });
        let created = shop.post("/v1/verifications", &body).await;
        let id = created.json["id"].as_str().unwrap();
        app.advance(30);
        let sends = format!("{}/sends", created.header("location"));
        shop.post(&sends, &json!({ "channel": "whatsapp" })).await;
        let sent = app.inbox(2 * (typed + 1)).await;
        let page = app.get(&format!("/v/{id}")).await.text().await.unwrap();
        let claim = page.split("name=\"claim\" value=\"").nth(1).unwrap();
        let claim = claim.split('"').next().unwrap();
        let form = [("code", &*sent[typed].code), ("claim", claim)];
        let page = app.post_form(&format!("/v/{id}/check"), &form).await.text().await.unwrap();
        let token = page.split("name=\"token\" value=\"").nth(1).unwrap();
        let token = token.split('"').next().unwrap();
        let redeemed = shop.post("/v1/tokens/redeem", &json!({ "token": token })).await;
        assert_eq!(redeemed.json["channel"], channel, "{}", redeemed.text);
        assert_eq!(redeemed.json["assurance"], assurance);
        app.advance(600);
    }
}

/// S5: no switch of the channel refills a budget.
#[tokio::test(flavor = "multi_thread")]
async fn s5_a_switch_of_the_channel_leaves_the_budgets_as_they_were() {
    let app = TestApp::start_with(&[ALL]).await;
    let shop = app.back_end(DEMO);
    let path = shop.create(PHONE).await;
    let mut left = 5;
    for (wait, channel) in [(30, "whatsapp"), (40, "voice"), (60, "sms"), (90, "voice")] {
        let code = app.inbox(6 - left).await[0].code.clone();
        left -= 1;
        assert_eq!(shop.check(&path, &wrong(&code)).await.json["attempts_left"], left);
        app.advance(wait);
        let again = shop.post(&format!("{path}/sends"), &json!({ "channel": channel })).await;
        assert_eq!((again.status, &again.json["attempts_left"]), (201, &json!(left)), "{channel}");
    }
    app.advance(120);
    let sixth = shop.post(&format!("{path}/sends"), &json!({ "channel": "sms" })).await;
    assert_eq!(sixth.problem(), (409, "no_sends_left"));
}

/// S33: calls and WhatsApp messages cost money as well, so they count for the ceilings of texts.
#[tokio::test(flavor = "multi_thread")]
async fn s33_calls_and_whatsapp_messages_count_as_texts() {
    let ceiling = ("LATCHKEY_SMS__TEXTS_PER_HOUR", "3");
    let app = TestApp::start_with(&[ALL, ceiling]).await;
    let shop = app.back_end(DEMO);
    let begin = async |number: usize, channel: &str| {
        let body = json!({ "to": format!("+4474001{number:05}"), "channel": channel });
        shop.post("/v1/verifications", &body).await
    };
    for (number, channel) in [(1, "voice"), (2, "whatsapp"), (3, "sms")] {
        assert_eq!(begin(number, channel).await.status, 201, "{channel}");
    }
    for channel in ["voice", "whatsapp", "sms"] {
        let refused = begin(4, channel).await;
        assert_eq!(refused.problem(), (429, "rate_limited"), "{channel}");
        assert_eq!(refused.json["limit"], "texts");
    }
    assert_eq!(
        shop.post("/v1/verifications", &json!({ "to": "jo@example.com" })).await.status,
        201
    );
}

/// S33: verifications by call that nobody approves close their destination for every channel.
#[tokio::test(flavor = "multi_thread")]
async fn s33_calls_that_stay_without_approval_close_a_destination() {
    let app = TestApp::start_with(&[ALL, ("LATCHKEY_SMS__GUARD_LEARNING", "0")]).await;
    let shop = app.back_end(DEMO);
    let begin = async |number: usize, channel: &str| {
        let body = json!({ "to": format!("+4474001{number:05}"), "channel": channel });
        shop.post("/v1/verifications", &body).await
    };
    for number in 0..10 {
        let channel = if number % 2 == 0 { "voice" } else { "whatsapp" };
        assert_eq!(begin(number, channel).await.status, 201);
    }
    for channel in ["voice", "whatsapp", "sms"] {
        assert_eq!(begin(10, channel).await.problem(), (429, "destination_blocked"), "{channel}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s33_a_landline_is_called_if_its_line_is_listed_for_calls_and_gets_no_text() {
    let lines = [
        ("LATCHKEY_SMS__COUNTRIES", "GB"),
        ("LATCHKEY_SMS__LINE_TYPES", "mobile"),
        ("LATCHKEY_SMS__CALL_LINE_TYPES", "mobile,fixed_line"),
    ];
    let app = TestApp::start_with(&[&[ALL][..], &lines].concat()).await;
    let shop = app.back_end(DEMO);
    let landline = "+442079460001";
    let created = shop.post("/v1/verifications", &json!({ "to": landline })).await;
    assert_eq!(created.json["delivery"]["channel"], "voice", "{}", created.text);
    assert_eq!(created.json["channels"], json!(["voice"]));
    for channel in ["sms", "whatsapp"] {
        let body = json!({ "to": landline, "channel": channel });
        let refused = shop.post("/v1/verifications", &body).await;
        assert_eq!(refused.problem(), (422, "invalid_recipient"), "{channel}");
        assert_eq!(refused.json["problem"], "not_mobile");
    }
    app.advance(30);
    let sends = format!("{}/sends", created.header("location"));
    let refused = shop.post(&sends, &json!({ "channel": "sms" })).await;
    assert_eq!(refused.problem(), (422, "invalid_recipient"));
    assert_eq!(shop.post(&sends, &json!({})).await.json["delivery"]["channel"], "voice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_is_unavailable_in_countries_that_no_provider_of_it_is_for() {
    let app = TestApp::start_with(&[ALL]).await;
    let file = "[[providers]]\nname = \"caller\"\nkind = \"inbox\"\nchannels = [\"voice\"]\n\
                countries = [\"GB\"]\n";
    std::fs::write(app.folder().join("latchkey.toml"), file).unwrap();
    let app = app.restart().await;
    let shop = app.back_end(DEMO);
    let begin = async |to: &str, channel: &str| {
        shop.post("/v1/verifications", &json!({ "to": to, "channel": channel })).await
    };
    let created = begin(PHONE, "voice").await;
    assert_eq!(created.json["channels"], json!(["sms", "whatsapp", "voice"]));
    let french = "+33612345678";
    assert_eq!(begin(french, "voice").await.problem(), (422, "channel_unavailable"));
    let created = begin(french, "sms").await;
    assert_eq!(created.json["channels"], json!(["sms", "whatsapp"]));
    app.advance(30);
    let sends = format!("{}/sends", created.header("location"));
    let refused = shop.post(&sends, &json!({ "channel": "voice" })).await;
    assert_eq!(refused.problem(), (422, "channel_unavailable"));
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_can_be_tried_at_the_sites_for_test_suites() {
    let app = TestApp::start_with(&[ALL]).await;
    let tests = app.back_end(APPROVE);
    let body = json!({ "to": PHONE, "channel": "whatsapp" });
    let created = tests.post("/v1/verifications", &body).await;
    assert_eq!(created.json["delivery"]["channel"], "whatsapp");
    app.advance(30);
    let sends = format!("{}/sends", created.header("location"));
    let again = tests.post(&sends, &json!({ "channel": "voice" })).await;
    assert_eq!((again.status, &again.json["delivery"]["channel"]), (201, &json!("voice")));
}
