//! The check of a verification at its deadline.

use otp::{State, Timestamp, event::lapsed};

use super::{
    EventRecorder,
    event::{self, LAPSED},
    payload::Data,
};
use crate::store::{Message, OutboxChange, Records};

/// Replaces the deadline of a verification by its expiry event, or postpones it.
pub(super) fn check(
    deadline: &Message,
    data: &Data,
    recorder: &EventRecorder,
    records: &mut Records,
    now: Timestamp,
) {
    let Message { key, leased_until, .. } = *deadline;
    let sealer = recorder.sealer();
    let expiry = match &records.verification {
        Some(found) if found.state(now) == State::Pending => {
            // A resend has moved the deadline.
            let at = found.expires_at();
            let retry = OutboxChange::Retry {
                key,
                leased_until,
                at,
                tries: 0,
                unanswered: 0,
                tried: String::new(),
            };
            return records.outbox.push(retry);
        }
        Some(found) => {
            lapsed(found, now).map(|event| event::event(found, (event, LAPSED), now, sealer))
        }
        None => Some(event::lapsed(key.verification, data.clone(), now, sealer)),
    };
    records.outbox.push(OutboxChange::Remove { key });
    if let Ok(expiry) = expiry.transpose() {
        records.outbox.extend(expiry);
    } else {
        tracing::error!("encrypting a webhook event failed; the event is lost");
    }
}
