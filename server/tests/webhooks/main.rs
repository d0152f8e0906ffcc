//! Events from the change that they tell of to a real receiver: the service, both workers of the
//! outbox and the store in this process, on a clock that is moved by hand.

mod announced;
mod fairness;
mod house;
#[path = "../common/receiver.rs"]
mod receiver;
mod retried;
