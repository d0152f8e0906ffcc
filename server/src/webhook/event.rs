//! What the outbox keeps of an event, and how it keeps it: encrypted, and bound to its place.

use aws_lc_rs::error::Unspecified;
use otp::{Timestamp, Verification, VerificationId, event::Event};
use serde::{Deserialize, Serialize};

use super::{
    payload::{Data, payload},
    schedule::OLDEST,
};
use crate::{
    derived_keys::{CannotOpen, Sealer},
    outbox::binding,
    store::{Message, MessageKey, OutboxChange, Queue},
};

/// The number under which a verification's deadline lies; its events count from 1.
const DEADLINE: u32 = 0;
/// The number of the event that time brings about. There is one such at the most, and whoever makes
/// it a second time makes the same one.
pub(super) const LAPSED: u32 = u32::MAX;

/// A message of the queue of events.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum QueuedEvent {
    /// Something has happened.
    Event {
        /// The relying party.
        site: String,
        /// What its receiver is sent, the same at every try.
        body: String,
    },
    /// Time may have ended a verification. This is how it stood when it was opened, in case that
    /// nothing else is left of it.
    Deadline(Box<Data>),
}

/// Why a notice cannot be opened again.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    /// It was altered, moved, or its key is gone.
    #[error("opening an event of the outbox")]
    Sealed(#[from] CannotOpen),
    /// It was written by another version of this program.
    #[error("reading an event of the outbox")]
    Content(#[source] serde_json::Error),
}

impl QueuedEvent {
    /// The relying party that it is for.
    pub(super) fn site(&self) -> &str {
        match self {
            Self::Event { site, .. } => site,
            Self::Deadline(data) => &data.site,
        }
    }

    /// Encrypts it for its place in the outbox, due at `at`.
    fn schedule(
        &self,
        (verification, number): (VerificationId, u32),
        at: Timestamp,
        sealer: &Sealer,
    ) -> Result<OutboxChange, Unspecified> {
        let key = MessageKey { queue: Queue::Events, verification, number };
        let plain = serde_json::to_vec(self).map_err(|_| Unspecified)?;
        let sealed = sealer.seal(&binding(&key), &plain)?;
        let expires_at = at + OLDEST;
        let message =
            Message { key, expires_at, tries: 0, unanswered: 0, leased_until: at, sealed };
        Ok(OutboxChange::Schedule { message, at })
    }

    /// Decrypts what lies in the outbox.
    pub(super) fn open(message: &Message, sealer: &Sealer) -> Result<Self, Unreadable> {
        let plain = sealer.open(&binding(&message.key), &message.sealed)?;
        serde_json::from_slice(&plain).map_err(Unreadable::Content)
    }
}

/// Puts an event under its number into the outbox, to be told at once.
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

/// Puts the event that time has brought about into the outbox, of a verification of which nothing
/// but its deadline is left.
pub(super) fn lapsed(
    id: VerificationId,
    (data, event): (Data, Event),
    now: Timestamp,
    sealer: &Sealer,
) -> Result<OutboxChange, Unspecified> {
    let site = data.site.clone();
    let body = data.expired().tell(event, now).map_err(|_| Unspecified)?;
    QueuedEvent::Event { site, body }.schedule((id, LAPSED), now, sealer)
}

/// Puts the deadline of a verification that was just opened into the outbox.
pub(super) fn deadline(
    verification: &Verification,
    now: Timestamp,
    sealer: &Sealer,
) -> Result<OutboxChange, Unspecified> {
    let notice = QueuedEvent::Deadline(Box::new(Data::of(verification, now)));
    notice.schedule((verification.id(), DEADLINE), verification.expires_at(), sealer)
}

/// Takes the deadline of a verification away, which has ended before it.
pub(super) fn without_deadline(verification: VerificationId) -> OutboxChange {
    let key = MessageKey { queue: Queue::Events, verification, number: DEADLINE };
    OutboxChange::Remove { key }
}
