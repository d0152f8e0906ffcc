//! A verification as a use case leaves it.

use otp::{CopyOnWrite, Outcome, ResultToken, State, Timestamp, Verification, token::MAX_LIFETIME};

/// A verification as it stood at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The verification.
    pub verification: CopyOnWrite<Verification>,
    /// The instant.
    pub now: Timestamp,
    /// The answer to an earlier request with the same idempotency key.
    pub repeated: bool,
}

/// Answer to a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The outcome.
    pub outcome: Outcome,
    /// The approval is this client's, and so is the proof (S31): its check was approved, or repeats the
    /// claim of the one that was.
    pub is_own: bool,
    /// The verification after it; `None` if it has expired or never was.
    pub snapshot: Option<Snapshot>,
    /// The answer to an earlier request with the same idempotency key.
    pub repeated: bool,
}

impl Snapshot {
    /// State of the verification at the instant.
    pub fn state(&self) -> State {
        self.verification.state(self.now)
    }

    /// Time until which the result of an approved verification can be redeemed; `None` once it has been.
    pub fn redeemable_until(&self) -> Option<Timestamp> {
        self.result().map(|result| result.expires_at)
    }

    pub(super) fn result(&self) -> Option<ResultToken> {
        ResultToken::issue(&self.verification, MAX_LIFETIME, self.now)
    }

    /// An expired verification looks like one that never was (S9).
    pub(super) fn is_visible(&self) -> bool {
        self.state() != State::Expired
    }
}
