//! Recipients of codes.
//!
//! [`Recipient::parse`] is the only constructor for input, so a `Recipient` holds exactly one
//! deliverable address: no list of addresses, no line break and no header. Every spelling of one
//! mailbox or phone has one [canonical](Recipient::canonical) form, which is its identity; limits are
//! counted under one form for all addresses that [reach the same mailbox](Recipient::counted_as); people
//! see the [masked](Recipient::masked) form only.

mod country;
mod email;
mod mailbox;
mod phone;

use std::fmt;

use otp_types::{Channel, RecipientProblem};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

pub use self::{
    country::{Country, LineType, non_geographic_codes},
    email::EmailAddress,
    phone::{CallingRegion, PhoneNumber, calling_regions},
};

/// Longest input that is parsed, in bytes.
const LONGEST_INPUT: usize = 1024;

/// An e-mail address or a phone number that a code can be sent to.
///
/// Serialises as its [address](Recipient::address). Deserialising is for stored records: it checks the
/// shape of the address and does not parse it again, so newer metadata never makes a record
/// unreadable.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Recipient {
    /// An e-mail address.
    Email(EmailAddress),
    /// A phone number.
    Phone(PhoneNumber),
}

impl Recipient {
    /// Parses an e-mail address or a phone number as a person types it.
    ///
    /// `default_region` is the ISO 3166-1 alpha-2 code of the country of phone numbers without a
    /// calling code. A `channel` says the kind of recipient. Without one the kind follows from the input: with an
    /// at sign it is an e-mail address, and a phone number if it begins like one.
    ///
    /// # Errors
    /// The reason why the input is not a recipient.
    pub fn parse(
        input: &str,
        default_region: Option<&str>,
        channel: Option<Channel>,
    ) -> Result<Self, RecipientProblem> {
        let typed = input.trim_matches(|c: char| is_blank(c) || is_invisible(c));
        if typed.is_empty() {
            return Err(RecipientProblem::Empty);
        }
        let is_phone = channel.map_or_else(|| looks_like_a_number(typed), Channel::is_of_phones);
        // Blanks at the ends are dropped. Control characters, line breaks among them, cannot be typed
        // into a one-line field and are refused anywhere.
        let unreadable = typed.len() > LONGEST_INPUT || typed.contains(char::is_control);
        match is_phone {
            false if unreadable => Err(RecipientProblem::Email),
            false => EmailAddress::parse(typed).map(Self::Email),
            true if unreadable => Err(RecipientProblem::Phone),
            true => PhoneNumber::parse(typed, default_region).map(Self::Phone),
        }
    }

    /// The address that providers send to: an e-mail address with its local part as typed and its
    /// domain in lower-case ASCII, or a phone number in E.164.
    pub fn address(&self) -> &str {
        match self {
            Self::Email(email) => email.address(),
            Self::Phone(phone) => phone.e164(),
        }
    }

    /// One form for all spellings of the address or number, by which it is told from others. Parses to
    /// itself.
    pub fn canonical(&self) -> String {
        match self {
            Self::Email(email) => email.canonical(),
            Self::Phone(phone) => phone.e164().to_owned(),
        }
    }

    /// One form for all addresses that reach the same mailbox, under which limits are counted; of a
    /// number its canonical form. Need not be an address that mail reaches.
    pub fn counted_as(&self) -> String {
        match self {
            Self::Email(email) => mailbox::fold(&email.canonical()),
            Self::Phone(phone) => phone.e164().to_owned(),
        }
    }

    /// The masked form, shown to people and in logs: `j***@example.com`, `+44 ••• ••42`.
    pub fn masked(&self) -> String {
        match self {
            Self::Email(email) => email.masked(),
            Self::Phone(phone) => phone.masked(),
        }
    }

    /// The phone number, if it is one.
    pub fn phone(&self) -> Option<&PhoneNumber> {
        match self {
            Self::Email(_) => None,
            Self::Phone(phone) => Some(phone),
        }
    }

    /// The channels that reach this kind of recipient, the usual one first.
    pub fn channels(&self) -> &'static [Channel] {
        match self {
            Self::Email(_) => &[Channel::Email],
            Self::Phone(_) => Channel::OF_PHONES,
        }
    }
}

/// Whether the input is more like a phone number than like an e-mail address.
fn looks_like_a_number(typed: &str) -> bool {
    !typed.contains(['@', '\u{ff20}'])
        && typed.starts_with(|c: char| phone::digit(c).is_some() || phone::opens_a_number(c))
}

/// White space other than control characters such as line breaks.
fn is_blank(c: char) -> bool {
    c.is_whitespace() && !c.is_control()
}

/// Invisible marks that are copied along with a number or address: directional marks, embeddings and
/// isolates, zero-width spaces, the byte order mark.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

impl Serialize for Recipient {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.address())
    }
}

impl<'de> Deserialize<'de> for Recipient {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let address = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        let recipient = if address.starts_with('+') && !address.contains('@') {
            PhoneNumber::from_stored(&address).map(Self::Phone)
        } else {
            EmailAddress::from_stored(&address).map(Self::Email)
        };
        // The error must not quote the address.
        recipient.ok_or_else(|| D::Error::custom("neither an e-mail address nor a number in E.164"))
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({})", self.masked())
    }
}

#[cfg(test)]
mod tests;
