//! The step that looks at a verification when its deadline has come.

use std::sync::Arc;

use otp::{
    State, Timestamp, VerificationId,
    event::{Event, Reason, lapsed},
};

use super::{
    EventRecorder,
    event::{self, LAPSED},
    payload::Data,
};
use crate::store::{Decision, MessageKey, OutboxChange, Records, Step};

/// Turns the deadline of a verification into the event that it has brought about, both or neither.
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
        let told = match &records.verification {
            Some(found) if found.state(now) == State::Pending => {
                // Another code was sent in the meantime.
                let at = found.expires_at();
                let retry = OutboxChange::Retry { key, leased_until, at, tries: 0, unanswered: 0 };
                return records.outbox.push(retry);
            }
            Some(found) => {
                lapsed(found, now).map(|event| event::event(found, (event, LAPSED), now, sealer))
            }
            None => {
                let event = Event::Failed(Reason::Expired);
                Some(event::lapsed(key.verification, (self.data.clone(), event), now, sealer))
            }
        };
        records.outbox.push(OutboxChange::Remove { key });
        if let Ok(told) = told.transpose() {
            records.outbox.extend(told);
        } else {
            tracing::error!("an event could not be encrypted and is lost");
        }
    }
}
