//! Bodies of answers. Times are RFC 3339 in UTC with milliseconds.

use std::collections::BTreeMap;

use jiff::fmt::temporal::DateTimePrinter;
use otp::{Assurance, Channel, CheckResult, DeliveryState, Outcome, State, Timestamp};
use serde::{Serialize, Serializer};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type},
};

use crate::{
    http::Context,
    service::{Checked, Snapshot},
};

/// Three digits behind the seconds.
const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));

/// A time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time(Timestamp);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let millis = i64::try_from(self.0.as_millis()).unwrap_or(i64::MAX);
        let time = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
        serializer.serialize_str(&PRINTER.timestamp_to_string(&time))
    }
}

impl ToSchema for Time {}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        let time = SchemaFormat::KnownFormat(KnownFormat::DateTime);
        ObjectBuilder::new().schema_type(Type::String).format(Some(time)).build().into()
    }
}

/// A verification.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Verification {
    /// Its id.
    #[schema(pattern = "^[A-Za-z0-9_-]{32}$", example = "AZ2mTQ8uX0eKq1v7dYc3LrWb5nHs9gPo")]
    id: String,
    /// State. It never goes back.
    state: State,
    /// Recipient of the code, masked.
    #[schema(example = "j***@example.com")]
    recipient: String,
    /// Purpose of the verification.
    #[schema(example = "sign-up")]
    purpose: String,
    /// Number of digits of the code.
    #[schema(minimum = 4, maximum = 10, example = 6)]
    code_length: u8,
    /// Guesses that are left.
    #[schema(example = 5)]
    attempts_left: u32,
    /// Messages that may still be asked for.
    #[schema(example = 4)]
    sends_left: u32,
    /// The newest message.
    delivery: Delivery,
    /// The channels by which another code can be asked for, in the order to offer them.
    channels: Vec<Channel>,
    /// When it was opened.
    #[schema(inline)]
    created_at: Time,
    /// When the newest code stops being accepted.
    #[schema(inline)]
    code_expires_at: Time,
    /// Time from which another code may be asked for.
    #[schema(inline)]
    resend_at: Time,
    /// When the verification expires as a whole.
    #[schema(inline)]
    expires_at: Time,
    /// When it ended, if it did other than by time.
    #[schema(inline, required = true)]
    finished_at: Option<Time>,
    /// When its result was redeemed, if it was.
    #[schema(inline, required = true)]
    redeemed_at: Option<Time>,
    /// The hosted page, on which the person types the code. It knows no verification that began in an
    /// element.
    #[schema(
        format = "uri",
        example = "https://otp.example.com/v/AZ2mTQ8uX0eKq1v7dYc3LrWb5nHs9gPo"
    )]
    url: String,
    /// Return URL of the hosted page.
    #[schema(required = true)]
    return_url: Option<String>,
    /// The `state` that it was begun with, which comes back with the result.
    #[schema(required = true)]
    page_state: Option<String>,
    /// The `metadata` that it was begun with.
    metadata: BTreeMap<String, String>,
    /// Nothing was sent: it serves tests and proves nothing.
    test: bool,
}

/// A message.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Delivery {
    /// The channel that it went by.
    channel: Channel,
    /// Progress of the delivery.
    state: DeliveryState,
    /// Number of times that a provider was asked to take it.
    #[schema(example = 1)]
    tries: u32,
    /// Number of messages of this verification, this one included.
    #[schema(minimum = 1, example = 1)]
    number: u32,
}

/// The answer to a check.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Check {
    /// Result of the check.
    result: CheckResult,
    /// With `incorrect`: guesses that are left.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u32, required = false, example = 4)]
    attempts_left: Option<u32>,
    /// The guess was refused before and is wrong still, so it has cost no attempt. Only with `incorrect`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    already_tried: bool,
    /// With `malformed`: number of digits of the code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u8, required = false, minimum = 4, maximum = 10, example = 6)]
    expected: Option<u8>,
    /// The verification after it; null where it has expired, never was or is another site's.
    #[schema(required = true)]
    verification: Option<Verification>,
}

