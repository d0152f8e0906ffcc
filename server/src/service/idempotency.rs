//! Requests that are sent again under the same `Idempotency-Key`.
//!
//! The answer is saved in the same commit as the effect of the request, so neither is ever there
//! without the other. Two requests that arrive together run one after the other inside the store,
//! and the second finds the answer of the first. Refusals are not saved: a client that was told to
//! wait and has waited gets a fresh answer.

use std::time::Duration;

use otp::{CopyOnWrite, Outcome, Timestamp, Verification};
use serde::{Deserialize, Serialize};

use super::{IdempotencyKey, Refused, done::Done};
use crate::{
    derived_keys::Sealer,
    store::{Decision, Records, SavedAnswer},
};

/// An answer is kept for longer than any client tries again.
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// Content of a saved answer. It is encrypted, since it holds the recipient and outlives the
/// verification.
#[derive(Serialize, Deserialize)]
struct Content<V> {
    fingerprint: [u8; 32],
    outcome: Option<Outcome>,
    verification: Option<V>,
    at: Timestamp,
}

/// Runs a command, or gives the answer that an earlier request with the same key has got.
pub(super) fn once(
    key: IdempotencyKey,
    sealer: &Sealer,
    now: Timestamp,
    records: &mut Records,
    command: impl FnOnce(&mut Records) -> Decision<Result<Done, Refused>>,
) -> Decision<Result<Done, Refused>> {
    if let Some(saved) = records.saved_answer.as_ref().filter(|saved| now < saved.expires_at) {
        return Decision::Abort(repeat(key, sealer, saved));
    }
    match command(records) {
        // An effect whose answer cannot be saved must not happen, or a repetition doubles it.
        Decision::Commit(Ok(done)) => match save(key, sealer, now, &done) {
            Ok(saved) => {
                records.saved_answer = Some(saved);
                Decision::Commit(Ok(done))
            }
            Err(refused) => Decision::Abort(Err(refused)),
        },
        other => other,
    }
}

fn repeat(key: IdempotencyKey, sealer: &Sealer, saved: &SavedAnswer) -> Result<Done, Refused> {
    // An answer that cannot be read any more cannot be known to be that of the same request.
    let plain = sealer.open(&key.digest, &saved.sealed).map_err(|_| Refused::KeyReused)?;
    let content: Content<Verification> =
        serde_json::from_slice(&plain).map_err(|_| Refused::KeyReused)?;
    if content.fingerprint != key.fingerprint {
        return Err(Refused::KeyReused);
    }
    let Content { outcome, verification, at, .. } = content;
    let verification = verification.map(CopyOnWrite::from);
    Ok(Done { outcome, is_own: false, verification, message: None, at, repeated: true })
}

fn save(
    key: IdempotencyKey,
    sealer: &Sealer,
    now: Timestamp,
    done: &Done,
) -> Result<SavedAnswer, Refused> {
    let content = Content {
        fingerprint: key.fingerprint,
        outcome: done.outcome,
        verification: done.verification.as_deref(),
        at: done.at,
    };
    let plain = serde_json::to_vec(&content).map_err(|_| Refused::Crypto)?;
    let sealed = sealer.seal(&key.digest, &plain).map_err(|_| Refused::Crypto)?;
    Ok(SavedAnswer { sealed, expires_at: now + KEPT })
}
