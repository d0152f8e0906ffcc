//! The effect of a command.

use otp::{CopyOnWrite, Outcome, Timestamp, Verification};

use super::{Refused, Snapshot};
use crate::store::Message;

/// Effect of a command.
#[derive(Clone, Debug)]
pub(super) struct Done {
    /// Outcome of a check.
    pub(super) outcome: Option<Outcome>,
    /// The approval is this client's: its check was approved, or repeats the claim of the one that was.
    pub(super) is_own: bool,
    /// The verification afterwards; `None` if the client cannot reach any.
    pub(super) verification: Option<CopyOnWrite<Verification>>,
    /// A message to be handed over now.
    pub(super) message: Option<Message>,
    /// Time of the effect.
    pub(super) at: Timestamp,
    /// An earlier request with the same idempotency key had the effect.
    pub(super) repeated: bool,
}

impl Done {
    /// The verification at the time of the effect.
    pub(super) fn snapshot(self) -> Result<Snapshot, Refused> {
        let Self { verification, at: now, repeated, .. } = self;
        let verification = verification.ok_or(Refused::NotFound)?;
        Ok(Snapshot { verification, now, repeated })
    }
}
