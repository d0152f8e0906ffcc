//! Texts of messages, rendered from the catalogue.
//!
//! An e-mail has the code alone on its line, in text and in HTML, and not in its subject, since subjects
//! are logged by relays and shown on locked screens. It loads nothing, and its one link is to the page on
//! which people say that they did not ask for the code. A text message
//! ends with the origin-bound line `@host #code` (W3C/WICG "Origin-bound one-time codes delivered via
//! SMS"), by which browsers offer the code on that host only. If the code is typed in a frame, the line
//! is `@page #code @frame`; if it is typed in an app for Android, the line is the hash by which the SMS Retriever API
//! finds the app. What a call says is in [`Call`].

mod call;
mod html;
mod length;
mod review;

use std::time::Duration;

use fluent_bundle::{FluentArgs, FluentValue};
use otp::{Channel, Timestamp};

pub use self::{call::Call, html::Logo, review::overlong};
use self::{
    html::{Document, NotMe},
    length::fits,
};
pub(super) use self::{
    html::{LOGO_ID, escape},
    length::is_gsm,
};
use super::OutgoingMessage;
use crate::i18n::{Catalogue, Overlay, Replaceable};

/// A message as text, for providers that carry all channels.
pub struct Rendered {
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
    /// The picture that the document shows, to be attached.
    pub logo: Option<Logo>,
    /// The language of the texts.
    pub locale: String,
}

/// Texts of messages, which a site may replace by its own.
pub const TEXTS: [Replaceable; 17] = [
    of_brand("email-subject"),
    of_brand("email-intro"),
    of_brand("email-use"),
    of_brand("email-ignore"),
    of_brand("email-not-me"),
    of_brand("email-not-me-link"),
    validity_of("validity-minutes"),
    validity_of("validity-seconds"),
    with_code("sms-text"),
    with_code("sms-brief"),
    with_code("sms-short"),
    with_code("sms-bare"),
    with_code("whatsapp-text"),
    Replaceable { id: CALL_LANGUAGE, variables: &[], required: None, is_one_line: true },
    of_brand("call-first"),
    of_brand("call-again"),
    of_brand("call-last"),
];

/// Id of the language of a call's words, a BCP 47 tag with a region.
pub const CALL_LANGUAGE: &str = "call-language";

/// Wordings of a text message, the longest first.
const SMS_WORDINGS: [&str; 4] = ["sms-text", "sms-brief", "sms-short", "sms-bare"];

/// The texts of one message: the site's own, or those of the catalogue.
struct Wording<'a> {
    catalogue: &'a Catalogue,
    overlay: &'a Overlay,
    locale: &'a str,
}

impl<'a> Wording<'a> {
    fn of(catalogue: &'a Catalogue, message: &'a OutgoingMessage) -> Self {
        let overlay = &message.site.overlay;
        // Messages that were stored under another configuration may name a language that is gone.
        let own = overlay.locales().find(|locale| *locale == message.locale);
        let locale = own.unwrap_or_else(|| catalogue.closest_or_default(&message.locale));
        Self { catalogue, overlay, locale }
    }

    fn text(&self, id: &str, args: &FluentArgs<'_>) -> String {
        let own = self.overlay.format(self.locale, id, Some(args));
        own.unwrap_or_else(|| self.catalogue.format(self.locale, id, Some(args)))
    }
}

/// Renders a message for its channel.
pub fn render(catalogue: &Catalogue, message: &OutgoingMessage, now: Timestamp) -> Rendered {
    let text = match message.channel {
        Channel::Email => {
            let Email { subject, text, html, .. } = email(catalogue, message, now);
            return Rendered { text, email: Some((subject, html)) };
        }
        Channel::Sms => sms(catalogue, message, now),
        Channel::Whatsapp => whatsapp(catalogue, message, now),
        Channel::Voice => Call::of(catalogue, message).text(),
    };
    Rendered { text, email: None }
}

/// Renders the e-mail of `message`, without a logo.
pub fn email(catalogue: &Catalogue, message: &OutgoingMessage, now: Timestamp) -> Email {
    compose(catalogue, message, now, None)
}

