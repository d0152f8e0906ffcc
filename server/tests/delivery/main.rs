//! The providers, tested with mail servers that have STARTTLS and AUTH, and an HTTP server in place of
//! Twilio.
//!
//! The mail servers are `end2end/servers/smtp.mjs`, run by Node, and Postfix. Tests of a server that stops answering wait
//! until it has read the request, and then pause the clock of the runtime, which makes all time-outs elapse
//! at once. So no test sleeps, and none depends on the speed of the machine.

mod gateway;
mod inbox;
mod mail_server;
mod phases;
mod postfix;
mod presets;
mod receipts;
mod secrets;
mod smtp;
mod through_postfix;
mod twilio;

use std::{sync::Arc, time::Duration};

use otp::{Channel, Code, Recipient, Timestamp};
use server::{
    delivery::{HandOver, OutgoingMessage},
    i18n::Catalogue,
};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const CODE: &str = "042917";
/// Time-out of the providers. It never elapses in real time.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Time-out of everything that a test waits for.
const SOON: Duration = Duration::from_secs(60);

fn catalogue() -> Arc<Catalogue> {
    Arc::new(Catalogue::load().unwrap())
}

fn message(to: &str) -> OutgoingMessage {
    let to = Recipient::parse(to, None, None).unwrap();
    OutgoingMessage {
        id: "message-1".to_owned(),
        channel: to.channel(),
        to,
        code: Code::parse(CODE).unwrap(),
        locale: "en".to_owned(),
        expires_at: NOW + Duration::from_secs(300),
        brand: "Example".to_owned(),
        sender: None,
        origin_host: "login.example.com".to_owned(),
        embedder_host: None,
        not_me: None,
        receipts: None,
        hand_over: HandOver::default(),
    }
}

/// Exchanges the channel of a message, so that it does not fit the recipient.
fn misdirected(mut message: OutgoingMessage) -> OutgoingMessage {
    message.channel = match message.channel {
        Channel::Email => Channel::Sms,
        Channel::Sms => Channel::Email,
    };
    message
}
