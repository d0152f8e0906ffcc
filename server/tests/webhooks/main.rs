//! Events from the change that they tell of to a real receiver: the service, both workers of the
//! outbox and the store in this process, on a clock that is moved by hand.

mod announced;
mod fairness;
mod house;
#[path = "../common/receiver.rs"]
mod receiver;
mod retried;

use self::receiver::{Receiver, Reply};

/// A receiver that takes everything.
async fn taking() -> Receiver {
    Receiver::replying([], Reply::status(204)).await
}