/// Renders the e-mail of `message` with the logo of its site, if that is a picture that mail programs show.
pub fn email_with_logo(catalogue: &Catalogue, message: &OutgoingMessage, now: Timestamp) -> Email {
    compose(catalogue, message, now, Logo::of(&message.site.brand))
}

fn compose(
    catalogue: &Catalogue,
    message: &OutgoingMessage,
    now: Timestamp,
    logo: Option<Logo>,
) -> Email {
    let wording = Wording::of(catalogue, message);
    let brand = one_line(&message.site.brand.name);
    let args = FluentArgs::from_iter([("brand", FluentValue::from(brand.as_str()))]);
    let text = |id| wording.text(id, &args);
    let (intro, usage, ignore) = (text("email-intro"), text("email-use"), text("email-ignore"));
    let usage = format!("{} {usage}", validity(&wording, message, now));
    let code = message.code.as_str();
    let link = message.not_me.as_deref().map(|url| NotMe {
        url,
        before: text("email-not-me"),
        name: text("email-not-me-link"),
    });
    let last = link.as_ref().map(|link| format!("\n{}\n{}\n", link.before, link.url));
    let last = last.unwrap_or_default();
    let document = Document {
        locale: wording.locale,
        brand: &brand,
        accent: message.site.brand.accent.as_ref(),
        has_logo: logo.is_some(),
        intro: &intro,
        code,
        usage: &usage,
        ignore: &ignore,
        not_me: link,
    };
    Email {
        subject: text("email-subject"),
        text: format!("{intro}\n\n{code}\n\n{usage}\n\n{ignore}\n{last}"),
        html: document.html(),
        logo,
        locale: wording.locale.to_owned(),
    }
}

const fn of_brand(id: &'static str) -> Replaceable {
    Replaceable { id, variables: &["brand"], required: None, is_one_line: true }
}

const fn validity_of(id: &'static str) -> Replaceable {
    Replaceable { id, variables: &["count"], required: None, is_one_line: true }
}

const fn with_code(id: &'static str) -> Replaceable {
    let variables = &["brand", "code", "validity"];
    Replaceable { id, variables, required: Some("code"), is_one_line: false }
}

/// Renders the text message of `message`, in the longest wording that fits.
pub fn sms(catalogue: &Catalogue, message: &OutgoingMessage, now: Timestamp) -> String {
    let wording = Wording::of(catalogue, message);
    let args = code_args(&wording, message, now);
    let last = last_line(message);
    let render = |id| format!("{}\n{last}", wording.text(id, &args));
    let fitting = SMS_WORDINGS.into_iter().map(render).find(|text| fits(text));
    fitting.unwrap_or_else(|| render(SMS_WORDINGS[3]))
}

/// Renders the WhatsApp message of `message` for gateways that send text: without a last line, which nothing reads
/// there, and of any length.
fn whatsapp(catalogue: &Catalogue, message: &OutgoingMessage, now: Timestamp) -> String {
    let wording = Wording::of(catalogue, message);
    wording.text("whatsapp-text", &code_args(&wording, message, now))
}

/// The variables of texts that contain the code.
fn code_args<'a>(
    wording: &Wording<'_>,
    message: &'a OutgoingMessage,
    now: Timestamp,
) -> FluentArgs<'a> {
    FluentArgs::from_iter([
        ("brand", FluentValue::from(one_line(&message.site.brand.name))),
        ("code", FluentValue::from(message.code.as_str())),
        ("validity", FluentValue::from(validity(wording, message, now))),
    ])
}

/// The sentence about the remaining validity of the code.
fn validity(wording: &Wording<'_>, message: &OutgoingMessage, now: Timestamp) -> String {
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
    wording.text(id, &args)
}

/// Joins the words of a configured text by single spaces, so that it has no line break.
pub(super) fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control() || c.is_whitespace())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The last line of a text message: the hash of the app in which the code is typed, or the origin-bound line.
fn last_line(message: &OutgoingMessage) -> String {
    match &message.app_hash {
        Some(hash) => hash.clone(),
        None => origin_bound(message),
    }
}

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

#[cfg(test)]
mod tests;
