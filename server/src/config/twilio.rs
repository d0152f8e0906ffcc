//! `[twilio]`: the account for text messages.

use secrecy::SecretString;
use url::Url;

use super::{senders::read_senders, server::Mode, settings::Settings};
use crate::delivery::{TextSender, TwilioSettings};

/// The keys of an account, with the message for one that is missing.
const ACCOUNT: [(&str, &str); 3] = [
    ("twilio.account_sid", "is missing (TWILIO_SID): the Account SID in Twilio's console"),
    ("twilio.auth_token", "is missing (TWILIO_AUTH_TOKEN): the auth token in Twilio's console"),
    ("twilio.sender_number", "is missing (SENDER_NUMBER): a number (+44...), service SID or name"),
];

/// `None` where no account is configured.
pub(super) fn read(settings: &mut Settings, mode: Mode) -> Option<TwilioSettings> {
    let timeout = settings.seconds("twilio.timeout", 1..=60);
    let senders = read_senders(settings, "twilio.senders");
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
    let sender = settings.parse_optional("twilio.sender_number", TextSender::parse);
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
