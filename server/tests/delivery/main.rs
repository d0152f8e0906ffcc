//! The providers, tested with mail servers that have STARTTLS and AUTH, and an HTTP server in place of
//! Twilio.
//!
//! The mail servers are `end2end/servers/smtp.mjs`, run by Node, and Postfix. Tests of a server that stops answering wait
//! until it has read the request, and then pause the clock of the runtime, which makes all time-outs elapse
//! at once. So no test sleeps, and none depends on the speed of the machine.

mod calls;
mod gateway;
mod inbox;
mod mail_server;
mod phases;
mod postfix;
mod presets;
mod secrets;
mod smtp;
mod through_postfix;
mod twilio;

use std::{sync::Arc, time::Duration};

use app::wire::Brand;
use otp::{Channel, Code, Policy, Recipient, Timestamp};
use server::{delivery::OutgoingMessage, i18n::Catalogue, site::Site};

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
    let brand = Brand { name: "Example".to_owned(), ..Brand::default() };
    let site = Arc::new(Site::named("demo", Policy::default(), brand));
    let (code, expires_at) = (Code::parse(CODE).unwrap(), NOW + Duration::from_secs(300));
    let message = OutgoingMessage::detached(site, to, code, "login.example.com", expires_at);
    OutgoingMessage { id: "message-1".to_owned(), ..message }
}

/// Exchanges the channel of a message, so that it does not fit the recipient.
fn misdirected(mut message: OutgoingMessage) -> OutgoingMessage {
    message.channel = if message.channel.is_of_phones() { Channel::Email } else { Channel::Sms };
    message
}

/// The message by another channel.
fn by(channel: Channel, message: OutgoingMessage) -> OutgoingMessage {
    OutgoingMessage { channel, ..message }
}
