//! `[twilio]`: the account for texts, WhatsApp messages and calls.

use std::collections::BTreeMap;

use secrecy::SecretString;
use unic_langid::LanguageIdentifier;
use url::Url;

use super::{senders::read_senders, server::Mode, settings::Settings};
use crate::delivery::{TextSender, TwilioSettings, VoiceSettings, WhatsappSettings, parse_number};

/// The keys of an account, with the message for one that is missing.
const ACCOUNT: [(&str, &str); 2] = [
    ("twilio.account_sid", "is missing (TWILIO_SID): the Account SID in Twilio's console"),
    ("twilio.auth_token", "is missing (TWILIO_AUTH_TOKEN): the auth token in Twilio's console"),
];
/// The keys of its senders, of which it needs one.
const SENDERS: [&str; 3] =
    ["twilio.sender_number", "twilio.whatsapp_sender", "twilio.voice_sender"];

/// `None` where no account is configured.
pub(super) fn read(settings: &mut Settings, mode: Mode) -> Option<TwilioSettings> {
    let timeout = settings.seconds("twilio.timeout", 1..=60);
    let senders = read_senders(settings, "twilio.senders", TextSender::parse);
    let whatsapp = read_whatsapp(settings);
    let voice = read_voice(settings);
    let base_url = settings.parse("twilio.base_url", |text| {
        match Url::parse(text).as_ref().map(Url::scheme) {
            Ok("http") if mode == Mode::Production => Err("must begin with https:// in production"),
            Ok("https" | "http") => Ok(text.trim_end_matches('/').to_owned()),
            _ => Err("must be a URL that begins with https://"),
        }
    });
    let has_no_sender = SENDERS.iter().all(|key| settings.text(key).is_empty());
    if has_no_sender && ACCOUNT.iter().all(|(key, _)| settings.text(key).is_empty()) {
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
    if has_no_sender {
        let message = "is missing (SENDER_NUMBER): a number (+44...), service SID or name";
        settings.refuse("twilio.sender_number", message);
    }
    if !settings.is_fine("twilio") {
        return None;
    }
    Some(TwilioSettings {
        account_sid: account_sid?,
        auth_token: auth_token?,
        sender,
        senders,
        whatsapp,
        voice,
        base_url: base_url?,
        timeout,
    })
}

/// The sender of WhatsApp messages with its templates, of which neither is of use without the other.
fn read_whatsapp(settings: &mut Settings) -> Option<WhatsappSettings> {
    let sender = settings.parse_optional("twilio.whatsapp_sender", parse_number);
    let content = settings.parse_optional("twilio.whatsapp_content", parse_content);
    let mut contents = BTreeMap::new();
    for (locale, sid) in settings.get::<BTreeMap<String, String>>("twilio.whatsapp_contents") {
        let message = match (locale.parse::<LanguageIdentifier>(), parse_content(sid.trim())) {
            (Ok(locale), Ok(sid)) => {
                contents.insert(locale.to_string().to_ascii_lowercase(), sid);
                continue;
            }
            (Err(_), _) => "is not a language such as \"de\" or \"pt-BR\"",
            (_, Err(message)) => message,
        };
        settings.refuse("twilio.whatsapp_contents", format!("\"{locale}\" {message}"));
    }
    let [sender_key, content_key] = ["twilio.whatsapp_sender", "twilio.whatsapp_content"];
    let is_set =
        !contents.is_empty() || [sender_key, content_key].iter().any(|k| settings.is_set(k));
    for (key, what) in
        [(sender_key, "a number as +44..."), (content_key, "a template's SID (HX...)")]
    {
        if is_set && settings.text(key).is_empty() {
            settings.refuse(key, format!("is missing: {what}; WhatsApp needs both"));
        }
    }
    Some(WhatsappSettings { sender: sender?, content: content?, contents })
}

fn read_voice(settings: &mut Settings) -> Option<VoiceSettings> {
    let senders = read_senders(settings, "twilio.voice_senders", parse_number);
    let sender = settings.parse_optional("twilio.voice_sender", parse_number);
    if sender.is_none() && !senders.0.is_empty() && settings.is_fine("twilio.voice_sender") {
        let message = "is missing: the number that calls countries without one of their own";
        settings.refuse("twilio.voice_sender", message);
    }
    Some(VoiceSettings { sender: sender?, senders })
}

/// The SID of a content template.
fn parse_content(text: &str) -> Result<String, &'static str> {
    let digits = text.strip_prefix("HX").unwrap_or_default();
    let is_sid = digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    is_sid.then(|| text.to_owned()).ok_or("must be the SID of a content template, HX and 32 digits")
}
