//! Delivery of codes: messages, templates, providers and the worker.
//!
//! A [`Provider`] is given one [`OutgoingMessage`] and returns a [`Receipt`] or the kind of failure. It
//! has no queue and does not retry; the [`DeliveryWorker`] does, and the [`Dispatcher`] selects the
//! provider of each try. A [`Route`] is a provider as the configuration lists it, with its name, its countries
//! and its circuit breaker.
//!
//! A new kind of provider is a module here and a variant of [`Provider`], which says the channels that it can
//! carry; its settings are read in `config::providers`.

mod cut_off;
pub mod dispatcher;
pub mod envelope;
mod error;
mod gateway;
pub mod http;
pub mod inbox;
pub mod outgoing_message;
pub mod provider;
pub mod receipt_reader;
pub mod receipts;
mod refusals;
mod route;
mod senders;
mod set_up_error;
mod slots;
pub mod smtp;
pub mod template;
mod tried;
pub mod twilio;
mod webhook;
pub mod worker;

pub use self::{
    dispatcher::Dispatcher,
    error::{Failure, Undelivered},
    inbox::Inbox,
    outgoing_message::{HandOver, OutgoingMessage, Receipt, ReceiptAddress},
    provider::{Kind, KindSettings, Provider, SetUp},
    receipt_reader::{Receipts, Report},
    receipts::{Forged, ReceiptFields, ReceiptRequest, Told},
    route::{FailedTry, Route, RouteSettings},
    senders::{Senders, TextSender, parse_number},
    set_up_error::{ProbeError, Probed, SenderProblem, SetUpError},
    smtp::{Smtp, SmtpSecurity, SmtpSettings, parse_sender},
    tried::Tried,
    twilio::{Twilio, TwilioSettings, VoiceSettings, WhatsappSettings},
    webhook::GatewaySettings,
    worker::DeliveryWorker,
};
