//! Telling relying parties what becomes of their verifications, by signed HTTP requests in the
//! form of *Standard Webhooks* (<https://www.standardwebhooks.com>).
//!
//! An event is committed to the outbox in the same commit as the change that it tells of
//! ([`EventRecorder`]), so neither is ever there without the other. A [`WebhookWorker`] of its own takes events
//! to their receivers until they are taken, and repeats for a day and a bit. Who receives an event
//! twice can tell by its id.
//!
//! Receivers are other people's machines, and their names other people's to resolve. So nothing is
//! posted to an address inside the operator's own network unless the configuration allows it
//! (`address`, `resolver`), no redirect is followed, and nothing of an answer is read but its status
//! and how long to wait.

mod address_filter;
mod endpoint;
mod event;
mod expiry;
mod payload;
mod recorder;
mod resolver;
mod schedule;
mod sender;
mod signature;
mod worker;

pub use self::{
    address_filter::AddressFilter,
    endpoint::Endpoint,
    recorder::EventRecorder,
    sender::{WebhookSender, WebhookSettings},
    signature::{Secret, Signer},
    worker::WebhookWorker,
};
