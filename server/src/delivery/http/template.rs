//! Texts with named placeholders, whose values are encoded for their place.
//!
//! A value never changes the structure of a request: forms and JSON are encoded after their values were put
//! in, and headers and URLs take configured values only. Code, text and recipient stand in bodies alone, since
//! URLs and headers are logged.

use super::Credentials;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::ExposeSecret;

/// A text with placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Value(Name),
}

/// Position of a template in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// The URL.
    Url,
    /// The value of a header.
    Header,
    /// A value of the body.
    Body,
}

/// A part of a message that a request may need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Sender,
    Recipient,
    /// The code, alone or in a text.
    Code,
    ReceiptUrl,
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

    fn part(self) -> Option<Part> {
        match self {
            Self::From | Self::FromPlain => Some(Part::Sender),
            Self::To | Self::ToPlain => Some(Part::Recipient),
            Self::Text | Self::Code | Self::Html => Some(Part::Code),
            Self::ReceiptUrl => Some(Part::ReceiptUrl),
            _ => None,
        }
    }

    fn may_stand_in(self, position: Position) -> bool {
        match position {
            Position::Url => self == Self::Username,
            Position::Header => {
                matches!(self, Self::Username | Self::Password | Self::Token | Self::Id)
            }
            Position::Body => true,
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
    pub fn parse(text: &str, position: Position) -> Result<Self, String> {
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
            if !name.may_stand_in(position) {
                return Err(format!("must not hold {{{word}}}; it may stand in the body only"));
            }
            parts.push(Piece::Text(std::mem::take(&mut literal)));
            parts.push(Piece::Value(name));
            rest = after;
        }
        literal.push_str(rest);
        if position == Position::Header
            && literal_of(&parts).chain([&*literal]).any(is_unfit_for_header)
        {
            return Err("has a control character or one outside of ASCII".to_owned());
        }
        parts.push(Piece::Text(literal));
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

    /// Whether it has a placeholder for this part of a message.
    pub(super) fn has(&self, part: Part) -> bool {
        self.0.iter().any(|piece| match piece {
            Piece::Text(_) => false,
            Piece::Value(name) => name.part() == Some(part),
        })
    }

    /// Whether it is left out of a request with these values: it has a URL for receipts, and there is none.
    pub(super) fn is_left_out(&self, values: &Values<'_>) -> bool {
        values.receipt_url.is_empty() && self.has(Part::ReceiptUrl)
    }

    fn fill<'a>(&'a self, value: impl Fn(Name) -> &'a str) -> String {
        let text = |part: &'a Piece| match part {
            Piece::Text(text) => text,
            Piece::Value(name) => value(*name),
        };
        self.0.iter().map(text).collect()
    }
}

fn literal_of(parts: &[Piece]) -> impl Iterator<Item = &str> {
    parts.iter().filter_map(|part| match part {
        Piece::Text(text) => Some(&**text),
        Piece::Value(_) => None,
    })
}

/// Whether a text cannot stand in a header.
pub(super) fn is_unfit_for_header(text: &str) -> bool {
    !text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{super::JsonTemplate, *};

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
        let filled =
            Template::parse(text, Position::Body).unwrap().with(&values(&credentials, "T"));
        let expected = "+447400123456 447400123456 +44207 44207 T 123456 S  m1 en Shop 300 text https://r.example/1 me pw tk {to}";
        assert_eq!(filled, expected);
    }

    #[test]
    fn members_for_receipts_are_left_out_where_none_are_taken() {
        let credentials = credentials();
        let json =
            json!({"to": "{to}", "hooks": [{"url": "{receipt_url}"}], "url": "{receipt_url}"});
        let template = JsonTemplate::parse(json).unwrap();
        assert!(template.has(Part::ReceiptUrl));
        assert!(!JsonTemplate::parse(json!({"to": "{to}"})).unwrap().has(Part::ReceiptUrl));
        let with = values(&credentials, "T");
        let filled = template.with(&with);
        assert_eq!(filled["hooks"][0]["url"], "https://r.example/1");
        let without = Values { receipt_url: "", ..with };
        let filled = template.with(&without);
        assert_eq!(filled, json!({"to": "+447400123456", "hooks": [{}]}));
    }

    #[test]
    fn values_are_not_read_as_placeholders_and_cannot_leave_their_place() {
        let credentials = credentials();
        let hostile = "\",\"to\":\"+1900\n{password}\\";
        let json = json!({"messages": [{"text": "{text}", "n": 1, "ok": true}], "to": "{to}"});
        let filled = JsonTemplate::parse(json).unwrap().with(&values(&credentials, hostile));
        let read: Value = serde_json::from_str(&filled.to_string()).unwrap();
        let expected =
            json!({"messages": [{"text": hostile, "n": 1, "ok": true}], "to": "+447400123456"});
        assert_eq!(read, expected);
        let url = Template::parse("https://a.example/{username}/x", Position::Url).unwrap();
        assert_eq!(url.in_url("../b?c#d@"), "https://a.example/%2E%2E%2Fb%3Fc%23d%40/x");
    }

    #[test]
    fn s8_codes_texts_and_recipients_stand_in_bodies_only() {
        for (word, _) in Name::ALL {
            let text = format!("{{{word}}}");
            assert!(Template::parse(&text, Position::Body).is_ok());
            let in_url = word == "username";
            assert_eq!(Template::parse(&text, Position::Url).is_ok(), in_url, "{word}");
            let in_header = ["username", "password", "token", "id"].contains(&word);
            assert_eq!(Template::parse(&text, Position::Header).is_ok(), in_header, "{word}");
        }
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for bad in ["{", "}", "{to", "to}", "{unknown}", "{ to }", "{}"] {
            assert!(Template::parse(bad, Position::Body).is_err(), "{bad}");
        }
        for bad in ["a\r\nb", "a\u{e9}", "{token}\n"] {
            assert!(Template::parse(bad, Position::Header).is_err(), "{bad}");
        }
        for bad in [json!("{text}"), json!({"a": ["{what}"]}), json!([{"{to}": "{text}"}])] {
            assert!(JsonTemplate::parse(bad.clone()).is_err(), "{bad}");
        }
    }
}
