//! Texts with named placeholders, whose values are encoded for their place.
//!
//! A value never changes the structure of a request: forms and JSON are encoded after their values were put
//! in, and headers and URLs take configured values only. Code, text and recipient stand in bodies alone, since
//! URLs and headers are logged.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::Credentials;

/// A text with placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(Name),
}

/// Place of a template in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The URL.
    Url,
    /// The value of a header.
    Header,
    /// A value of the body.
    Body,
}

/// The name of a placeholder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Channel,
    To,
    ToPlain,
    From,
    FromPlain,
    Text,
    Code,
    Subject,
    Html,
    Id,
    Locale,
    Brand,
    Seconds,
    Alphabet,
    ReceiptUrl,
    Username,
    Password,
    Token,
}

impl Name {
    const ALL: [(&str, Self); 18] = [
        ("channel", Self::Channel),
        ("to", Self::To),
        ("to_plain", Self::ToPlain),
        ("from", Self::From),
        ("from_plain", Self::FromPlain),
        ("text", Self::Text),
        ("code", Self::Code),
        ("subject", Self::Subject),
        ("html", Self::Html),
        ("id", Self::Id),
        ("locale", Self::Locale),
        ("brand", Self::Brand),
        ("seconds", Self::Seconds),
        ("alphabet", Self::Alphabet),
        ("receipt_url", Self::ReceiptUrl),
        ("username", Self::Username),
        ("password", Self::Password),
        ("token", Self::Token),
    ];

    fn may_stand_in(self, place: Place) -> bool {
        match place {
            Place::Url => self == Self::Username,
            Place::Header => {
                matches!(self, Self::Username | Self::Password | Self::Token | Self::Id)
            }
            Place::Body => true,
        }
    }
}

/// The values of one message.
pub(super) struct Values<'a> {
    pub(super) channel: &'a str,
    pub(super) to: &'a str,
    pub(super) from: &'a str,
    pub(super) text: String,
    pub(super) subject: String,
    pub(super) html: String,
    pub(super) code: &'a str,
    pub(super) id: &'a str,
    pub(super) locale: &'a str,
    pub(super) brand: &'a str,
    pub(super) seconds: String,
    pub(super) is_gsm: bool,
    /// Empty if there is none.
    pub(super) receipt_url: &'a str,
    pub(super) credentials: &'a Credentials,
}

impl Values<'_> {
    fn get(&self, name: Name) -> &str {
        match name {
            Name::Channel => self.channel,
            Name::To => self.to,
            Name::ToPlain => self.to.trim_start_matches('+'),
            Name::From => self.from,
            Name::FromPlain => self.from.trim_start_matches('+'),
            Name::Text => &self.text,
            Name::Code => self.code,
            Name::Subject => &self.subject,
            Name::Html => &self.html,
            Name::Id => self.id,
            Name::Locale => self.locale,
            Name::Brand => self.brand,
            Name::Seconds => &self.seconds,
            Name::Alphabet => {
                if self.is_gsm {
                    "text"
                } else {
                    "unicode"
                }
            }
            Name::ReceiptUrl => self.receipt_url,
            Name::Username => &self.credentials.username,
            Name::Password => self.credentials.password.expose_secret(),
            Name::Token => self.credentials.token.expose_secret(),
        }
    }
}

impl Template {
    /// Reads a text for a place.
    ///
    /// # Errors
    /// The reason why it cannot stand there. The text is not quoted.
    pub fn parse(text: &str, place: Place) -> Result<Self, String> {
        let (mut parts, mut literal, mut rest) = (Vec::new(), String::new(), text);
        while let Some(at) = rest.find(['{', '}']) {
            literal.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(after) = rest.strip_prefix("{{").or(rest.strip_prefix("}}")) {
                literal.push_str(&rest[..1]);
                rest = after;
                continue;
            }
            let inner = rest.strip_prefix('{').and_then(|inner| inner.split_once('}'));
            let (word, after) =
                inner.ok_or("has a brace that is not doubled and in no placeholder")?;
            let found = Name::ALL.into_iter().find(|(known, _)| *known == word);
            let (_, name) = found.ok_or_else(|| {
                let known = Name::ALL.map(|(word, _)| word);
                format!("has a placeholder that is none of: {}", known.join(", "))
            })?;
            if !name.may_stand_in(place) {
                return Err(format!("must not hold {{{word}}}; it may stand in the body only"));
            }
            parts.push(Part::Text(std::mem::take(&mut literal)));
            parts.push(Part::Value(name));
            rest = after;
        }
        literal.push_str(rest);
        if place == Place::Header && literal_of(&parts).chain([&*literal]).any(has_control) {
            return Err("has a control character or one outside of ASCII".to_owned());
        }
        parts.push(Part::Text(literal));
        Ok(Self(parts))
    }

