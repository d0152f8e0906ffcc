//! Payloads of events.
//!
//! A payload contains data that the site's back end can also request, and neither a code nor a whole
//! recipient, since receivers may log it.

use std::collections::BTreeMap;

use otp::{
    Channel, DeliveryState, State, Timestamp, Verification,
    event::{Event, Reason},
};
use serde::{Deserialize, Serialize};

/// A payload in the form that Standard Webhooks recommends.
#[derive(Serialize)]
struct Payload<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    /// Time of the event, RFC 3339 in UTC with milliseconds.
    timestamp: String,
    data: &'a Data,
}

/// The verification in a payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Data {
    pub(super) id: String,
    pub(super) site: String,
    state: State,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    purpose: String,
    channel: Channel,
    /// Masked.
    recipient: String,
    metadata: BTreeMap<String, String>,
    delivery: SendData,
    /// Test mode: no message was sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    test: bool,
}

/// The message in a payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct SendData {
    number: u32,
    channel: Channel,
    state: DeliveryState,
    tries: u32,
}

impl Data {
    /// A verification at `now`, with its newest message.
    pub(super) fn of(verification: &Verification, now: Timestamp) -> Self {
        let number = verification.send_count();
        Self {
            id: verification.id().to_string(),
            site: verification.site().to_owned(),
            state: verification.state(now),
            reason: None,
            purpose: verification.purpose().to_owned(),
            channel: verification.proven_channel(),
            recipient: verification.recipient().masked(),
            metadata: verification.details().metadata.clone(),
            delivery: SendData::of(verification.last_send(), number),
            test: verification.details().test_mode,
        }
    }

    /// The same verification, expired.
    pub(super) fn expired(self) -> Self {
        Self { state: State::Expired, ..self }
    }

    /// The payload of an event at `at`, in JSON.
    pub(super) fn payload(mut self, event: Event, at: Timestamp) -> serde_json::Result<String> {
        self.reason = match event {
            Event::Failed(reason) => Some(reason),
            Event::Approved | Event::DeliveryUpdated { .. } => None,
        };
        let kind = match event {
            Event::Approved => "verification.approved",
            Event::Failed(_) => "verification.failed",
            Event::DeliveryUpdated { .. } => "delivery.updated",
        };
        serde_json::to_string(&Payload { kind, timestamp: rfc3339(at), data: &self })
    }
}

/// The payload of an event of `verification` at `now`, in JSON.
pub(super) fn payload(
    verification: &Verification,
    event: Event,
    now: Timestamp,
) -> serde_json::Result<String> {
    let mut data = Data::of(verification, now);
    if let Event::DeliveryUpdated { number } = event
        && let Some(send) = verification.send(number)
    {
        data.delivery = SendData::of(send, number);
    }
    data.payload(event, now)
}

impl SendData {
    fn of(send: &otp::send::Send, number: u32) -> Self {
        Self { number, channel: send.channel, state: send.delivery, tries: send.tries }
    }
}

/// Formats a time; one beyond the calendar becomes the Unix epoch.
pub fn rfc3339(at: Timestamp) -> String {
    let millis = i64::try_from(at.as_millis()).unwrap_or_default();
    let at = jiff::Timestamp::from_millisecond(millis).unwrap_or_default();
    format!("{at:.3}")
}

#[cfg(test)]
mod tests {
    use otp::{
        Code, Details, Policy, Recipient, VerificationId,
        digest::{Pepper, Peppers},
        verification::Opening,
    };
    use serde_json::{Value, json};

    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_700_000_000_042);

    fn opened() -> Verification {
        let details = Details {
            metadata: [("order".to_owned(), "42".to_owned())].into(),
            ..Details::default()
        };
        let opening = Opening {
            id: VerificationId::first_at(START),
            site: "shop".into(),
            recipient: Recipient::parse("jo@example.com", None, None).unwrap(),
            purpose: "sign-up".into(),
            locale: "en".into(),
            policy: Policy::default(),
            details,
        };
        let peppers = Peppers::new([Pepper::new([7; 32])]).unwrap();
        let code = Code::parse("042917").unwrap();
        Verification::open(opening, Channel::Email, &code, &peppers, START)
    }

    fn parsed(verification: &Verification, event: Event) -> Value {
        serde_json::from_str(&payload(verification, event, START).unwrap()).unwrap()
    }

    #[test]
    fn a_payload_has_type_time_and_the_verification_without_code_and_whole_recipient() {
        let mut verification = opened();
        verification.record_delivery(1, DeliveryState::Sent, 2);
        verification.cancel(START);
        let payload = parsed(&verification, Event::Failed(Reason::Canceled));
        let expected = json!({
            "type": "verification.failed",
            "timestamp": "2023-11-14T22:13:20.042Z",
            "data": {
                "id": verification.id().to_string(),
                "site": "shop",
                "state": "canceled",
                "reason": "canceled",
                "purpose": "sign-up",
                "channel": "email",
                "recipient": "j***@example.com",
                "metadata": { "order": "42" },
                "delivery": { "number": 1, "channel": "email", "state": "sent", "tries": 2 },
            },
        });
        assert_eq!(payload, expected);
    }

    #[test]
    fn every_event_has_a_type_and_every_failure_a_reason() {
        let verification = opened();
        let kind = |event| parsed(&verification, event)["type"].as_str().unwrap().to_owned();
        assert_eq!(kind(Event::Approved), "verification.approved");
        assert_eq!(kind(Event::DeliveryUpdated { number: 1 }), "delivery.updated");
        for (reason, word) in [
            (Reason::MaxAttemptsReached, "max_attempts_reached"),
            (Reason::Canceled, "canceled"),
            (Reason::Undeliverable, "undeliverable"),
            (Reason::Expired, "expired"),
        ] {
            assert_eq!(parsed(&verification, Event::Failed(reason))["data"]["reason"], word);
        }
        assert_eq!(parsed(&verification, Event::Approved)["data"].get("reason"), None);
    }

    #[test]
    fn s8_neither_the_code_nor_the_whole_recipient_is_in_a_payload() {
        for event in
            [Event::Approved, Event::Failed(Reason::Expired), Event::DeliveryUpdated { number: 1 }]
        {
            let payload = payload(&opened(), event, START).unwrap();
            assert!(!payload.contains("042917") && !payload.contains("jo@"), "{payload}");
        }
    }

    #[test]
    fn a_delivery_update_shows_its_own_message_and_not_the_newest() {
        let mut verification = opened();
        let later = START + std::time::Duration::from_secs(30);
        let peppers = Peppers::new([Pepper::new([7; 32])]).unwrap();
        let code = Code::parse("654321").unwrap();
        verification.resend(Channel::Email, &code, &peppers, later).unwrap();
        verification.record_delivery(1, DeliveryState::Delivered, 1);
        let delivery =
            &parsed(&verification, Event::DeliveryUpdated { number: 1 })["data"]["delivery"];
        assert_eq!((&delivery["number"], &delivery["state"]), (&json!(1), &json!("delivered")));
        let delivery = &parsed(&verification, Event::Approved)["data"]["delivery"];
        assert_eq!((&delivery["number"], &delivery["state"]), (&json!(2), &json!("accepted")));
    }
}
