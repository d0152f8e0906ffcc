//! The step that checks a verification at its deadline.

use std::sync::Arc;

use otp::{State, Timestamp, VerificationId, event::lapsed};

use super::{
    EventRecorder,
    event::{self, LAPSED},
    payload::Data,
};
use crate::store::{Decision, MessageKey, OutboxChange, Records, Step};

/// Replaces the deadline of a verification by its expiry event, or postpones it.
pub(super) struct Lapse {
    pub(super) key: MessageKey,
    pub(super) leased_until: Timestamp,
    pub(super) data: Data,
    pub(super) recorder: Arc<EventRecorder>,
    pub(super) now: Timestamp,
}

impl Step for Lapse {
    type Output = ();

    fn verification(&self) -> VerificationId {
        self.key.verification
    }

    fn now(&self) -> Timestamp {
        self.now
    }

    fn run(&mut self, records: &mut Records) -> Decision<()> {
        self.lapse(records);
        Decision::Commit(())
    }
}

impl Lapse {
    fn lapse(&self, records: &mut Records) {
        let Self { key, leased_until, now, .. } = *self;
        let sealer = self.recorder.sealer();
        let expiry = match &records.verification {
            Some(found) if found.state(now) == State::Pending => {
                // A resend has moved the deadline.
                let at = found.expires_at();
                let retry = OutboxChange::Retry { key, leased_until, at, tries: 0, unanswered: 0 };
                return records.outbox.push(retry);
            }
            Some(found) => {
                lapsed(found, now).map(|event| event::event(found, (event, LAPSED), now, sealer))
            }
            None => Some(event::lapsed(key.verification, self.data.clone(), now, sealer)),
        };
        records.outbox.push(OutboxChange::Remove { key });
        if let Ok(expiry) = expiry.transpose() {
            records.outbox.extend(expiry);
        } else {
            tracing::error!("encrypting a webhook event failed; the event is lost");
        }
    }
}
