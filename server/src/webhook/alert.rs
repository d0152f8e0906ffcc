//! Alerts for the operator: log lines, and messages for the operator's receiver.

use aws_lc_rs::{
    digest::{SHA256, digest},
    error::Unspecified,
};
use otp::{Timestamp, VerificationId, alert::Alert};
use serde::Serialize;

use super::{event::QueuedEvent, payload::rfc3339};
use crate::{derived_keys::Sealer, store::OutboxChange};

/// Numbers of alerts begin here. The events of a verification count from 1 and are far fewer, and that of its
/// expiry has the number after the last alert.
const FIRST: u32 = 1 << 31;

/// A payload in the form that Standard Webhooks recommends.
#[derive(Serialize)]
struct Payload<'a> {
    #[serde(rename = "type")]
    kind: String,
    /// Time of the alert, RFC 3339 in UTC with milliseconds.
    timestamp: String,
    data: &'a Alert,
}

/// Outbox change that adds an alert, due now.
///
/// An alert has no number in its verification, which may not even be stored. Its number is a digest of
/// what it says, so that making it twice makes the same message.
pub(super) fn alert(
    alert: &Alert,
    verification: VerificationId,
    now: Timestamp,
    sealer: &Sealer,
) -> Result<OutboxChange, Unspecified> {
    let kind = format!("alert.{}", alert.kind());
    let payload = Payload { kind, timestamp: rfc3339(now), data: alert };
    let body = serde_json::to_string(&payload).map_err(|_| Unspecified)?;
    let number = number_of(&body);
    QueuedEvent::Alert { body }.schedule((verification, number), now, sealer)
}

/// A number that no event of a verification has.
fn number_of(body: &str) -> u32 {
    let digest = digest(&SHA256, body.as_bytes());
    let number = digest.as_ref().first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
    FIRST + number % (u32::MAX - FIRST)
}

/// Logs an alert by its fields.
pub(super) fn log(alert: &Alert) {
    let kind = alert.kind();
    match alert {
        Alert::DestinationClosed { site, destination, unverified, tolerated, recorded_only } => {
            tracing::warn!(kind, site, destination, unverified, tolerated, recorded_only, "alert");
        }
        Alert::DestinationOpened { site, destination } => {
            tracing::warn!(kind, site, destination, "alert");
        }
        Alert::CeilingReached { site, destination, texts, hours } => {
            tracing::warn!(kind, site, destination, texts, hours, "alert");
        }
        Alert::SpendingNear { site, spent, cap } | Alert::SpendingReached { site, spent, cap } => {
            tracing::warn!(kind, site, spent, cap, "alert");
        }
        Alert::GuessesUnusual { site, wrong, usual, length } => {
            tracing::warn!(kind, site, wrong, usual, length, "alert");
        }
        Alert::ProviderRefused { provider, reason } => {
            tracing::warn!(kind, provider, reason, "alert");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhook::event::LAPSED;

    #[test]
    fn the_numbers_of_alerts_are_those_of_no_event() {
        let numbers = (0..1000).map(|body| number_of(&body.to_string()));
        assert!(numbers.into_iter().all(|number| (FIRST..LAPSED).contains(&number)));
        assert_eq!(number_of("a"), number_of("a"));
        assert_ne!(number_of("a"), number_of("b"));
    }
}
