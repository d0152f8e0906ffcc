//! Encrypted content of the outbox messages that carry events.

use aws_lc_rs::error::Unspecified;
use otp::{
    Timestamp, Verification, VerificationId,
    event::{Event, Reason},
};
use serde::{Deserialize, Serialize};

use super::{
    endpoint::Receiver,
    payload::{Data, payload},
    schedule::MAX_AGE,
};
use crate::{
    derived_keys::Sealer,
    outbox::{self, Unreadable},
    store::{Message, MessageKey, OutboxChange, Queue},
};

/// Number of a verification's deadline; its events count from 1.
const DEADLINE: u32 = 0;
/// Number of the expiry event. There is at most one, so making it twice makes the same message.
pub(super) const LAPSED: u32 = u32::MAX;

/// Content of a message in the queue of events.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum QueuedEvent {
    /// An event for the site's receiver.
    Event {
        /// Name of the site.
        site: String,
        /// The request body, the same for all tries.
        body: String,
    },
    /// The expiry of a verification, to be checked when it is due. Holds the data of the verification when
    /// it was opened, in case it has been deleted by then.
    Deadline(Box<Data>),
    /// An alert for the operator's receiver.
    Alert {
        /// The request body, the same for all tries.
        body: String,
    },
}

impl QueuedEvent {
    /// Its receiver.
    pub(super) fn receiver(&self) -> Receiver {
        match self {
            Self::Event { site, .. } => Receiver::Site(site.clone()),
            Self::Deadline(data) => Receiver::Site(data.site.clone()),
            Self::Alert { .. } => Receiver::Operator,
        }
    }

    /// Encrypts it as an outbox message that is due at `at`.
    pub(super) fn schedule(
        &self,
        (verification, number): (VerificationId, u32),
        at: Timestamp,
        sealer: &Sealer,
    ) -> Result<OutboxChange, Unspecified> {
        let key = MessageKey { queue: Queue::Events, verification, number };
        let sealed = outbox::seal(self, &key, sealer)?;
        let expires_at = at + MAX_AGE;
        let message = Message {
            key,
            expires_at,
            tries: 0,
            unanswered: 0,
            tried: String::new(),
            leased_until: at,
            sealed,
        };
        Ok(OutboxChange::Schedule { message, at })
    }

    /// Decrypts the content of an outbox message.
    pub(super) fn open(message: &Message, sealer: &Sealer) -> Result<Self, Unreadable> {
        outbox::open(&message.sealed, &message.key, sealer)
    }
}

/// Outbox change that adds an event, due now.
pub(super) fn event(
    verification: &Verification,
    (event, number): (Event, u32),
    now: Timestamp,
    sealer: &Sealer,
) -> Result<OutboxChange, Unspecified> {
    let body = payload(verification, event, now).map_err(|_| Unspecified)?;
    let site = verification.site().to_owned();
    QueuedEvent::Event { site, body }.schedule((verification.id(), number), now, sealer)
}

/// Outbox change that adds the expiry event of a verification that has been deleted.
pub(super) fn lapsed(
    id: VerificationId,
    data: Data,
    now: Timestamp,
    sealer: &Sealer,
) -> Result<OutboxChange, Unspecified> {
    let site = data.site.clone();
    let expired = Event::Failed(Reason::Expired);
    let body = data.expired().payload(expired, now).map_err(|_| Unspecified)?;
    QueuedEvent::Event { site, body }.schedule((id, LAPSED), now, sealer)
}

/// Outbox change that adds the deadline of a new verification.
pub(super) fn deadline(
    verification: &Verification,
    now: Timestamp,
    sealer: &Sealer,
) -> Result<OutboxChange, Unspecified> {
    let deadline = QueuedEvent::Deadline(Box::new(Data::of(verification, now)));
    deadline.schedule((verification.id(), DEADLINE), verification.expires_at(), sealer)
}

/// Outbox change that removes the deadline of a verification that has ended.
pub(super) fn without_deadline(verification: VerificationId) -> OutboxChange {
    let key = MessageKey { queue: Queue::Events, verification, number: DEADLINE };
    OutboxChange::Remove { key }
}
