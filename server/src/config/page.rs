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
        // Control characters would reach the headers of messages.
        if !(1..=40).contains(&brand.chars().count()) || brand.chars().any(char::is_control) {
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
