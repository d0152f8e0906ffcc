//! Delivery against what it will meet: a mail server that speaks STARTTLS and AUTH, and an HTTP
//! server in Twilio's place.
//!
//! The mail server is `end2end/servers/smtp.mjs`, run by Node. Where a server falls silent, the
//! tests wait for the moment at which it has read our words and then stop the clock of the runtime,
//! which passes every time-out at once; so no test sleeps, and none depends on how fast the machine
//! is.

mod inbox;
mod mail_server;
mod secrets;
mod smtp;
mod twilio;

use std::{sync::Arc, time::Duration};

use otp::{Channel, Code, Recipient, Timestamp};
use server::{delivery::OutgoingMessage, i18n::Catalogue};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const CODE: &str = "042917";
/// Never waited for: see above.
const PATIENCE: Duration = Duration::from_secs(60);

fn catalogue() -> Arc<Catalogue> {
    Arc::new(Catalogue::load().unwrap())
}

fn letter(to: &str) -> OutgoingMessage {
    let to = Recipient::parse(to, None, None).unwrap();
    OutgoingMessage {
        id: "letter-1".to_owned(),
        channel: to.channel(),
        to,
        code: Code::parse(CODE).unwrap(),
        locale: "en".to_owned(),
        expires_at: NOW + Duration::from_secs(300),
        brand: "Example".to_owned(),
        sender: None,
        origin_host: "login.example.com".to_owned(),
        embedder_host: None,
    }
}

/// A letter to a phone that is to go by e-mail, or the other way round.
fn misdirected(mut letter: OutgoingMessage) -> OutgoingMessage {
    letter.channel = match letter.channel {
        Channel::Email => Channel::Sms,
        Channel::Sms => Channel::Email,
    };
    letter
}
