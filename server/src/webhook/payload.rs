//! What a receiver reads: the payload of an event.
//!
//! It holds what the site's back end could ask for anyway, and neither a code nor a whole recipient:
//! receivers log what they are sent.

use std::collections::BTreeMap;

use otp::{
    Channel, DeliveryState, State, Timestamp, Verification,
    event::{Event, Reason},
};
use serde::{Deserialize, Serialize};

/// A payload, in the form that the scheme recommends.
#[derive(Serialize)]
struct Payload<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    /// When it happened, RFC 3339 in UTC with milliseconds.
    timestamp: String,
    data: &'a Data,
}

/// A verification as a receiver sees it.
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
    /// Nobody was sent anything: it proves nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    test: bool,
}

/// A message as a receiver sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct SendData {
    number: u32,
    channel: Channel,
    state: DeliveryState,
    tries: u32,
}

impl Data {
    /// A verification as it stands at `now`, with its newest message.
    pub(super) fn of(verification: &Verification, now: Timestamp) -> Self {
        let number = verification.send_count();
        Self {
            id: verification.id().to_string(),
            site: verification.site().to_owned(),
            state: verification.state(now),
            reason: None,
            purpose: verification.purpose().to_owned(),
            channel: verification.last_send().channel,
            recipient: verification.recipient().masked(),
            metadata: verification.details().metadata.clone(),
            delivery: SendData::of(verification.last_send(), number),
            test: verification.details().rehearsal,
        }
    }

    /// The same verification, of which nothing more is known than that its time is over.
    pub(super) fn expired(self) -> Self {
        Self { state: State::Expired, ..self }
    }

    /// The payload of an event of this verification that happened at `at`, in JSON.
    ///
    /// # Errors
    /// None that could be met: these values have a form in JSON.
    pub(super) fn tell(mut self, event: Event, at: Timestamp) -> serde_json::Result<String> {
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

/// The payload of an event of `verification` that happened at `now`, in JSON.
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
    data.tell(event, now)
}

impl SendData {
    fn of(send: &otp::send::Send, number: u32) -> Self {
        Self { number, channel: send.channel, state: send.delivery, tries: send.tries }
    }
}

/// Times are far from where a calendar ends; one that is not stands for the beginning.
fn rfc3339(at: Timestamp) -> String {
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

    fn told(verification: &Verification, event: Event) -> Value {
        serde_json::from_str(&payload(verification, event, START).unwrap()).unwrap()
    }

    #[test]
    fn a_payload_has_type_time_and_the_verification_without_code_and_whole_recipient() {
        let mut verification = opened();
        verification.record_delivery(1, DeliveryState::Sent, 2);
        verification.cancel(START);
        let payload = told(&verification, Event::Failed(Reason::Canceled));
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
    fn every_event_has_its_type_and_every_reason_its_word() {
        let verification = opened();
        let kind = |event| told(&verification, event)["type"].as_str().unwrap().to_owned();
        assert_eq!(kind(Event::Approved), "verification.approved");
        assert_eq!(kind(Event::DeliveryUpdated { number: 1 }), "delivery.updated");
        for (reason, word) in [
            (Reason::MaxAttemptsReached, "max_attempts_reached"),
            (Reason::Canceled, "canceled"),
            (Reason::Undeliverable, "undeliverable"),
            (Reason::Expired, "expired"),
        ] {
            assert_eq!(told(&verification, Event::Failed(reason))["data"]["reason"], word);
        }
        assert_eq!(told(&verification, Event::Approved)["data"].get("reason"), None);
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
    fn the_message_that_has_moved_is_the_one_that_is_told_of() {
        let mut verification = opened();
        let later = START + std::time::Duration::from_secs(30);
        let peppers = Peppers::new([Pepper::new([7; 32])]).unwrap();
        let code = Code::parse("654321").unwrap();
        verification.resend(Channel::Email, &code, &peppers, later).unwrap();
        verification.record_delivery(1, DeliveryState::Delivered, 1);
        let delivery =
            &told(&verification, Event::DeliveryUpdated { number: 1 })["data"]["delivery"];
        assert_eq!((&delivery["number"], &delivery["state"]), (&json!(1), &json!("delivered")));
        let delivery = &told(&verification, Event::Approved)["data"]["delivery"];
        assert_eq!((&delivery["number"], &delivery["state"]), (&json!(2), &json!("accepted")));
    }
}
