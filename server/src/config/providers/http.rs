//! `[providers.http]`: a gateway that is described by configuration alone.

use std::{collections::BTreeMap, ops::RangeInclusive};

use secrecy::SecretString;
use serde_json::Value;
use url::Url;

use super::preset;
use crate::{
    config::{
        senders::read_senders, server::Mode, settings::Settings, sites::parse_url,
        twilio::parse_sender,
    },
    delivery::{
        ReceiptFields,
        http::{
            Answers, Auth, Body, Credentials, HttpSettings, Place, Template, check_json,
            header_name,
        },
    },
};

pub(super) fn read(settings: &mut Settings, mode: Mode) -> Option<HttpSettings> {
    preset::check(settings);
    let timeout = settings.seconds("http.timeout", 1..=60);
    let is_put = settings.choice("http.method", &[("POST", false), ("PUT", true)]);
    let credentials = read_credentials(settings);
    let auth = read_auth(settings, &credentials);
    let username = credentials.username.clone();
    if settings.text("http.url").is_empty() {
        settings.refuse("http.url", "is missing");
    }
    let url = read_url(settings, "http.url", &username, mode);
    let probe_url = read_url(settings, "http.probe_url", &username, mode);
    let sender = settings.parse_optional("http.sender", parse_sender);
    let senders = read_senders(settings, "http.senders", parse_sender);
    let headers = read_headers(settings);
    let body = read_body(settings);
    let answers = read_answers(settings);
    let receipts = read_receipts(settings);
    if let Some(body) = &body
        && body.needs_sender()
        && sender.is_none()
        && settings.is_fine("http.sender")
    {
        settings.refuse("http.sender", "is missing: a number as +44..., or a name");
    }
    Some(HttpSettings {
        is_put,
        url: url?,
        probe_url,
        credentials,
        auth,
        sender: sender.unwrap_or_default(),
        senders,
        headers,
        body: body?,
        answers,
        receipts,
        timeout,
    })
}

fn read_credentials(settings: &mut Settings) -> Credentials {
    Credentials {
        username: settings.text("http.username"),
        password: SecretString::from(settings.text("http.password")),
        token: SecretString::from(settings.text("http.token")),
    }
}

fn read_auth(settings: &mut Settings, credentials: &Credentials) -> Auth {
    let words = [("none", Auth::None), ("basic", Auth::Basic), ("bearer", Auth::Bearer)];
    let auth = settings.choice("http.auth", &words);
    let needed: &[&str] = match auth {
        Auth::None => &[],
        Auth::Basic => &["http.username", "http.password"],
        Auth::Bearer => &["http.token"],
    };
    for key in needed {
        if settings.text(key).is_empty() {
            settings.refuse(key, "is missing, but http.auth needs it");
        }
    }
    if !credentials.is_fit() {
        settings.refuse("http.auth", "has credentials with a control character or line break");
    }
    auth
}

fn read_url(settings: &mut Settings, key: &str, username: &str, mode: Mode) -> Option<Url> {
    settings.parse_optional(key, |text| {
        let text = Template::parse(text, Place::Url)?.in_url(username);
        parse_url(&text, mode).map_err(str::to_owned)
    })
}

fn read_headers(settings: &mut Settings) -> Vec<(String, Template)> {
    let mut headers = Vec::new();
    for (name, text) in settings.get::<BTreeMap<String, String>>("http.headers") {
        let template = Template::parse(&text, Place::Header);
        match header_name(&name).map_err(str::to_owned).and(template) {
            Ok(template) => headers.push((name, template)),
            Err(message) => settings.refuse("http.headers", format!("\"{name}\" {message}")),
        }
    }
    headers
}

fn read_body(settings: &mut Settings) -> Option<Body> {
    let json = settings.parse_optional("http.json", |text| {
        let json: Value = serde_json::from_str(text).map_err(|error| {
            format!("is not valid JSON: line {}, column {}", error.line(), error.column())
        })?;
        check_json(&json)?;
        Ok::<_, String>(json)
    });
    let mut form = Vec::new();
    for (name, text) in settings.get::<BTreeMap<String, String>>("http.form") {
        match Template::parse(&text, Place::Body) {
            Ok(template) => form.push((name, template)),
            Err(message) => settings.refuse("http.form", format!("\"{name}\" {message}")),
        }
    }
    let is_set = (!settings.text("http.json").is_empty(), !form.is_empty());
    match (is_set, json) {
        ((true, true), _) => {
            settings.refuse("http.form", "is set, but http.json is as well; remove one of them");
            None
        }
        ((_, true), _) => Some(Body::Form(form)),
        (_, Some(json)) => Some(Body::Json(json)),
        ((false, false), None) => {
            if settings.is_fine("http.form") && settings.is_fine("http.json") {
                settings.refuse("http", "needs a body: http.form or http.json");
            }
            None
        }
        ((true, false), None) => None,
    }
}

fn read_answers(settings: &mut Settings) -> Answers {
    let values = |settings: &mut Settings, key: &str| {
        settings.parse_list(key, |text| Ok::<_, &str>(text.to_owned()))
    };
    Answers {
        accepted: settings.parse_list("http.accepted", parse_statuses),
        transient: settings.parse_list("http.transient", parse_statuses),
        account: settings.parse_list("http.account", parse_statuses),
        field: settings.parse_optional("http.field", parse_pointer),
        accepted_values: values(settings, "http.accepted_values"),
        transient_values: values(settings, "http.transient_values"),
        account_values: values(settings, "http.account_values"),
        message_id: settings.parse_optional("http.message_id", parse_pointer),
    }
}

fn read_receipts(settings: &mut Settings) -> Option<ReceiptFields> {
    let values = |settings: &mut Settings, key: &str| {
        settings.parse_list(key, |text| Ok::<_, &str>(text.to_owned()))
    };
    let delivered = values(settings, "http.receipt_delivered");
    let undelivered = values(settings, "http.receipt_undelivered");
    if delivered.iter().any(|value| undelivered.contains(value)) {
        settings.refuse("http.receipt_undelivered", "has a value of receipt_delivered");
    }
    let message_id = settings.optional("http.receipt_message_id");
    let status = settings.optional("http.receipt_status")?;
    Some(ReceiptFields { status, delivered, undelivered, message_id })
}

fn parse_statuses(text: &str) -> Result<RangeInclusive<u16>, &'static str> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let status = |text: &str| text.parse().ok().filter(|status| (100..=599).contains(status));
    match (status(first), status(last)) {
        (Some(first), Some(last)) if first <= last => Ok(first..=last),
        _ => Err("must be a status as \"202\", or several as \"200-299\""),
    }
}

fn parse_pointer(text: &str) -> Result<String, &'static str> {
    let is_pointer = text.starts_with('/');
    is_pointer.then(|| text.to_owned()).ok_or("must be a JSON pointer such as \"/data/id\"")
}
