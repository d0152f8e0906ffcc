//! Delivery of codes: messages, templates, providers and the worker.
//!
//! A [`Provider`] is given one [`OutgoingMessage`] and returns a [`Receipt`] or the kind of failure. It
//! has no queue and does not retry; the [`DeliveryWorker`] does, and the [`Dispatcher`] selects the
//! provider.

mod cut_off;
pub mod dispatcher;
pub mod envelope;
mod error;
pub mod inbox;
pub mod outgoing_message;
pub mod provider;
pub mod smtp;
pub mod template;
pub mod twilio;
pub mod worker;

pub use self::{
    dispatcher::Dispatcher,
    error::{Failure, ProbeError, SetUpError, Undelivered},
    inbox::Inbox,
    outgoing_message::{HandOver, OutgoingMessage, Receipt},
    provider::Provider,
    smtp::{Smtp, SmtpSecurity, SmtpSettings, parse_sender},
    twilio::{Twilio, TwilioSettings},
    worker::DeliveryWorker,
};
