//! Receipts as gateways document them, and bounces of a real Postfix.

use std::sync::Arc;

use otp::{Channel, VerificationId};
use reqwest::header::{HeaderMap, HeaderName};
use secrecy::ExposeSecret;
use serde_json::json;
use server::{
    delivery::{
        Dispatcher, Forged, KindSettings, OutgoingMessage, ReceiptAddress, ReceiptRequest,
        Receipts, Report, Route, RouteSettings, Told,
    },
    derived_keys::DerivedKeys,
    origin::Origin,
    webhook::Secret,
};

use crate::{
    NOW,
    gateway::{Gateway, PHONE, keyring, route, webhook},
    message,
    postfix::Postfix,
    presets::{plivo, telnyx, vonage, vonage_answer},
};

/// A provider with its reader of receipts.
struct Reporting {
    route: Arc<Route>,
    receipts: Receipts,
    keys: DerivedKeys,
    id: VerificationId,
}

impl Reporting {
    fn of(route: Route) -> Self {
        let route = Arc::new(route);
        let both = Dispatcher::new(
            [Channel::Email, Channel::Sms].map(|channel| (channel, vec![route.clone()])),
        );
        let origin = Origin::parse("https://login.example.com").unwrap();
        let keys = DerivedKeys::derive(&keyring()).unwrap();
        Self {
            receipts: Receipts::new(both, origin),
            id: VerificationId::first_at(NOW),
            route,
            keys,
        }
    }

    fn reference(&self) -> String {
        self.keys.receipts.reference(self.route.name(), self.id, 1).unwrap()
    }

    fn url(&self) -> String {
        let (name, reference) = (self.route.name(), self.reference());
        format!("https://login.example.com/receipts/{name}/{reference}")
    }

    fn message(&self, to: &str) -> OutgoingMessage {
        let receipts = Some(ReceiptAddress { url: self.url(), reference: self.reference() });
        OutgoingMessage { receipts, ..message(to) }
    }

