//! Senders of texts and calls by country.

use std::collections::HashMap;

use otp::{Recipient, recipient::Country};

/// Senders for the numbers of some countries, since many take texts from numbers of their own only, and people rather
/// answer calls from such.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Senders(pub HashMap<Country, String>);

impl Senders {
    /// The sender for a recipient, if its country has one.
    pub fn of(&self, to: &Recipient) -> Option<&str> {
        let phone = to.phone().filter(|_| !self.0.is_empty())?;
        self.0.get(&phone.country()).map(String::as_str)
    }
}
