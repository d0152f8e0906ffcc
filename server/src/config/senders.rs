//! Senders of texts and calls by the country of the recipient.

use std::collections::{BTreeMap, HashMap};

use otp::recipient::Country;

use super::settings::Settings;
use crate::delivery::Senders;

/// Reads a table of senders: `GB = "+44..."`, each by `parse`.
pub(super) fn read_senders<S>(
    settings: &mut Settings,
    key: &str,
    parse: impl Fn(&str) -> Result<S, &'static str>,
) -> Senders<S> {
    let mut senders = HashMap::new();
    for (place, text) in settings.get::<BTreeMap<String, String>>(key) {
        match (Country::parse(&place), parse(text.trim())) {
            (None, _) => {
                let message = "is not the two letters of a country with phone numbers";
                settings.refuse(key, format!("\"{place}\" {message}"));
            }
            (Some(_), Err(message)) => settings.refuse(key, format!("\"{place}\" {message}")),
            (Some(country), Ok(sender)) => {
                senders.insert(country, sender);
            }
        }
    }
    Senders(senders)
}
