//! What the mail server needs.

use std::{net::IpAddr, path::Path};

use lettre::message::Mailbox;
use secrecy::SecretString;

use super::{
    reader::Reader,
    smtp_url::{self, SmtpUrl},
};
use crate::delivery::{SmtpSecurity, SmtpSettings};

/// `None` where no mail server is configured.
pub(super) fn read(reader: &mut Reader, directory: &Path) -> Option<SmtpSettings> {
    let timeout = reader.seconds("smtp.timeout", 1..=60);
    let ca_file = reader.optional("smtp.ca_file").map(|file| directory.join(file));
    let apart = SmtpUrl::read_apart(reader);
    let server = match read_url(reader) {
        Some(url) => {
            refuse_given_twice(reader, &url);
            url.completed_by(apart)
        }
        None if apart.host.is_empty() => {
            // A refused URL was meant to name the host.
            let others = ["smtp.username", "smtp.password", "smtp.from", "smtp.port"];
            let stray = others.into_iter().find(|key| reader.is_set(key));
            if let (Some(key), false) = (stray, reader.is_set("smtp.url")) {
                reader.refuse(key, "is set, but neither smtp.host nor smtp.url is");
            }
            return None;
        }
        None => apart,
    };
    if server.security == SmtpSecurity::Plain && !is_this_machine(&server.host) {
        reader.refuse(
            "smtp.security",
            "\"plain\" would send codes and password readable over the network; it is accepted \
                 for a mail server on this machine alone",
        );
    }
    let from = read_sender(reader, server.from, server.username.as_deref());
    Some(SmtpSettings {
        host: server.host,
        port: server.port.unwrap_or(usual_port(server.security)),
        security: server.security,
        credentials: read_credentials(reader, server.username, server.password),
        from,
        ca_file,
        timeout,
    })
}

impl SmtpUrl {
    /// The same things, given one by one; the host is empty where none is given.
    fn read_apart(reader: &mut Reader) -> Self {
        let words = [
            ("starttls", SmtpSecurity::StartTls),
            ("tls", SmtpSecurity::Tls),
            ("plain", SmtpSecurity::Plain),
        ];
        Self {
            host: reader.text("smtp.host"),
            port: Some(reader.number("smtp.port", 0..=u16::MAX)).filter(|port| *port != 0),
            security: reader.choice("smtp.security", &words),
            username: reader.optional("smtp.username"),
            password: reader.secret("smtp.password"),
            from: reader.optional("smtp.from"),
        }
    }

    /// A URL often leaves the password, for a secret file, or the sender out.
    fn completed_by(self, apart: Self) -> Self {
        Self {
            username: self.username.or(apart.username),
            password: self.password.or(apart.password),
            from: self.from.or(apart.from),
            ..self
        }
    }
}

fn read_credentials(
    reader: &mut Reader,
    username: Option<String>,
    password: Option<SecretString>,
) -> Option<(String, SecretString)> {
    match (username, password) {
        (Some(username), Some(password)) => return Some((username, password)),
        (Some(_), None) => reader.refuse("smtp.password", "is missing, since there is a user name"),
        (None, Some(_)) => reader.refuse("smtp.username", "is missing, since there is a password"),
        (None, None) => {}
    }
    None
}

fn usual_port(security: SmtpSecurity) -> u16 {
    match security {
        SmtpSecurity::StartTls => 587,
        SmtpSecurity::Tls => 465,
        SmtpSecurity::Plain => 25,
    }
}

fn read_url(reader: &mut Reader) -> Option<SmtpUrl> {
    let text = reader.secret("smtp.url")?;
    smtp_url::parse(&text).map_err(|problem| reader.refuse("smtp.url", problem)).ok()
}

/// One thing said in two places is a mistake waiting for the day when only one is changed.
fn refuse_given_twice(reader: &mut Reader, url: &SmtpUrl) {
    let given = [
        ("smtp.host", true),
        ("smtp.port", true),
        ("smtp.security", true),
        ("smtp.username", url.username.is_some()),
        ("smtp.password", url.password.is_some()),
        ("smtp.from", url.from.is_some()),
    ];
    for (key, in_url) in given {
        if in_url && reader.is_set(key) {
            reader.refuse(key, "is set, but smtp.url says it already; remove one of them");
        }
    }
}

fn read_sender(reader: &mut Reader, from: Option<String>, username: Option<&str>) -> String {
    let given = from.is_some();
    let sender = from.or(username.map(str::to_owned)).unwrap_or_default();
    if sender.parse::<Mailbox>().is_err() {
        let message = if given {
            "must be an address, for example \"otp@example.com\" or \"Example <otp@example.com>\""
        } else {
            "is missing: the address that messages come from, for example \"otp@example.com\""
        };
        reader.refuse("smtp.from", message);
    }
    sender
}

/// Whether what is sent to a host never leaves this machine.
fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
