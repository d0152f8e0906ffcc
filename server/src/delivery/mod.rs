//! How a code reaches a person: the message, what it says, and the providers that carry it.
//!
//! A [`Provider`] takes one [`OutgoingMessage`] and answers with a [`Receipt`] or with why not, in the
//! three kinds that decide what happens next. It keeps no queue and tries nothing twice: when to
//! try again, and with whom, is the outbox worker's business.

pub mod dispatcher;
pub mod envelope;
pub mod inbox;
pub mod outgoing_message;
pub mod provider;
mod senders;
pub mod smtp;
pub mod template;
pub mod twilio;
pub mod worker;

pub use self::{
    dispatcher::Dispatcher,
    inbox::Inbox,
    outgoing_message::{Failure, OutgoingMessage, ProbeError, Receipt, Undelivered},
    provider::{Provider, SetUpError},
    senders::{SenderNames, Senders},
    smtp::{Smtp, SmtpSecurity, SmtpSettings},
    twilio::{Twilio, TwilioSettings},
    worker::DeliveryWorker,
};
