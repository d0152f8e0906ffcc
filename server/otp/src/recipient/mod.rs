//! Who a code is sent to, parsed once and for all.
//!
//! [`Recipient::parse`] is the only constructor, so whoever holds a `Recipient` holds exactly one
//! deliverable address: no list of addresses, no line break and no header can hide in it. Every
//! spelling of one mailbox or phone has one [canonical](Recipient::canonical) form, under which
//! limits are counted, and people only ever see the [masked](Recipient::masked) form.

mod email;
mod phone;

use std::fmt;

use otp_types::{Channel, RecipientProblem};
use serde::{Deserialize, Serialize};

pub use self::{
    email::EmailAddress,
    phone::{CallingRegion, PhoneNumber, calling_regions},
};

/// More than anybody types for an address or a number, in bytes; beyond it nothing is looked at.
const LONGEST_INPUT: usize = 1024;

/// An e-mail address or a phone number that a code can be sent to.
///
/// Serialises as its [address](Recipient::address) and is parsed again when deserialised.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Recipient {
    /// Reached by e-mail.
    Email(EmailAddress),
    /// Reached by phone.
    Phone(PhoneNumber),
}

impl Recipient {
    /// Reads what a person typed.
    ///
    /// `default_region` is the ISO 3166-1 alpha-2 code of the country in which a phone number
    /// without a calling code is read. Without a `channel` it follows from what was typed: an at
    /// sign makes it an e-mail address, a number otherwise needs to look like one.
    pub fn parse(
        input: &str,
        default_region: Option<&str>,
        channel: Option<Channel>,
    ) -> Result<Self, RecipientProblem> {
        let typed = input.trim_matches(|c: char| is_blank(c) || is_invisible(c));
        if typed.is_empty() {
            return Err(RecipientProblem::Empty);
        }
        let channel = channel.unwrap_or_else(|| channel_of(typed));
        // Blanks at the ends are a slip of the fingers and go. A control character, and so any
        // line break, is never typed into a one-line field, and is refused wherever it stands.
        let unreadable = typed.len() > LONGEST_INPUT || typed.contains(char::is_control);
        match channel {
            Channel::Email if unreadable => Err(RecipientProblem::Email),
            Channel::Email => EmailAddress::parse(typed).map(Self::Email),
            Channel::Sms if unreadable => Err(RecipientProblem::Phone),
            Channel::Sms => PhoneNumber::parse(typed, default_region).map(Self::Phone),
        }
    }

    /// What a provider is given: an e-mail address with its local part as typed and its domain in
    /// lower-case ASCII, or a phone number in E.164.
    pub fn address(&self) -> &str {
        match self {
            Self::Email(email) => email.address(),
            Self::Phone(phone) => phone.e164(),
        }
    }

    /// The one key of this mailbox or phone, whatever way it was typed. Parses to itself.
    pub fn canonical(&self) -> String {
        match self {
            Self::Email(email) => email.canonical(),
            Self::Phone(phone) => phone.e164().to_owned(),
        }
    }

    /// Enough to recognise one's own, too little to learn another's: `j***@example.com`,
    /// `+44 ••• ••42`.
    pub fn masked(&self) -> String {
        match self {
            Self::Email(email) => email.masked(),
            Self::Phone(phone) => phone.masked(),
        }
    }

    /// The channel by which this recipient is reached.
    pub fn channel(&self) -> Channel {
        match self {
            Self::Email(_) => Channel::Email,
            Self::Phone(_) => Channel::Sms,
        }
    }
}

/// Guesses the channel from what was typed.
fn channel_of(typed: &str) -> Channel {
    let looks_like_a_number =
        typed.starts_with(|c: char| phone::digit(c).is_some() || phone::opens_a_number(c));
    if !typed.contains(['@', '\u{ff20}']) && looks_like_a_number {
        Channel::Sms
    } else {
        Channel::Email
    }
}

/// White space that is no control character: a line break is not blank but unreadable.
fn is_blank(c: char) -> bool {
    c.is_whitespace() && !c.is_control()
}

/// Marks that come along unseen when a number or address is copied from contacts or a page:
/// directional marks, embeddings and isolates, zero-width spaces, the byte order mark.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

impl TryFrom<String> for Recipient {
    type Error = RecipientProblem;

    fn try_from(address: String) -> Result<Self, RecipientProblem> {
        Self::parse(&address, None, None)
    }
}

impl From<Recipient> for String {
    fn from(recipient: Recipient) -> Self {
        recipient.address().to_owned()
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
