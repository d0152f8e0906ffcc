//! `[sms]`: the numbers that texts, WhatsApp messages and calls go to, of the server or of a site.

mod texts;

use otp::{
    Destinations, Recipient,
    destinations::{Countries, Prefix},
    recipient::{Country, LineType, non_geographic_codes},
};

pub(super) use self::texts::{read_server_texts, read_site_texts};
use super::settings::Settings;
use crate::site::Site;

/// One item of `sms.countries`.
#[derive(PartialEq)]
enum Place {
    Anywhere,
    Country(Country),
    /// A calling code of no country, without the plus sign.
    NonGeographic(String),
}

/// The destinations of the server or of a site. Without countries it is `default_country` alone.
pub(super) fn read(settings: &mut Settings, default_country: &str) -> Destinations {
    let places = settings.parse_list("sms.countries", parse_place);
    let mut countries = Countries::Listed(Vec::new());
    let mut non_geographic = Vec::new();
    if places.is_empty() {
        countries = Countries::Listed(Country::parse(default_country).into_iter().collect());
    }
    for place in places {
        match (place, &mut countries) {
            (Place::Anywhere, _) => countries = Countries::All,
            (Place::Country(country), Countries::Listed(listed)) => listed.push(country),
            (Place::Country(_), Countries::All) => {}
            (Place::NonGeographic(code), _) => non_geographic.push(code),
        }
    }
    let line_types = settings.parse_list("sms.line_types", parse_line_type);
    if line_types.is_empty() && settings.is_fine("sms.line_types") {
        settings.refuse("sms.line_types", format!("must list some of: {}", line_type_words()));
    }
    let call_line_types = settings.parse_list("sms.call_line_types", parse_line_type);
    let call_line_types =
        if call_line_types.is_empty() { line_types.clone() } else { call_line_types };
    let allowed_prefixes = settings.parse_list("sms.allowed_prefixes", parse_prefix);
    let denied_prefixes = settings.parse_list("sms.denied_prefixes", parse_prefix);
    if denied_prefixes.iter().any(|prefix| allowed_prefixes.contains(prefix)) {
        let message = "has a prefix that sms.allowed_prefixes has as well";
        settings.refuse("sms.denied_prefixes", message);
    }
    Destinations {
        countries,
        non_geographic,
        line_types,
        call_line_types,
        allowed_prefixes,
        denied_prefixes,
    }
}

/// Destinations of a site that texts the whole world as far as `[sms]` does not say otherwise: that of
/// development, where messages are usually not sent at all.
pub(super) fn or_everywhere(settings: &Settings, set: Destinations) -> Destinations {
    let mut destinations = Destinations {
        allowed_prefixes: set.allowed_prefixes,
        denied_prefixes: set.denied_prefixes,
        ..Destinations::everywhere()
    };
    if settings.is_set("sms.countries") {
        destinations.countries = set.countries;
        destinations.non_geographic = set.non_geographic;
    }
    if settings.is_set("sms.line_types") {
        destinations.line_types = set.line_types;
    }
    if settings.is_set("sms.line_types") || settings.is_set("sms.call_line_types") {
        destinations.call_line_types = set.call_line_types;
    }
    destinations
}

/// Refuses a recipient of the start page that its site sends nothing to.
pub(super) fn refuse_unless_served(
    settings: &mut Settings,
    fixed: Option<&Recipient>,
    site: &Site,
) {
    let is_served = |fixed: &Recipient| {
        let channels = || site.channels.iter().filter(|c| fixed.channels().contains(c));
        site.test_code(fixed).is_some()
            || channels().next().is_none()
            || channels().any(|channel| site.serves(fixed, *channel).is_ok())
    };
    if settings.is_fine("sms") && !fixed.is_none_or(is_served) {
        let message = "is a number that text messages do not go to; see [sms]";
        settings.refuse("page.fixed_recipient", message);
    }
}

fn parse_place(text: &str) -> Result<Place, String> {
    if text == "*" {
        return Ok(Place::Anywhere);
    }
    if let Some(code) = text.strip_prefix('+') {
        let codes = non_geographic_codes();
        return match codes.iter().find(|known| *known == code) {
            Some(code) => Ok(Place::NonGeographic(code.clone())),
            None => Err(format!(
                "is no calling code without a country, which are +{}; countries are written as two \
                 letters",
                codes.join(", +")
            )),
        };
    }
    Country::parse(text).map(Place::Country).ok_or_else(|| {
        "must be the two letters of a country with phone numbers (ISO 3166-1) such as \"GB\", \"*\" for \
         all, or a calling code without a country such as \"+883\""
            .to_owned()
    })
}

fn parse_line_type(text: &str) -> Result<LineType, String> {
    let found = LineType::ALL.into_iter().find(|line| line.as_str() == text);
    found.ok_or_else(|| format!("must be one of: {}", line_type_words()))
}

fn line_type_words() -> String {
    LineType::ALL.map(LineType::as_str).join(", ")
}

fn parse_prefix(text: &str) -> Result<Prefix, &'static str> {
    Prefix::parse(text).ok_or("must be a plus sign and the first digits of numbers, as \"+4470\"")
}

#[cfg(test)]
mod tests;
