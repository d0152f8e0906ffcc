//! `[providers.http]`: a gateway that is described by configuration alone.

use std::{collections::BTreeMap, ops::RangeInclusive};

use otp::Channel;
use secrecy::SecretString;
use serde_json::Value;
use url::Url;

use super::{Gateways, preset};
use crate::{
    config::{senders::read_senders, settings::Settings},
    delivery::{
        ReceiptFields, TextSender,
        http::{
            Answers, Auth, Body, Credentials, HttpSettings, JsonTemplate, Position, Template,
            header_name,
        },
        parse_sender,
    },
};

pub(super) fn read(
    settings: &mut Settings,
    gateways: Gateways<'_>,
    channels: &[Channel],
) -> Option<HttpSettings> {
    preset::check(settings);
    let timeout = settings.seconds("http.timeout", 1..=60);
    let is_put = settings.choice("http.method", &[("POST", false), ("PUT", true)]);
    let credentials = read_credentials(settings);
    let auth = read_auth(settings, &credentials);
    let username = credentials.username.clone();
    if settings.text("http.url").is_empty() {
        settings.refuse("http.url", "is missing");
    }
    let url = read_url(settings, "http.url", &username, gateways);
    let probe_url = read_url(settings, "http.probe_url", &username, gateways);
    let sender = settings.parse_optional("http.sender", |text| match channels {
        [Channel::Email] => {
            parse_sender(text).map(|mailbox| mailbox.to_string()).map_err(|e| e.to_string())
        }
        others if !others.contains(&Channel::Email) => {
            let sender = TextSender::parse(text).map_err(str::to_owned)?;
            Ok(sender.as_str().to_owned())
        }
        _ => Err("is for mail or for phones only; give each a provider of its own".to_owned()),
    });
    let senders = read_senders(settings, "http.senders", TextSender::parse);
    let headers = read_headers(settings);
    let body = read_body(settings);
    let answers = read_answers(settings);
    let receipts = read_receipts(settings);
    if let Some(body) = &body
        && body.needs_sender()
        && sender.is_none()
        && settings.is_fine("http.sender")
    {
        settings.refuse("http.sender", "is missing: a number as +44..., a name, or an address");
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

fn read_url(
    settings: &mut Settings,
    key: &str,
    username: &str,
    gateways: Gateways<'_>,
) -> Option<Url> {
    settings.parse_optional(key, |text| {
        let text = Template::parse(text, Position::Url)?.in_url(username);
        gateways.parse_url(&text).map_err(str::to_owned)
    })
}

fn read_headers(settings: &mut Settings) -> Vec<(String, Template)> {
    let mut headers = Vec::new();
    for (name, text) in settings.get::<BTreeMap<String, String>>("http.headers") {
        let template = Template::parse(&text, Position::Header);
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
        JsonTemplate::parse(json)
    });
    let mut form = Vec::new();
    for (name, text) in settings.get::<BTreeMap<String, String>>("http.form") {
        match Template::parse(&text, Position::Body) {
            Ok(_) if name.contains(['{', '}']) => {
                settings.refuse("http.form", format!("\"{name}\" has a brace in its name"));
            }
            Ok(template) => form.push((name, template)),
            Err(message) => settings.refuse("http.form", format!("\"{name}\" {message}")),
        }
    }
    let is_set = (!settings.text("http.json").is_empty(), !form.is_empty());
    let body = match (is_set, json) {
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
    }?;
    if let Some(missing) = body.missing() {
        let key = if matches!(body, Body::Form(_)) { "http.form" } else { "http.json" };
        if settings.is_fine(key) {
            settings.refuse(key, format!("must hold {missing}"));
        }
    }
    Some(body)
}

fn read_answers(settings: &mut Settings) -> Answers {
    let values = |settings: &mut Settings, key: &str| {
        settings.parse_list(key, |text| Ok::<_, &str>(text.to_owned()))
    };
    let answers = Answers {
        accepted: settings.parse_list("http.accepted", parse_statuses),
        transient: settings.parse_list("http.transient", parse_statuses),
        account: settings.parse_list("http.account", parse_statuses),
        field: settings.parse_optional("http.field", parse_pointer),
        accepted_values: values(settings, "http.accepted_values"),
        transient_values: values(settings, "http.transient_values"),
        account_values: values(settings, "http.account_values"),
        message_id: settings.parse_optional("http.message_id", parse_pointer),
    };
    if answers.field.is_none() && settings.is_fine("http.field") {
        for (key, values) in [
            ("http.accepted_values", &answers.accepted_values),
            ("http.transient_values", &answers.transient_values),
            ("http.account_values", &answers.account_values),
        ] {
            if !values.is_empty() {
                settings.refuse(key, "has values, but http.field does not say of what");
            }
        }
    }
    if answers.accepted.is_empty()
        && answers.accepted_values.is_empty()
        && settings.is_fine("http.accepted")
    {
        settings.refuse("http.accepted", "must list a status, or http.accepted_values a value");
    }
    answers
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
