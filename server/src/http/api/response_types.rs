//! What is answered, as JSON.
//!
//! Words and bounds are those of [`app::wire`]; here they get a description, and times their form:
//! RFC 3339 in UTC with milliseconds.

use std::collections::BTreeMap;

use app::wire;
use jiff::{Timestamp, fmt::temporal::DateTimePrinter};
use otp::token::Assurance;
use serde::{Serialize, Serializer};
use serde_json::Value;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type},
};

use crate::api;

/// Three digits behind the seconds.
const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));

/// A time, in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time(u64);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let millis = i64::try_from(self.0).unwrap_or(i64::MAX);
        let time = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX);
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

/// Declares the words of a closed set for the description.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident($of:ty): $($word:expr),+) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Serialize)]
        #[serde(transparent)]
        pub(super) struct $name($of);

        impl ToSchema for $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let words = [$($word),+].map(|word: $of| {
                    serde_json::to_value(word).unwrap_or(Value::Null)
                });
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .enum_values(Some(words))
                    .build()
                    .into()
            }
        }
    };
}

words! {
    /// A way for a code to travel.
    Channel(wire::Channel): wire::Channel::Email, wire::Channel::Sms
}

words! {
    /// Where a verification stands.
    State(wire::State): wire::State::Pending, wire::State::Approved, wire::State::Canceled,
        wire::State::Expired, wire::State::MaxAttemptsReached, wire::State::Failed
}

words! {
    /// How far a message has come.
    DeliveryState(wire::DeliveryState): wire::DeliveryState::Accepted, wire::DeliveryState::Sent,
        wire::DeliveryState::Delivered, wire::DeliveryState::Undelivered
}

words! {
    /// What was proven.
    Proof(Assurance): Assurance::AddressConfirmation, Assurance::Possession
}

/// A verification.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Verification {
    /// Its id.
    #[schema(pattern = "^[A-Za-z0-9_-]{32}$", example = "AZ2mTQ8uX0eKq1v7dYc3LrWb5nHs9gPo")]
    id: String,
    /// Where it stands. It never goes back.
    #[schema(inline)]
    state: State,
    /// Whom the code goes to, masked.
    #[schema(example = "j***@example.com")]
    recipient: String,
    /// What is verified for.
    #[schema(example = "sign-up")]
    purpose: String,
    /// How many digits the code has.
    #[schema(minimum = 4, maximum = 10, example = 6)]
    code_length: u8,
    /// How many guesses are left.
    #[schema(example = 5)]
    attempts_left: u32,
    /// How many messages may still be asked for.
    #[schema(example = 4)]
    sends_left: u32,
    /// The newest message.
    #[schema(inline)]
    delivery: Delivery,
    /// The channels by which another code can be asked for.
    #[schema(inline)]
    channels: Vec<Channel>,
    /// When it was opened.
    #[schema(inline)]
    created_at: Time,
    /// When the newest code stops being accepted.
    #[schema(inline)]
    code_expires_at: Time,
    /// From when on another code may be asked for.
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
    /// The page on which the person types the code.
    #[schema(
        format = "uri",
        example = "https://otp.example.com/v/AZ2mTQ8uX0eKq1v7dYc3LrWb5nHs9gPo"
    )]
    url: String,
    /// Where the person is sent back to.
    #[schema(required = true)]
    return_url: Option<String>,
    /// The `state` that it was begun with, which comes back with the result.
    #[schema(required = true)]
    page_state: Option<String>,
    /// Your own words on it.
    metadata: BTreeMap<String, String>,
    /// Nobody was sent anything: it serves tests and proves nothing.
    test: bool,
}

/// A message.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Delivery {
    /// The channel that it went by.
    #[schema(inline)]
    channel: Channel,
    /// How far it has come.
    #[schema(inline)]
    state: DeliveryState,
    /// How many times a provider was asked to take it.
    #[schema(example = 1)]
    tries: u32,
    /// How many messages this verification has sent, this one included.
    #[schema(minimum = 1, example = 1)]
    number: u32,
}

/// What came of a guess.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum CheckResult {
    /// The right code, in time, for the first time.
    Approved,
    /// The right code of a verification that it had approved before.
    AlreadyUsed,
    /// Well-formed and not the code.
    Incorrect,
    /// Not as many digits as were sent, or not digits. It costs no attempt.
    Malformed,
    /// The code or the verification is past its time, never was, or is another site's.
    Expired,
    /// The budget of guesses is spent.
    TooManyAttempts,
    /// The verification was called off.
    Canceled,
}

