//! How a code reaches a person: the letter, what it says, and the providers that carry it.
//!
//! A [`Provider`] takes one [`Letter`] and answers with a [`Receipt`] or with why not, in the
//! three kinds that decide what happens next. It keeps no queue and tries nothing twice: when to
//! try again, and with whom, is the outbox worker's business.

mod brands;
pub mod courier;
pub mod envelope;
pub mod inbox;
pub mod letter;
pub mod provider;
pub mod smtp;
pub mod template;
pub mod twilio;
pub mod worker;

pub use self::{
    brands::{Brands, Names},
    courier::Courier,
    inbox::Inbox,
    letter::{Failure, Letter, ProbeError, Receipt, Undelivered},
    provider::{Provider, SetUpError},
    smtp::{Smtp, SmtpSecurity, SmtpSettings},
    twilio::{Twilio, TwilioSettings},
    worker::Worker,
};