    /// The text of a URL. The user name cannot leave its segment.
    #[must_use]
    pub fn in_url(&self, username: &str) -> String {
        let username = utf8_percent_encode(username, NON_ALPHANUMERIC).to_string();
        self.fill(|_| &username)
    }

    /// The text with the values of a message.
    pub(super) fn with(&self, values: &Values<'_>) -> String {
        self.fill(|name| values.get(name))
    }

    /// Whether it needs a sender.
    pub(super) fn needs_sender(&self) -> bool {
        let is_sender = |part: &Part| matches!(part, Part::Value(Name::From | Name::FromPlain));
        self.0.iter().any(is_sender)
    }

    /// Whether it names the URL for receipts.
    pub(super) fn names_receipt_url(&self) -> bool {
        self.0.contains(&Part::Value(Name::ReceiptUrl))
    }

    /// Whether it is left out of a request with these values: it has a URL for receipts, and there is none.
    pub(super) fn is_left_out(&self, values: &Values<'_>) -> bool {
        values.receipt_url.is_empty() && self.names_receipt_url()
    }

    fn fill<'a>(&'a self, value: impl Fn(Name) -> &'a str) -> String {
        let text = |part: &'a Part| match part {
            Part::Text(text) => text,
            Part::Value(name) => value(*name),
        };
        self.0.iter().map(text).collect()
    }
}

fn literal_of(parts: &[Part]) -> impl Iterator<Item = &str> {
    parts.iter().filter_map(|part| match part {
        Part::Text(text) => Some(&**text),
        Part::Value(_) => None,
    })
}

/// Whether a text cannot stand in a header.
pub(super) fn has_control(text: &str) -> bool {
    !text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
}

/// Checks the texts of a JSON body.
///
/// # Errors
/// The reason why it cannot be one.
pub fn check_json(json: &Value) -> Result<(), String> {
    if !json.is_object() && !json.is_array() {
        return Err("must be an object or a list".to_owned());
    }
    each_text(&mut json.clone(), &mut |text| Template::parse(text, Place::Body).map(|_| ()))
}

/// A JSON body with the values of a message in its texts.
pub(super) fn fill_json(json: &Value, values: &Values<'_>) -> Result<Value, String> {
    let mut filled = json.clone();
    leave_out(&mut filled, values);
    each_text(&mut filled, &mut |text| {
        *text = Template::parse(text, Place::Body)?.with(values);
        Ok(())
    })?;
    Ok(filled)
}

/// Whether a text of a JSON body is such a template.
pub(super) fn has_template(json: &Value, is_it: fn(&Template) -> bool) -> bool {
    let mut found = false;
    let asked = each_text(&mut json.clone(), &mut |text| {
        found |= is_it(&Template::parse(text, Place::Body)?);
        Ok(())
    });
    asked.is_ok() && found
}

/// Removes the members that are left out.
fn leave_out(value: &mut Value, values: &Values<'_>) {
    let is_left_out = |text: &str| {
        let template = Template::parse(text, Place::Body);
        template.is_ok_and(|template| template.is_left_out(values))
    };
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| leave_out(item, values)),
        Value::Object(items) => {
            items.retain(|_, item| !item.as_str().is_some_and(is_left_out));
            items.values_mut().for_each(|item| leave_out(item, values));
        }
        _ => {}
    }
}

