//! Webhooks from a change to a real receiver: service, workers and store in this process, on a manual
//! clock.

mod alerts;
mod events;
mod fairness;
mod harness;
#[path = "../common/receiver.rs"]
mod receiver;
mod retries;

use self::receiver::{Receiver, Reply};

/// A receiver that accepts all events.
async fn accepting_receiver() -> Receiver {
    Receiver::replying([], Reply::status(204)).await
}
