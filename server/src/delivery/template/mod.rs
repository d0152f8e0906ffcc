//! Texts of messages, rendered from the catalogue.
//!
//! An e-mail has the code alone on its line, in text and in HTML, and not in its subject, since subjects
//! are logged by relays and shown on locked screens. It loads nothing, and its one link is to the page on
//! which people say that they did not ask for the code. A text message
//! ends with the origin-bound line `@host #code` (W3C/WICG "Origin-bound one-time codes delivered via
//! SMS"), by which browsers offer the code on that host only. If the code is typed in a frame, the line
//! is `@page #code @frame`. What a call says is in [`Call`].

mod call;

use std::time::Duration;

use fluent_bundle::{FluentArgs, FluentValue};
use otp::{Channel, Timestamp};

pub use self::call::Call;
use super::OutgoingMessage;
use crate::i18n::Catalogue;

/// Text of a message by its channel, for providers that do not render it themselves.
pub struct Wording {
    /// The plain text, or what a call says.
    pub text: String,
    /// Subject and HTML body of an e-mail.
    pub email: Option<(String, String)>,
}

/// Texts of an e-mail.
#[derive(Clone, PartialEq, Eq)]
pub struct Email {
    /// The subject, on one line and without the code.
    pub subject: String,
    /// The plain-text body.
    pub text: String,
    /// The HTML body, a whole document.
    pub html: String,
    /// The language of the texts.
    pub locale: String,
}

/// Longest text in the GSM alphabet. A message holds 160 septets; the rest is left for text that carriers
/// add.
const SMS_SEPTETS: usize = 140;
/// Length of one message in UCS-2, for languages outside the GSM alphabet.
const SMS_UCS2_UNITS: usize = 70;

/// Catalogue ids of the texts of messages.
pub const TEXTS: [&str; 17] = [
    "email-subject",
    "email-intro",
    "email-use",
    "email-ignore",
    "email-not-me",
    "email-not-me-link",
    "validity-minutes",
    "validity-seconds",
    "sms-text",
    "sms-brief",
    "sms-short",
    "sms-bare",
    "whatsapp-text",
    "call-language",
    "call-first",
    "call-again",
    "call-last",
];

/// Renders a message for its channel.
pub fn wording(catalogue: &Catalogue, message: &OutgoingMessage, now: Timestamp) -> Wording {
    let text = match message.channel {
        Channel::Email => {
            let Email { subject, text, html, .. } = email(catalogue, message, now);
            return Wording { text, email: Some((subject, html)) };
        }
        Channel::Sms => sms(catalogue, message, now),
        Channel::Whatsapp => whatsapp(catalogue, message, now),
        Channel::Voice => Call::of(catalogue, message).text(),
    };
    Wording { text, email: None }
}

/// Renders the e-mail of `message`.
pub fn email(catalogue: &Catalogue, message: &OutgoingMessage, now: Timestamp) -> Email {
    let brand = one_line(&message.brand);
    let args = FluentArgs::from_iter([("brand", FluentValue::from(brand))]);
    // Messages that were stored by earlier versions may name none.
    let locale = catalogue.closest_or_default(&message.locale).to_owned();
    let text = |id| catalogue.format(&locale, id, Some(&args));
    let (intro, usage, ignore) = (text("email-intro"), text("email-use"), text("email-ignore"));
    let validity = validity(catalogue, message, now);
    let code = message.code.as_str();
    let link = message.not_me.as_deref().map(|url| NotMe {
        url,
        before: text("email-not-me"),
        name: text("email-not-me-link"),
    });
    let last = link.as_ref().map(|link| format!("\n{}\n{}\n", link.before, link.url));
    let last = last.unwrap_or_default();
    Email {
        subject: text("email-subject"),
        text: format!("{intro}\n\n{code}\n\n{validity} {usage}\n\n{ignore}\n{last}"),
        html: html(&locale, &intro, code, &format!("{validity} {usage}"), &ignore, link),
        locale,
    }
}

/// The link by which the recipient says that they did not ask for the code.
struct NotMe<'a> {
    url: &'a str,
    before: String,
    name: String,
}

/// Renders the text message of `message`, in the longest wording that fits.
pub fn sms(catalogue: &Catalogue, message: &OutgoingMessage, now: Timestamp) -> String {
    let args = with_code(catalogue, message, now);
    let render = |id| {
        let wording = catalogue.format(&message.locale, id, Some(&args));
        format!("{wording}\n{}", origin_bound(message))
    };
    ["sms-text", "sms-brief", "sms-short"]
        .into_iter()
        .map(render)
        .find(|text| fits(text))
        .unwrap_or_else(|| render("sms-bare"))
}

