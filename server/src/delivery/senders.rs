//! Senders of texts and calls.

use std::collections::HashMap;

use otp::{Recipient, recipient::Country};

/// The sender of a text message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextSender {
    /// A number in E.164, a short code or a name.
    From(String),
    /// SID of one of Twilio's messaging services, which choose the number.
    Service(String),
}

/// Senders for the numbers of some countries, since many take texts from numbers of their own only, and people rather
/// answer calls from such.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Senders<S = TextSender>(pub HashMap<Country, S>);

impl<S> Default for Senders<S> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl TextSender {
    /// Reads a number, which is often copied with its spaces, a short code, a messaging service or a name.
    ///
    /// # Errors
    /// The reason why it is none of them.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let is_written_as_number =
            |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b" -().".contains(&b));
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        if text.contains("(0)") {
            return Err("has (0), which is dialled inside the country only: leave it out");
        }
        match text.strip_prefix('+') {
            Some(rest) if is_written_as_number(rest) && (5..=15).contains(&digits.len()) => {
                return Ok(Self::From(format!("+{digits}")));
            }
            // Short codes have no country code.
            None if digits == text && matches!(text.len(), 5 | 6) => {
                return Ok(Self::From(digits));
            }
            None if is_written_as_number(text) => {
                return Err(
                    "is a number without its country code: it must begin with +, as +44...",
                );
            }
            _ => {}
        }
        let is_hex = |sid: &str| sid.len() == 32 && sid.bytes().all(|b| b.is_ascii_hexdigit());
        let is_name = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b' ');
        match text.len() {
            _ if text.strip_prefix("MG").is_some_and(is_hex) => Ok(Self::Service(text.to_owned())),
            1..=11 if is_name => Ok(Self::From(text.to_owned())),
            _ => Err("must be a number as +44..., the SID of a messaging service (MG and 32 \
                      hexadecimal digits), or a name of 1 to 11 letters and digits"),
        }
    }

    /// The number, name or SID.
    pub fn as_str(&self) -> &str {
        match self {
            Self::From(sender) | Self::Service(sender) => sender,
        }
    }
}

/// Reads a number with its country code.
///
/// # Errors
/// If it is something else.
pub fn parse_number(text: &str) -> Result<String, &'static str> {
    match TextSender::parse(text) {
        Ok(TextSender::From(number)) if number.starts_with('+') => Ok(number),
        _ => Err("must be a number with its country code, as +44..."),
    }
}

impl<S> Senders<S> {
    /// The sender for a recipient, if its country has one.
    pub fn of(&self, to: &Recipient) -> Option<&S> {
        let phone = to.phone().filter(|_| !self.0.is_empty())?;
        self.0.get(&phone.country())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_a_number_a_short_code_a_service_or_a_name() {
        let service = format!("MG{}", "0123456789abcdef".repeat(2));
        for (text, sender) in [
            ("+44 20 7946-0001", "+442079460001"),
            ("+1 (202) 555.0123", "+12025550123"),
            ("12345", "12345"),
            ("Example", "Example"),
            ("MG Motors", "MG Motors"),
        ] {
            assert_eq!(TextSender::parse(text), Ok(TextSender::From(sender.to_owned())), "{text}");
        }
        assert_eq!(TextSender::parse(&service), Ok(TextSender::Service(service.clone())));
        for (text, reason) in [
            ("+44x7400y123456", "must be a number"),
            ("+44 (0)20 7946 0000", "has (0)"),
            ("02079460001", "without its country code"),
            ("+44", "must be a number"),
            ("+44+7400123456", "must be a number"),
            ("Example and more", "must be a number"),
            ("B\u{fc}ro", "must be a number"),
            ("MG0123", ""),
            (&service[..33], "must be a number"),
            (&service.replace('0', "g"), "must be a number"),
            ("", "without its country code"),
        ] {
            match TextSender::parse(text) {
                Err(message) => assert!(message.contains(reason), "{text}: {message}"),
                Ok(name) => assert!(reason.is_empty(), "{name:?}"),
            }
        }
    }
}
