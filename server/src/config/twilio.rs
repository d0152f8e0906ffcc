//! What Twilio needs.

use url::Url;

use super::{reader::Reader, server::Mode};
use crate::delivery::TwilioSettings;

/// `None` where no account is configured.
pub(super) fn read(reader: &mut Reader, mode: Mode) -> Option<TwilioSettings> {
    let timeout = reader.seconds("twilio.timeout", 1..=60);
    let base_url = read_base_url(reader, mode);
    let account_sid = reader.optional("twilio.account_sid");
    let auth_token = reader.secret("twilio.auth_token");
    let sender = reader.optional("twilio.sender_number");
    if account_sid.is_none() && auth_token.is_none() && sender.is_none() {
        return None;
    }
    if account_sid.is_none() {
        let message = "is missing (or TWILIO_SID); Twilio's console shows it as Account SID";
        reader.refuse("twilio.account_sid", message);
    }
    if account_sid.as_ref().is_some_and(|sid| !sid.starts_with("AC")) {
        let message = "must be an Account SID, which begins with AC";
        reader.refuse("twilio.account_sid", message);
    }
    if auth_token.is_none() {
        let message = "is missing (or TWILIO_AUTH_TOKEN); Twilio's console shows it beside \
                           the Account SID";
        reader.refuse("twilio.auth_token", message);
    }
    if sender.is_none() {
        let message = "is missing (or SENDER_NUMBER): the number that messages come from, as \
                           +44..., or the SID of a messaging service";
        reader.refuse("twilio.sender_number", message);
    }
    if sender.as_deref().is_some_and(|sender| !is_sender(sender)) {
        let message = "must be a number as +44..., the SID of a messaging service (MG...), or \
                           a name of 1 to 11 letters and digits";
        reader.refuse("twilio.sender_number", message);
    }
    Some(TwilioSettings {
        account_sid: account_sid?,
        auth_token: auth_token?,
        sender: compact(&sender?),
        base_url,
        timeout,
    })
}

fn read_base_url(reader: &mut Reader, mode: Mode) -> String {
    let text = reader.text("twilio.base_url");
    let scheme = Url::parse(&text).map(|url| url.scheme().to_owned());
    match (scheme.as_deref(), mode) {
        (Ok("https"), _) | (Ok("http"), Mode::Development) => {}
        (Ok("http"), Mode::Production) => {
            reader.refuse("twilio.base_url", "must begin with https:// in production");
        }
        _ => reader.refuse("twilio.base_url", "must be a URL that begins with https://"),
    }
    text.trim_end_matches('/').to_owned()
}

/// Numbers are often copied with their spaces.
fn compact(sender: &str) -> String {
    if sender.starts_with('+') {
        sender.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect()
    } else {
        sender.to_owned()
    }
}

fn is_sender(sender: &str) -> bool {
    if let Some(number) = compact(sender).strip_prefix('+') {
        return (5..=15).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    }
    let service = sender.starts_with("MG") && sender.len() == 34;
    let name = (1..=11).contains(&sender.len());
    (service || name) && sender.bytes().all(|b| b.is_ascii_alphanumeric() || b == b' ')
}
