//! Requests that are sent again: the first answer, and nothing done (`Idempotency-Key`).
//!
//! What the answer was made from is kept in the same commit as what the request did, so there is no
//! moment at which the one is there without the other. Two that arrive together run one after the
//! other inside the store, and the second finds what the first has kept. Refusals are not kept:
//! whoever was told to wait and has waited gets a fresh answer.

use std::{sync::Arc, time::Duration};

use otp::{Timestamp, Verification, VerificationId, verification::Outcome};
use serde::{Deserialize, Serialize};

use super::{Refused, client::Request};
use crate::{
    derived_keys::Sealer,
    store::{CounterKey, Message, Records, SavedAnswer, Step},
};

/// How long an answer is kept: longer than any client tries again.
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// What a step has done.
#[derive(Clone, Debug)]
pub(super) struct Done {
    /// What came of a check.
    pub(super) outcome: Option<Outcome>,
    /// The verification afterwards; `None` where there is none that the client can reach.
    pub(super) verification: Option<Verification>,
    /// A message that is to be handed over now.
    pub(super) message: Option<Message>,
    /// When it was done.
    pub(super) at: Timestamp,
    /// It was done before, by the same request.
    pub(super) replayed: bool,
}

impl Done {
    /// What a change of a verification amounts to.
    pub(super) fn to(verification: Verification, at: Timestamp) -> Self {
        Self { outcome: None, verification: Some(verification), message: None, at, replayed: false }
    }
}

/// A step that is done once for each request.
pub(super) struct Once<S> {
    pub(super) step: S,
    pub(super) request: Option<Request>,
    pub(super) sealer: Arc<Sealer>,
    pub(super) now: Timestamp,
}

/// What is kept, encrypted: it holds the recipient, and outlives the verification.
#[derive(Serialize, Deserialize)]
struct Kept {
    fingerprint: [u8; 32],
    outcome: Option<Outcome>,
    verification: Option<Verification>,
    at: Timestamp,
}

impl<S> Step for Once<S>
where
    S: Step<Output = Result<Done, Refused>>,
{
    type Output = Result<Done, Refused>;

    fn verification(&self) -> VerificationId {
        self.step.verification()
    }

    fn counters(&self, verification: Option<&Verification>) -> Vec<CounterKey> {
        self.step.counters(verification)
    }

    fn idempotency_key(&self) -> Option<[u8; 16]> {
        self.request.map(|request| request.name)
    }

    fn run(&mut self, records: &mut Records) -> Self::Output {
        let Some(request) = self.request else { return self.step.run(records) };
        let kept =
            records.saved_answer.as_ref().filter(|saved_answer| self.now < saved_answer.expires_at);
        if let Some(saved_answer) = kept {
            return self.again(request, saved_answer);
        }
        let done = self.step.run(records)?;
        records.saved_answer = Some(self.keep(request, &done)?);
        Ok(done)
    }
}

impl<S> Once<S> {
    fn again(&self, request: Request, saved_answer: &SavedAnswer) -> Result<Done, Refused> {
        let plain = self.sealer.open(&request.name, &saved_answer.sealed);
        // What cannot be read any more cannot be known to be the same.
        let plain = plain.map_err(|_| Refused::RequestReused)?;
        let Kept { fingerprint, outcome, verification, at } =
            serde_json::from_slice(&plain).map_err(|_| Refused::RequestReused)?;
        if fingerprint != request.fingerprint {
            return Err(Refused::RequestReused);
        }
        Ok(Done { outcome, verification, message: None, at, replayed: true })
    }

    fn keep(&self, request: Request, done: &Done) -> Result<SavedAnswer, Refused> {
        let kept = Kept {
            fingerprint: request.fingerprint,
            outcome: done.outcome,
            verification: done.verification.clone(),
            at: done.at,
        };
        let plain = serde_json::to_vec(&kept).map_err(|_| Refused::Generator)?;
        let sealed = self.sealer.seal(&request.name, &plain).map_err(|_| Refused::Generator)?;
        Ok(SavedAnswer { sealed, expires_at: self.now + KEPT })
    }
}