/// Calls `change` with each text of a JSON value, names excepted.
fn each_text(
    value: &mut Value,
    change: &mut impl FnMut(&mut String) -> Result<(), String>,
) -> Result<(), String> {
    match value {
        Value::String(text) => change(text),
        Value::Array(items) => items.iter_mut().try_for_each(|item| each_text(item, change)),
        Value::Object(items) => items.values_mut().try_for_each(|item| each_text(item, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn values<'a>(credentials: &'a Credentials, text: &str) -> Values<'a> {
        Values {
            channel: "sms",
            to: "+447400123456",
            from: "+44207",
            text: text.to_owned(),
            subject: "S".to_owned(),
            html: String::new(),
            code: "123456",
            id: "m1",
            locale: "en",
            brand: "Shop",
            seconds: "300".to_owned(),
            is_gsm: true,
            receipt_url: "https://r.example/1",
            credentials,
        }
    }

    fn credentials() -> Credentials {
        Credentials { username: "me".into(), password: "pw".into(), token: "tk".into() }
    }

    #[test]
    fn every_placeholder_has_its_value_and_doubled_braces_are_braces() {
        let credentials = credentials();
        let text = "{to} {to_plain} {from} {from_plain} {text} {code} {subject} {html} {id} {locale} {brand} \
                    {seconds} {alphabet} {receipt_url} {username} {password} {token} {{to}}";
        let filled = Template::parse(text, Place::Body).unwrap().with(&values(&credentials, "T"));
        let expected = "+447400123456 447400123456 +44207 44207 T 123456 S  m1 en Shop 300 text https://r.example/1 me pw tk {to}";
        assert_eq!(filled, expected);
    }

    #[test]
    fn members_for_receipts_are_left_out_where_none_are_taken() {
        let credentials = credentials();
        let json =
            json!({"to": "{to}", "hooks": [{"url": "{receipt_url}"}], "url": "{receipt_url}"});
        assert!(has_template(&json, Template::names_receipt_url));
        assert!(!has_template(&json!({"to": "{to}"}), Template::names_receipt_url));
        let with = values(&credentials, "T");
        let filled = fill_json(&json, &with).unwrap();
        assert_eq!(filled["hooks"][0]["url"], "https://r.example/1");
        let without = Values { receipt_url: "", ..with };
        let filled = fill_json(&json, &without).unwrap();
        assert_eq!(filled, json!({"to": "+447400123456", "hooks": [{}]}));
    }

    #[test]
    fn values_are_not_read_as_placeholders_and_cannot_leave_their_place() {
        let credentials = credentials();
        let hostile = "\",\"to\":\"+1900\n{password}\\";
        let json = json!({"messages": [{"text": "{text}", "n": 1, "ok": true}], "to": "{to}"});
        let filled = fill_json(&json, &values(&credentials, hostile)).unwrap();
        let read: Value = serde_json::from_str(&filled.to_string()).unwrap();
        let expected =
            json!({"messages": [{"text": hostile, "n": 1, "ok": true}], "to": "+447400123456"});
        assert_eq!(read, expected);
        let url = Template::parse("https://a.example/{username}/x", Place::Url).unwrap();
        assert_eq!(url.in_url("../b?c#d@"), "https://a.example/%2E%2E%2Fb%3Fc%23d%40/x");
    }

    #[test]
    fn s8_codes_texts_and_recipients_stand_in_bodies_only() {
        for (word, _) in Name::ALL {
            let text = format!("{{{word}}}");
            assert!(Template::parse(&text, Place::Body).is_ok());
            let in_url = word == "username";
            assert_eq!(Template::parse(&text, Place::Url).is_ok(), in_url, "{word}");
            let in_header = ["username", "password", "token", "id"].contains(&word);
            assert_eq!(Template::parse(&text, Place::Header).is_ok(), in_header, "{word}");
        }
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for bad in ["{", "}", "{to", "to}", "{unknown}", "{ to }", "{}"] {
            assert!(Template::parse(bad, Place::Body).is_err(), "{bad}");
        }
        for bad in ["a\r\nb", "a\u{e9}", "{token}\n"] {
            assert!(Template::parse(bad, Place::Header).is_err(), "{bad}");
        }
        assert!(check_json(&json!("{text}")).is_err());
        assert!(check_json(&json!({"a": ["{what}"]})).is_err());
    }
}
