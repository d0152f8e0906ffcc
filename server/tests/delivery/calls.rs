//! Calls and WhatsApp messages by the provider `twilio`.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use otp::Channel;
use reqwest::Method;
use serde_json::json;
use server::delivery::{Failure, Receipt, TwilioSettings};

use crate::{
    NOW, by, message,
    twilio::{
        CONTENT, GERMAN_CONTENT, MockServer, PHONE, SID, TOKEN, error, field, provider, refusal_by,
    },
};

#[tokio::test]
async fn a_whatsapp_message_names_its_template_and_the_code() {
    let mut twilio = MockServer::with_status(201, json!({ "sid": "SM2" })).await;
    let provider = provider(twilio.settings());
    let mut message = by(Channel::Whatsapp, message(PHONE));
    let receipt = provider.deliver(&message, NOW).await.unwrap();
    assert_eq!(receipt, Receipt { provider: "twilio", reference: Some("SM2".to_owned()) });
    let request = twilio.next().await;
    assert_eq!(request.path, format!("/2010-04-01/Accounts/{SID}/Messages.json"));
    let expected = [
        field("To", &format!("whatsapp:{PHONE}")),
        field("From", "whatsapp:+447700900002"),
        field("ContentSid", CONTENT),
        field("ContentVariables", r#"{"1":"042917"}"#),
        field("ValidityPeriod", "300"),
    ];
    assert_eq!(request.form, expected);

    message.locale = "de-AT".to_owned();
    provider.deliver(&message, NOW).await.unwrap();
    assert!(twilio.next().await.form.contains(&field("ContentSid", GERMAN_CONTENT)));
    assert!(twilio.has_no_more_requests());
}

/// As the `VoiceResponse` of npm `twilio` 6.2.0 writes it.
const SCRIPT: &str = concat!(
    r#"<?xml version="1.0" encoding="UTF-8"?><Response>"#,
    r#"<Pause length="1"/><Say language="en-GB">Hello. Here is your Example code.</Say>"#,
    r#"<Pause length="1"/><Say language="en-GB">0</Say>"#,
    r#"<Pause length="1"/><Say language="en-GB">4</Say>"#,
    r#"<Pause length="1"/><Say language="en-GB">2</Say>"#,
    r#"<Pause length="1"/><Say language="en-GB">9</Say>"#,
    r#"<Pause length="1"/><Say language="en-GB">1</Say>"#,
    r#"<Pause length="1"/><Say language="en-GB">7</Say>"#,
    r#"<Pause length="1"/><Say language="en-GB">Once more, your code is:</Say>"#,
    r#"<Pause length="1"/><Say language="en-GB">0</Say>"#,
    r#"<Pause length="1"/><Say language="en-GB">4</Say>"#,
    r#"<Pause length="1"/><Say language="en-GB">2</Say>"#,
    r#"<Pause length="1"/><Say language="en-GB">9</Say>"#,
    r#"<Pause length="1"/><Say language="en-GB">1</Say>"#,
    r#"<Pause length="1"/><Say language="en-GB">7</Say>"#,
    r#"<Pause length="1"/><Say language="en-GB">Tell nobody. Type it only where you asked for it. "#,
    r"Goodbye.</Say></Response>",
);

#[tokio::test]
async fn a_call_is_one_request_with_everything_that_it_says() {
    let mut twilio =
        MockServer::with_status(201, json!({ "sid": "CA1", "status": "queued" })).await;
    let provider = twilio.provider();
    let receipt = provider.deliver(&by(Channel::Voice, message(PHONE)), NOW).await.unwrap();
    assert_eq!(receipt, Receipt { provider: "twilio", reference: Some("CA1".to_owned()) });

    let request = twilio.next().await;
    assert_eq!(request.method, Method::POST);
    assert_eq!(request.path, format!("/2010-04-01/Accounts/{SID}/Calls.json"));
    let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{SID}:{TOKEN}")));
    assert_eq!(request.authorization, basic);
    assert_eq!(
        request.form,
        [
            field("To", PHONE),
            field("From", "+447700900003"),
            field("Twiml", SCRIPT),
            field("Timeout", "25"),
            field("TimeLimit", "120"),
        ]
    );
    // Twilio's limit.
    assert!(SCRIPT.len() < 4000);

    provider.deliver(&by(Channel::Voice, message("+12025550123")), NOW).await.unwrap();
    assert!(twilio.next().await.form.contains(&field("From", "+12025550100")));
    assert!(twilio.has_no_more_requests());
}

#[tokio::test]
async fn s25_a_code_that_is_about_to_expire_is_not_called_out() {
    let mut twilio = MockServer::with_status(201, json!({ "sid": "CA1" })).await;
    let provider = twilio.provider();
    let call = by(Channel::Voice, message(PHONE));
    let before = |left: u64| call.expires_at - Duration::from_secs(left);
    provider.deliver(&call, before(27)).await.unwrap();
    let form = twilio.next().await.form;
    assert_eq!(form[3..], [field("Timeout", "5"), field("TimeLimit", "17")]);
    for left in [26, 1] {
        // A refusal would end the verification, and another code can still be sent.
        let late = provider.deliver(&call, before(left)).await.unwrap_err();
        assert_eq!(late.kind, Failure::Transient, "{left}");
    }
    let late = provider.deliver(&by(Channel::Whatsapp, call.clone()), before(0)).await;
    assert_eq!(late.unwrap_err().kind, Failure::Permanent);
    assert!(twilio.has_no_more_requests());
}

#[tokio::test]
async fn refusals_of_calls_and_whatsapp_messages_are_classified_like_those_of_texts() {
    for (status, body, kind) in [
        (400, error(21215), Failure::Permanent),
        (400, error(21211), Failure::Permanent),
        (400, error(63007), Failure::Permanent),
        (401, error(20003), Failure::Account),
        (429, error(20429), Failure::Transient),
        (500, json!({}), Failure::Ambiguous),
        (503, json!({}), Failure::Transient),
        (502, json!({}), Failure::Ambiguous),
    ] {
        for channel in [Channel::Voice, Channel::Whatsapp] {
            let twilio = MockServer::with_status(status, body.clone()).await;
            let undelivered = refusal_by(channel, &twilio.provider()).await;
            assert_eq!(undelivered.kind, kind, "{status} {channel:?}");
        }
    }
}

#[tokio::test]
async fn s25_a_call_that_is_not_confirmed_in_time_may_have_been_made() {
    for channel in [Channel::Voice, Channel::Whatsapp] {
        let mut twilio = MockServer::answering(None).await;
        let provider = twilio.provider();
        let (undelivered, ()) = tokio::join!(refusal_by(channel, &provider), async {
            twilio.next().await;
            tokio::time::pause();
        });
        tokio::time::resume();
        assert_eq!(undelivered.kind, Failure::Ambiguous);
        assert!(undelivered.reason.contains("timed out"), "{undelivered}");
    }
}

#[tokio::test]
async fn an_account_without_a_sender_for_a_channel_does_not_carry_it() {
    let twilio = MockServer::with_status(201, json!({ "sid": "SM1" })).await;
    let settings =
        TwilioSettings { sender: None, whatsapp: None, voice: None, ..twilio.settings() };
    let provider = provider(settings);
    for channel in Channel::OF_PHONES {
        let refused = provider.deliver(&by(*channel, message(PHONE)), NOW).await.unwrap_err();
        assert_eq!(refused.kind, Failure::Permanent, "{channel:?}");
    }
    assert!(twilio.has_no_more_requests());
}
