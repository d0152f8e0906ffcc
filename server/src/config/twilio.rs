//! `[twilio]`: the account for text messages.

use secrecy::SecretString;
use url::Url;

use super::{senders::read_senders, server::Mode, settings::Settings};
use crate::delivery::TwilioSettings;

/// The keys of an account, with the message for one that is missing.
const ACCOUNT: [(&str, &str); 3] = [
    ("twilio.account_sid", "is missing (TWILIO_SID): the Account SID in Twilio's console"),
    ("twilio.auth_token", "is missing (TWILIO_AUTH_TOKEN): the auth token in Twilio's console"),
    ("twilio.sender_number", "is missing (SENDER_NUMBER): a number (+44...), service SID or name"),
];

/// `None` where no account is configured.
pub(super) fn read(settings: &mut Settings, mode: Mode) -> Option<TwilioSettings> {
    let timeout = settings.seconds("twilio.timeout", 1..=60);
    let senders = read_senders(settings, "twilio.senders", parse_sender);
    let base_url = settings.parse("twilio.base_url", |text| {
        match Url::parse(text).as_ref().map(Url::scheme) {
            Ok("http") if mode == Mode::Production => Err("must begin with https:// in production"),
            Ok("https" | "http") => Ok(text.trim_end_matches('/').to_owned()),
            _ => Err("must be a URL that begins with https://"),
        }
    });
    if ACCOUNT.iter().all(|(key, _)| settings.text(key).is_empty()) {
        return None;
    }
    let account_sid = settings.parse_optional("twilio.account_sid", |sid| {
        let is_account = sid.starts_with("AC");
        is_account.then(|| sid.to_owned()).ok_or("must be an Account SID, which begins with AC")
    });
    let auth_token = settings.optional("twilio.auth_token").map(SecretString::from);
    let sender = settings.parse_optional("twilio.sender_number", parse_sender);
    for (key, message) in ACCOUNT {
        if settings.text(key).is_empty() {
            settings.refuse(key, message);
        }
    }
    Some(TwilioSettings {
        account_sid: account_sid?,
        auth_token: auth_token?,
        sender: sender?,
        senders,
        base_url: base_url?,
        timeout,
    })
}

/// A number, which is often copied with its spaces, a short code, a messaging service or a name.
pub(super) fn parse_sender(text: &str) -> Result<String, &'static str> {
    let number: String = text.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
    let digits = number.strip_prefix('+').filter(|digits| !digits.contains('+'));
    let is_number = text.starts_with('+') && digits.is_some_and(|d| (5..=15).contains(&d.len()));
    let is_named = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b' ');
    let is_digits = text.bytes().all(|b| b.is_ascii_digit() || b" -()".contains(&b));
    match text.len() {
        _ if is_number => Ok(number),
        // Short codes have no country code.
        5 | 6 if number.len() == text.len() && is_digits => Ok(number),
        _ if is_digits => {
            Err("is a number without its country code: it must begin with +, as +44...")
        }
        34 if text.starts_with("MG") && is_named => Ok(text.to_owned()),
        1..=11 if is_named => Ok(text.to_owned()),
        _ => {
            Err("must be a number as +44..., the SID of a messaging service (MG...), or a name of \
                  1 to 11 letters and digits")
        }
    }
}