    fn read(
        &self,
        reference: Option<&str>,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Option<Report>, Forged> {
        let parsed = |(name, value): &(&str, &str)| {
            (name.parse::<HeaderName>().unwrap(), value.parse().unwrap())
        };
        let headers: HeaderMap = headers.iter().map(parsed).collect();
        let (provider, query) = (self.route.name(), None);
        let request = ReceiptRequest { provider, reference, query, headers: &headers, body };
        self.receipts.read(&request, &self.keys.receipts, NOW)
    }

    /// The fate in a body of this type that is posted to the URL of the message.
    fn told(&self, kind: &str, body: &str) -> Option<Told> {
        let (reference, headers) = (self.reference(), [("content-type", kind)]);
        let forged = format!("A{reference}");
        for reference in [&forged, &reference[1..], ""] {
            let read = self.read(Some(reference), &headers, body.as_bytes());
            assert_eq!(read, Err(Forged), "{reference}");
        }
        assert_eq!(self.read(None, &headers, body.as_bytes()), Err(Forged));
        let report = self.read(Some(&reference), &headers, body.as_bytes()).unwrap()?;
        assert_eq!((report.verification, report.number), (self.id, 1));
        assert_eq!(report.provider, self.route.name());
        Some(report.told)
    }
}

fn told(has_arrived: bool, reference: &str) -> Told {
    Told { has_arrived, reference: Some(reference.to_owned()) }
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

#[tokio::test]
async fn vonage_is_asked_for_receipts_and_its_receipts_are_understood() {
    let mut gateway = Gateway::answering(200, &vonage_answer("0")).await;
    let vonage = Reporting::of(vonage(&gateway));
    vonage.route.deliver(&vonage.message(PHONE), NOW).await.unwrap();
    assert!(gateway.next().await.form().contains(&("callback".to_owned(), vonage.url())));
    for (status, has_arrived) in [
        ("delivered", Some(true)),
        ("expired", Some(false)),
        ("failed", Some(false)),
        ("rejected", Some(false)),
        ("accepted", None),
        ("buffered", None),
        ("unknown", None),
    ] {
        let expected = has_arrived.map(|has_arrived| told(has_arrived, "0A0000000123ABCD1"));
        let form = format!(
            "msisdn=447700900142&to=442079460001&network-code=23410&messageId=0A0000000123ABCD1\
             &price=0.03330000&status={status}&scts=2001011400&err-code=0&message-timestamp=2020-01-01+12%3A00%3A00"
        );
        assert_eq!(vonage.told(FORM, &form), expected, "{status}");
        let json = json!({ "msisdn": "447700900142", "to": "442079460001", "messageId": "0A0000000123ABCD1",
                           "status": status, "err-code": "0" });
        assert_eq!(vonage.told(JSON, &json.to_string()), expected, "{status}");
    }
}

#[tokio::test]
async fn plivo_is_asked_for_receipts_and_its_receipts_are_understood() {
    let mut gateway = Gateway::answering(202, &json!({ "message_uuid": ["u-1"] })).await;
    let plivo = Reporting::of(plivo(&gateway));
    plivo.route.deliver(&plivo.message(PHONE), NOW).await.unwrap();
    assert_eq!(gateway.next().await.json()["url"], plivo.url());
    for (status, has_arrived) in [
        ("delivered", Some(true)),
        ("undelivered", Some(false)),
        ("failed", Some(false)),
        ("rejected", Some(false)),
        ("queued", None),
        ("sent", None),
    ] {
        let form = format!(
            "To=447700900142&From=442079460001&Type=sms&Status={status}&Units=1&MessageUUID=u-1&ErrorCode=000"
        );
        let expected = has_arrived.map(|has_arrived| told(has_arrived, "u-1"));
        assert_eq!(plivo.told(FORM, &form), expected, "{status}");
    }
}

#[tokio::test]
async fn telnyx_is_asked_for_receipts_and_its_receipts_are_understood() {
    let mut gateway = Gateway::answering(200, &json!({ "data": { "id": "t-1" } })).await;
    let telnyx = Reporting::of(telnyx(&gateway));
    telnyx.route.deliver(&telnyx.message(PHONE), NOW).await.unwrap();
    assert_eq!(gateway.next().await.json()["webhook_url"], telnyx.url());
    for (event, status, has_arrived) in [
        ("message.sent", "sent", None),
        ("message.finalized", "delivered", Some(true)),
        ("message.finalized", "delivery_failed", Some(false)),
        ("message.finalized", "sending_failed", Some(false)),
        ("message.finalized", "delivery_unconfirmed", None),
    ] {
        let to = json!([{ "phone_number": PHONE, "status": status, "line_type": "Wireless" }]);
        let payload =
            json!({ "record_type": "message", "direction": "outbound", "id": "t-1", "to": to });
        let data =
            json!({ "event_type": event, "id": "e-1", "payload": payload, "record_type": "event" });
        let expected = has_arrived.map(|has_arrived| told(has_arrived, "t-1"));
        assert_eq!(telnyx.told(JSON, &json!({ "data": data }).to_string()), expected, "{status}");
    }
}

#[tokio::test]
async fn a_gateway_of_ones_own_is_told_where_to_report_and_one_that_is_switched_off_is_not_heard() {
    let mut gateway = Gateway::answering(200, &json!({ "id": "g-1" })).await;
    let own = Reporting::of(route(RouteSettings { receipts: true, ..webhook(&gateway.url()) }));
    own.route.deliver(&own.message(PHONE), NOW).await.unwrap();
    assert_eq!(gateway.next().await.json()["data"]["receipt_url"], own.url());
    let off = Reporting::of(route(webhook(&gateway.url())));
    let (body, seconds) = (r#"{"type":"message.delivered","data":{"id":"x"}}"#, 1_700_000_000);
    let signature = crate::gateway::signer("own").sign("r", seconds, body.as_bytes());
    let seconds = seconds.to_string();
    let headers =
        [("webhook-id", "r"), ("webhook-timestamp", &seconds), ("webhook-signature", &signature)];
    assert_eq!(off.read(Some(&off.reference()), &headers, body.as_bytes()), Err(Forged));
}

#[tokio::test]
async fn s22_a_bounce_of_postfix_is_recognised_by_the_message_id_and_needs_the_secret() {
    let mut postfix = Postfix::start().await;
    let kind = KindSettings::Smtp(postfix.settings());
    let name = "own-mail".to_owned();
    let mail = Reporting::of(route(RouteSettings {
        name: name.clone(),
        countries: Vec::new(),
        receipts: true,
        kind,
    }));
    let receipt = mail.route.deliver(&mail.message("unknown@example.com"), NOW).await.unwrap();
    assert_eq!(receipt.reference, Some(format!("<{}@example.com>", mail.reference())));
    // Postfix took it; the server behind refuses the recipient, so the report comes back.
    let bounce = loop {
        let arrived = postfix.receiver.next("message").await;
        if arrived["to"][0] == "otp@example.com" {
            break arrived;
        }
    };
    assert_ne!(bounce["from"], "otp@example.com", "it has no sender, so that none can loop");
    let raw = bounce["raw"].as_str().unwrap();
    let secrets = Secret::of_provider(&keyring(), &name).unwrap();
    let secret = secrets[0].to_text().expose_secret().to_owned();
    let bearer = format!("Bearer {secret}");
    let report = mail.read(None, &[("authorization", &bearer)], raw.as_bytes()).unwrap().unwrap();
    let expected = Report {
        provider: name,
        verification: mail.id,
        number: 1,
        told: Told { has_arrived: false, reference: None },
    };
    assert_eq!(report, expected, "{raw}");

    for wrong in ["", "Bearer ", &secret, &bearer[..bearer.len() - 1], &format!("Basic {secret}")] {
        let read = mail.read(None, &[("authorization", wrong)], raw.as_bytes());
        assert_eq!(read, Err(Forged), "{wrong}");
    }
    assert_eq!(mail.read(None, &[], raw.as_bytes()), Err(Forged));
    assert_eq!(mail.read(Some(&mail.reference()), &[("authorization", &bearer)], b""), Err(Forged));
    // A mail with a made-up id is about nothing of ours.
    let other = raw.replace(&mail.reference(), &"A".repeat(59));
    assert_eq!(mail.read(None, &[("authorization", &bearer)], other.as_bytes()), Ok(None));
}
