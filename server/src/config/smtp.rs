//! `[smtp]`: the mail server.

use std::path::Path;

use lettre::message::Mailbox;
use secrecy::SecretString;

use super::{server::is_loopback, settings::Settings, smtp_url};
use crate::delivery::{SmtpSecurity, SmtpSettings};

/// `None` where no mail server is configured.
pub(super) fn read(settings: &mut Settings, directory: &Path) -> Option<SmtpSettings> {
    expand_url(settings);
    let timeout = settings.seconds("smtp.timeout", 1..=60);
    let ca_file = settings.optional("smtp.ca_file").map(|file| directory.join(file));
    let words = [
        ("starttls", (SmtpSecurity::StartTls, 587)),
        ("tls", (SmtpSecurity::Tls, 465)),
        ("plain", (SmtpSecurity::Plain, 25)),
    ];
    let (security, usual_port) = settings.choice("smtp.security", &words);
    let port = settings.number("smtp.port", 0..=u16::MAX);
    let username = settings.optional("smtp.username");
    let password = settings.optional("smtp.password").map(SecretString::from);
    let from = settings.optional("smtp.from");
    let Some(host) = settings.optional("smtp.host") else {
        let keys = ["smtp.username", "smtp.password", "smtp.from", "smtp.port"];
        let stray = keys.into_iter().find(|key| settings.is_set(key));
        // A refused URL was meant to name the host.
        if let (Some(key), true) = (stray, settings.is_fine("smtp.url")) {
            settings.refuse(key, "is set, but neither smtp.host nor smtp.url is");
        }
        return None;
    };
    if security == SmtpSecurity::Plain && !is_loopback(&host) {
        let message = "is plain, readable over the network; accepted for this machine only";
        settings.refuse("smtp.security", message);
    }
    match (&username, &password) {
        (Some(_), None) => settings.refuse("smtp.password", "is missing, but a user name is set"),
        (None, Some(_)) => settings.refuse("smtp.username", "is missing, but a password is set"),
        _ => {}
    }
    let from = from.or_else(|| username.clone()).unwrap_or_default();
    if from.parse::<Mailbox>().is_err() {
        let problem = if settings.is_set("smtp.from") { "must be" } else { "is missing:" };
        let shapes = "\"otp@example.com\" or \"Example <otp@example.com>\"";
        settings.refuse("smtp.from", format!("{problem} a sender such as {shapes}"));
    }
    Some(SmtpSettings {
        host,
        port: if port == 0 { usual_port } else { port },
        security,
        credentials: username.zip(password),
        from,
        ca_file,
        timeout,
    })
}

/// Sets the keys that `smtp.url` stands for. One that is set beside it is refused, so that no setting
/// is kept in two places that can differ.
fn expand_url(settings: &mut Settings) {
    let url = settings.parse_optional("smtp.url", smtp_url::parse).unwrap_or_default();
    let provenance = settings.provenance("smtp.url").unwrap_or_default().to_owned();
    for (key, value) in url {
        if settings.is_set(key) {
            settings.refuse(key, "is set, but smtp.url contains it already; remove one of them");
        } else {
            settings.set_text(key, &value, &provenance);
        }
    }
}