/// The answer to a check.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Check {
    /// What came of the guess.
    #[schema(inline)]
    result: CheckResult,
    /// With `incorrect`: how many guesses are left.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u32, required = false, example = 4)]
    attempts_left: Option<u32>,
    /// With `malformed`: how many digits the code has.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u8, required = false, minimum = 4, maximum = 10, example = 6)]
    expected: Option<u8>,
    /// The verification after it; null where it has expired, never was or is another site's.
    #[schema(required = true)]
    verification: Option<Verification>,
}

/// What a result token proves.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Redemption {
    /// The verification.
    #[schema(pattern = "^[A-Za-z0-9_-]{32}$", example = "AZ2mTQ8uX0eKq1v7dYc3LrWb5nHs9gPo")]
    verification_id: String,
    /// Where it stands: approved, or it would have no token.
    #[schema(inline)]
    state: State,
    /// Whom the code went to, whole: an address, or a number in E.164.
    #[schema(example = "jane@example.com")]
    recipient: String,
    /// The channel that was proven.
    #[schema(inline)]
    channel: Channel,
    /// What that proves. An e-mail confirms an address and is never a second factor.
    #[schema(inline)]
    assurance: Proof,
    /// What was verified for.
    #[schema(example = "sign-up")]
    purpose: String,
    /// The `state` of the page that began it. Compare it with the one that you gave that page.
    #[schema(required = true)]
    page_state: Option<String>,
    /// The origin of the page that it was embedded in.
    #[schema(required = true)]
    origin: Option<String>,
    /// Your own words on it.
    metadata: BTreeMap<String, String>,
    /// When the right code was typed.
    #[schema(inline, required = true)]
    approved_at: Option<Time>,
    /// When the token was redeemed for the first time.
    #[schema(inline, required = true)]
    redeemed_at: Option<Time>,
    /// Nobody was sent anything: it serves tests and proves nothing.
    test: bool,
}

impl From<api::Verification> for Verification {
    fn from(from: api::Verification) -> Self {
        let wire::VerificationView { delivery, .. } = from.view;
        Self {
            id: from.view.id,
            state: State(from.view.state),
            recipient: from.view.recipient,
            purpose: from.purpose,
            code_length: from.view.code_length,
            attempts_left: from.view.attempts_left,
            sends_left: from.view.sends_left,
            delivery: Delivery {
                channel: Channel(delivery.channel),
                state: DeliveryState(delivery.state),
                tries: delivery.tries,
                number: delivery.number,
            },
            channels: from.view.channels.into_iter().map(Channel).collect(),
            created_at: Time(from.created_at),
            code_expires_at: Time(from.view.code_expires_at),
            resend_at: Time(from.view.resend_at),
            expires_at: Time(from.view.expires_at),
            finished_at: from.finished_at.map(Time),
            redeemed_at: from.redeemed_at.map(Time),
            url: from.url,
            return_url: from.return_url,
            page_state: from.state,
            metadata: from.metadata,
            test: from.test,
        }
    }
}

impl From<api::Checked> for Check {
    fn from(checked: api::Checked) -> Self {
        let (result, attempts_left, expected) = match checked.outcome {
            wire::Outcome::Approved => (CheckResult::Approved, None, None),
            wire::Outcome::AlreadyUsed => (CheckResult::AlreadyUsed, None, None),
            wire::Outcome::Incorrect { attempts_left } => {
                (CheckResult::Incorrect, Some(attempts_left), None)
            }
            wire::Outcome::Malformed { expected } => (CheckResult::Malformed, None, Some(expected)),
            wire::Outcome::Expired => (CheckResult::Expired, None, None),
            wire::Outcome::TooManyAttempts => (CheckResult::TooManyAttempts, None, None),
            wire::Outcome::Canceled => (CheckResult::Canceled, None, None),
        };
        let verification = checked.verification.map(Verification::from);
        Self { result, attempts_left, expected, verification }
    }
}

impl From<api::Redeemed> for Redemption {
    fn from(redeemed: api::Redeemed) -> Self {
        let of = redeemed.verification;
        Self {
            verification_id: of.view.id,
            state: State(of.view.state),
            recipient: redeemed.recipient,
            channel: Channel(of.view.delivery.channel),
            assurance: Proof(redeemed.assurance),
            purpose: of.purpose,
            page_state: of.state,
            origin: redeemed.origin,
            metadata: of.metadata,
            approved_at: of.finished_at.map(Time),
            redeemed_at: of.redeemed_at.map(Time),
            test: of.test,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_in_utc_with_milliseconds() {
        let text = |millis| serde_json::to_value(Time(millis)).unwrap();
        assert_eq!(text(1_795_244_400_000), "2026-11-21T07:00:00.000Z");
        assert_eq!(text(1_795_244_400_123), "2026-11-21T07:00:00.123Z");
        assert_eq!(text(0), "1970-01-01T00:00:00.000Z");
        // No clock says so, but an answer is not lost over it.
        assert!(text(u64::MAX).is_string());
    }
}
