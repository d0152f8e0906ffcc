//! `[page]`: name, country and recipient of the hosted page.

use otp::{Recipient, recipient::Country};

use super::{server::Mode, settings::Settings};

/// Name, country and recipient of the hosted page.
#[derive(Clone, Debug)]
pub struct PageSettings {
    /// Whether there is a start page, on which strangers ask for a code.
    pub start: bool,
    /// The name on the page and in the messages.
    pub brand: String,
    /// ISO 3166-1 alpha-2 region in which a national phone number is read at first.
    pub default_country: String,
    /// The one address or number that codes go to, where the page asks for none.
    pub fixed_recipient: Option<Recipient>,
}

impl PageSettings {
    pub(super) fn read(settings: &mut Settings, mode: Mode) -> Self {
        let asked_for = settings.get("page.start");
        let start =
            if settings.is_set("page.start") { asked_for } else { mode == Mode::Development };
        let brand = settings.parse("page.brand", display_name).unwrap_or_default();
        let country = settings.parse("page.default_country", |text| {
            Country::parse(text).ok_or("must be the two letters of a country with phone numbers")
        });
        let default_country = country.map(|country| country.to_string()).unwrap_or_default();
        let fixed_recipient = settings
            .parse_optional("page.fixed_recipient", |text| recipient(text, &default_country));
        Self { start, brand, default_country, fixed_recipient }
    }
}

/// A name on pages and in messages, whose headers a control character would reach.
pub(super) fn display_name(text: &str) -> Result<String, &'static str> {
    let fits = (1..=40).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned()).ok_or("must be 1 to 40 characters on one line")
}

/// A recipient; a phone number may be national to `country`.
pub(super) fn recipient(text: &str, country: &str) -> Result<Recipient, String> {
    Recipient::parse(text, Some(country), None).map_err(|problem| {
        format!("must be an e-mail address or a phone number as +44...: {problem}")
    })
}
