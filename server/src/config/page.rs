//! What people see.

use otp::Recipient;

use super::reader::Reader;

/// What people see.
#[derive(Clone, Debug)]
pub struct PageSettings {
    /// The name on the page and in the messages.
    pub brand: String,
    /// ISO 3166-1 alpha-2 region in which a national phone number is read at first.
    pub default_country: String,
    /// The one address or number that codes go to, where the page asks for none.
    pub fixed_recipient: Option<Recipient>,
}

impl PageSettings {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let brand = reader.text("page.brand");
        if !fits_one_line(&brand) {
            reader.refuse("page.brand", "must be 1 to 40 characters on one line");
        }
        let default_country = reader.text("page.default_country").to_ascii_uppercase();
        if default_country.len() != 2 || !default_country.bytes().all(|b| b.is_ascii_alphabetic()) {
            reader.refuse("page.default_country", "must be the two letters of a country");
        }
        let fixed_recipient = read_recipient(reader, &default_country);
        Self { brand, default_country, fixed_recipient }
    }
}

/// Whether it can be a name on pages and in messages, whose headers a control character would reach.
pub(super) fn fits_one_line(name: &str) -> bool {
    (1..=40).contains(&name.chars().count()) && !name.chars().any(char::is_control)
}

fn read_recipient(reader: &mut Reader, country: &str) -> Option<Recipient> {
    let text = reader.optional("page.fixed_recipient")?;
    let recipient = Recipient::parse(&text, Some(country), None);
    if let Err(problem) = &recipient {
        reader.refuse(
            "page.fixed_recipient",
            format!("must be an e-mail address or a phone number as +44...: {problem}"),
        );
    }
    recipient.ok()
}
