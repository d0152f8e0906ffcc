//! Webhooks: events of verifications for relying parties, and alerts for the operator, sent as signed HTTP
//! requests in the form of *Standard Webhooks* (<https://www.standardwebhooks.com>).
//!
//! An event is written to the outbox in the same commit as its change ([`EventRecorder`]). The
//! [`WebhookWorker`] posts events to their receivers and retries for about a day. Receivers recognise
//! duplicates by the id of the event.
//!
//! Receivers are not trusted, and neither is their DNS (SSRF): requests to addresses that are not public
//! are refused unless the configuration allows them (`address_filter`, `resolver`), redirects are not
//! followed, and only the status and `Retry-After` of a response are read.

mod address_filter;
mod alert;
mod client;
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
    client::{FilteredClient, WebhookSettings},
    endpoint::{Endpoint, Receiver},
    payload::rfc3339,
    recorder::EventRecorder,
    resolver::Refused,
    sender::WebhookSender,
    signature::{Secret, Signer},
    worker::WebhookWorker,
};
