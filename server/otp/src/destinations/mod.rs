//! Destinations of messages to phones: the countries, kinds of lines and ranges of numbers that a site
//! sends to.
//!
//! Fraudsters ask for messages to numbers whose operator pays them a share of the price (S33), so a
//! site sends only to the countries of its people, and to mobile phones.

use otp_types::Channel;

use crate::recipient::{Country, LineType, PhoneNumber, non_geographic_codes};

/// Digits that numbers in E.164 begin with, for example `+4470`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix(String);

impl Prefix {
    /// Reads a plus sign and 1 to 15 digits; `None` if the text is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('+')?;
        let is_prefix = (1..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0');
        is_prefix.then(|| Self(text.to_owned()))
    }
}

/// Countries that are sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Countries {
    /// All of them.
    All,
    /// These.
    Listed(Vec<Country>),
}

/// The numbers that a site sends messages to and calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destinations {
    /// Countries.
    pub countries: Countries,
    /// Calling codes of no country, without the plus sign. [`Countries::All`] holds none of them.
    pub non_geographic: Vec<String>,
    /// Kinds of lines that messages go to.
    pub line_types: Vec<LineType>,
    /// Kinds of lines that are called.
    pub call_line_types: Vec<LineType>,
    /// Ranges that are sent to whatever their country and kind. A calling code of no country has to be
    /// listed all the same.
    pub allowed_prefixes: Vec<Prefix>,
    /// Ranges that are not sent to. Of all prefixes of a number the longest one decides.
    pub denied_prefixes: Vec<Prefix>,
}

/// Reason why a number is not sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotServed {
    /// The country or the range of the number.
    Destination,
    /// The kind of line.
    LineType,
}

impl Destinations {
    /// Every number in the world that can be sent to.
    pub fn everywhere() -> Self {
        Self {
            countries: Countries::All,
            non_geographic: non_geographic_codes(),
            line_types: LineType::ALL.to_vec(),
            call_line_types: LineType::ALL.to_vec(),
            allowed_prefixes: Vec::new(),
            denied_prefixes: Vec::new(),
        }
    }

    /// Whether mobile phones of a country are sent to, apart from ranges that are denied.
    pub fn serves(&self, country: Country) -> bool {
        match &self.countries {
            Countries::All => country != Country::NONE,
            Countries::Listed(listed) => listed.contains(&country),
        }
    }

    /// ISO 3166-1 codes of the countries that are listed; `None` for all.
    pub fn regions(&self) -> Option<Vec<String>> {
        match &self.countries {
            Countries::All => None,
            Countries::Listed(listed) => Some(listed.iter().map(ToString::to_string).collect()),
        }
    }

    /// Decides whether a number is sent to by a channel.
    ///
    /// # Errors
    /// The reason why it is not.
    pub fn decide(&self, number: &PhoneNumber, channel: Channel) -> Result<(), NotServed> {
        let longest = |prefixes: &[Prefix]| {
            let own = prefixes.iter().filter(|prefix| number.e164().starts_with(&prefix.0));
            own.map(|prefix| prefix.0.len()).max()
        };
        let (allowed, denied) = (longest(&self.allowed_prefixes), longest(&self.denied_prefixes));
        if denied.is_some() && denied >= allowed {
            return Err(NotServed::Destination);
        }
        let (country, line) = number.place().ok_or(NotServed::LineType)?;
        // A number that no plan of its calling code has may be in any of the countries that share it.
        let is_reached = match country {
            Some(Country::NONE) => {
                self.non_geographic.iter().any(|code| code == number.calling_code())
            }
            Some(country) => allowed.is_some() || self.serves(country),
            None => allowed.is_some() || self.countries == Countries::All,
        };
        if !is_reached {
            return Err(NotServed::Destination);
        }
        let line_types = match channel {
            Channel::Voice => &self.call_line_types,
            _ => &self.line_types,
        };
        if allowed.is_none() && !line_types.contains(&line) {
            return Err(NotServed::LineType);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