/// Renders the WhatsApp message of `message` for gateways that send text. It has no origin-bound line, which nothing
/// reads there, and any length.
fn whatsapp(catalogue: &Catalogue, message: &OutgoingMessage, now: Timestamp) -> String {
    catalogue.format(&message.locale, "whatsapp-text", Some(&with_code(catalogue, message, now)))
}

/// The variables of texts that have the code in their wording.
fn with_code<'a>(
    catalogue: &Catalogue,
    message: &'a OutgoingMessage,
    now: Timestamp,
) -> FluentArgs<'a> {
    FluentArgs::from_iter([
        ("brand", FluentValue::from(one_line(&message.brand))),
        ("code", FluentValue::from(message.code.as_str())),
        ("validity", FluentValue::from(validity(catalogue, message, now))),
    ])
}

/// The sentence about the remaining validity of the code.
fn validity(catalogue: &Catalogue, message: &OutgoingMessage, now: Timestamp) -> String {
    // Added before rounding down, since a message is sent a moment after it was accepted.
    const MOMENT: Duration = Duration::from_secs(15);
    let left = message.expires_at.since(now);
    let minutes = (left + MOMENT).as_secs() / 60;
    let (id, count) = if minutes > 0 {
        ("validity-minutes", minutes)
    } else {
        ("validity-seconds", left.as_secs())
    };
    let args = FluentArgs::from_iter([("count", FluentValue::from(count))]);
    catalogue.format(&message.locale, id, Some(&args))
}

/// Joins the words of a configured text by single spaces, so that it has no line break.
pub(super) fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control() || c.is_whitespace())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The origin-bound line.
fn origin_bound(message: &OutgoingMessage) -> String {
    let (own, code) = (host(&message.origin_host), message.code.as_str());
    match message.embedder_host.as_deref().map(host) {
        Some(embedder) if embedder != own => format!("@{embedder} #{code} @{own}"),
        _ => format!("@{own} #{code}"),
    }
}

/// The host without its port, which the origin-bound line does not have.
fn host(origin_host: &str) -> &str {
    match origin_host.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => origin_host,
    }
}

/// Whether every character is in the GSM alphabet.
pub(super) fn is_gsm(text: &str) -> bool {
    septets(text).is_some()
}

fn fits(text: &str) -> bool {
    match septets(text) {
        Some(septets) => septets <= SMS_SEPTETS,
        None => text.encode_utf16().count() <= SMS_UCS2_UNITS,
    }
}

/// Length in the default alphabet of 3GPP TS 23.038; `None` if a character is not in it.
fn septets(text: &str) -> Option<usize> {
    const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                         ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
    // Sent as an escape and a second character.
    const EXTENDED: &str = "^{}\\[~]|€";
    text.chars()
        .map(|c| match c {
            c if BASIC.contains(c) => Some(1),
            c if EXTENDED.contains(c) => Some(2),
            _ => None,
        })
        .sum()
}

/// The HTML document. Styles are inline, since mail programs drop style sheets. Colours are left to the
/// program and its dark mode.
fn html(
    locale: &str,
    intro: &str,
    code: &str,
    usage: &str,
    ignore: &str,
    not_me: Option<NotMe<'_>>,
) -> String {
    let paragraph = "margin:0 0 16px;font:16px/1.5 sans-serif";
    let (intro, usage, ignore) = (escape(intro), escape(usage), escape(ignore));
    let last = not_me.map(|NotMe { url, before, name }| {
        let (url, before, name) = (escape(url), escape(&before), escape(&name));
        format!(
            "<p dir=\"auto\" style=\"margin:0;font:14px/1.5 sans-serif\">\n\
             {before} <a href=\"{url}\">{name}</a>\n\
             </p>\n"
        )
    });
    let last = last.unwrap_or_default();
    format!(
        "<!DOCTYPE html>\n\
         <html lang=\"{}\">\n\
         <head><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light dark\"></head>\n\
         <body style=\"margin:0;padding:24px\">\n\
         <p dir=\"auto\" style=\"{paragraph}\">{intro}</p>\n\
         <p dir=\"ltr\" style=\"margin:0 0 16px;font:bold 32px/1.25 monospace;letter-spacing:4px\">\n\
         {code}\n\
         </p>\n\
         <p dir=\"auto\" style=\"{paragraph}\">{usage}</p>\n\
         <p dir=\"auto\" style=\"{paragraph}\">{ignore}</p>\n\
         {last}\
         </body>\n\
         </html>\n",
        escape(locale),
    )
}

/// The text for the content or an attribute of HTML or XML.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