/// Proof of a result token.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Redemption {
    /// The verification.
    #[schema(pattern = "^[A-Za-z0-9_-]{32}$", example = "AZ2mTQ8uX0eKq1v7dYc3LrWb5nHs9gPo")]
    verification_id: String,
    /// State: `approved`, or it would have no token.
    state: State,
    /// The recipient, whole and in canonical form: an address in lower case, or a number in E.164.
    /// All spellings of one recipient have the same one.
    #[schema(example = "jane@example.com")]
    recipient: String,
    /// The recipient with the spelling of its local part as it was typed.
    #[schema(example = "Jane@example.com")]
    recipient_as_typed: String,
    /// The channel that was proven: that of the code that was typed.
    channel: Channel,
    /// Strength of the proof. An e-mail or a WhatsApp message confirms an address or account and is never a second
    /// factor.
    assurance: Assurance,
    /// Purpose of the verification.
    #[schema(example = "sign-up")]
    purpose: String,
    /// The `state` of the page that began it. Compare it with the one that you gave that page.
    #[schema(required = true)]
    page_state: Option<String>,
    /// The origin of the page that it was embedded in.
    #[schema(required = true)]
    origin: Option<String>,
    /// The `metadata` that it was begun with.
    metadata: BTreeMap<String, String>,
    /// When the right code was typed.
    #[schema(inline, required = true)]
    approved_at: Option<Time>,
    /// When the token was redeemed for the first time.
    #[schema(inline, required = true)]
    redeemed_at: Option<Time>,
    /// Nothing was sent: it serves tests and proves nothing.
    test: bool,
}

impl Verification {
    pub(super) fn of(snapshot: &Snapshot, context: &Context) -> Self {
        let verification = &snapshot.verification;
        let (send, details) = (verification.last_send(), verification.details());
        let id = verification.id().to_string();
        Self {
            state: snapshot.state(),
            recipient: verification.recipient().masked(),
            purpose: verification.purpose().to_owned(),
            code_length: verification.code_length(),
            attempts_left: verification.attempts_left(),
            sends_left: verification.sends_left(),
            delivery: Delivery {
                channel: send.channel,
                state: send.delivery,
                tries: send.tries,
                number: verification.send_count(),
            },
            channels: context.web.service.channels_of(verification),
            created_at: Time(verification.created_at()),
            code_expires_at: Time(verification.code_expires_at()),
            resend_at: Time(verification.resend_at()),
            expires_at: Time(verification.expires_at()),
            finished_at: verification.finished_at().map(Time),
            redeemed_at: verification.redeemed_at().map(Time),
            url: format!("{}/v/{id}", context.web.origin),
            id,
            return_url: details.return_url.clone(),
            page_state: details.page_state.clone(),
            metadata: details.metadata.clone(),
            test: details.test_mode,
        }
    }
}

impl Check {
    pub(super) fn of(checked: &Checked, context: &Context) -> Self {
        let (attempts_left, expected) = match checked.outcome {
            Outcome::Incorrect { attempts_left } | Outcome::AlreadyTried { attempts_left } => {
                (Some(attempts_left), None)
            }
            Outcome::Malformed { expected, .. } => (None, Some(expected)),
            _ => (None, None),
        };
        let snapshot = checked.snapshot.as_ref();
        Self {
            result: checked.outcome.result(),
            attempts_left,
            already_tried: matches!(checked.outcome, Outcome::AlreadyTried { .. }),
            expected,
            verification: snapshot.map(|snapshot| Verification::of(snapshot, context)),
        }
    }
}

impl Redemption {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let verification = &snapshot.verification;
        let details = verification.details();
        let channel = verification.proven_channel();
        Self {
            verification_id: verification.id().to_string(),
            state: snapshot.state(),
            recipient: verification.recipient().canonical(),
            recipient_as_typed: verification.recipient().address().to_owned(),
            channel,
            assurance: Assurance::of(channel),
            purpose: verification.purpose().to_owned(),
            page_state: details.page_state.clone(),
            origin: details.origin.clone(),
            metadata: details.metadata.clone(),
            approved_at: verification.finished_at().map(Time),
            redeemed_at: verification.redeemed_at().map(Time),
            test: details.test_mode,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_in_utc_with_milliseconds() {
        let text = |millis| serde_json::to_value(Time(Timestamp::from_millis(millis))).unwrap();
        assert_eq!(text(1_795_244_400_000), "2026-11-21T07:00:00.000Z");
        assert_eq!(text(1_795_244_400_123), "2026-11-21T07:00:00.123Z");
        assert_eq!(text(0), "1970-01-01T00:00:00.000Z");
        // No clock says so, but an answer is not lost over it.
        assert!(text(u64::MAX).is_string());
    }
}
