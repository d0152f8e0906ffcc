//! Mobile numbers of twenty countries.

use rand::{RngExt, rngs::StdRng};

/// Country, the first digits of mobile numbers, and the number of digits after them.
const RANGES: [(&str, &str, u32); 20] = [
    ("GB", "+4474", 8),
    ("FR", "+336", 8),
    ("DE", "+49151", 8),
    ("ES", "+346", 8),
    ("IT", "+3934", 8),
    ("NL", "+316", 8),
    ("BE", "+3247", 7),
    ("CH", "+4179", 7),
    ("AT", "+43664", 7),
    ("SE", "+4670", 7),
    ("NO", "+474", 7),
    ("PL", "+4860", 7),
    ("PT", "+3519", 8),
    ("IE", "+3538", 8),
    ("GR", "+3069", 8),
    ("FI", "+35840", 7),
    ("CZ", "+42060", 7),
    ("HU", "+3630", 7),
    ("ID", "+62812", 8),
    ("PK", "+9230", 8),
];

/// Share of each country in an honest crowd, in per cent.
const SHARES: [u32; 20] = [50, 12, 9, 6, 4, 3, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1];

/// A mobile number.
#[derive(Clone, Debug)]
pub(crate) struct Number {
    /// Country, as in ISO 3166-1.
    pub(crate) country: &'static str,
    /// Calling code and three digits.
    pub(crate) prefix: String,
    /// In E.164.
    pub(crate) text: String,
}

impl Number {
    /// A number of the country with this index, counted round.
    pub(crate) fn of(index: u32, rng: &mut StdRng) -> Self {
        let (country, first, digits) = RANGES[index as usize % RANGES.len()];
        loop {
            let rest = rng.random_range(0..10_u32.pow(digits));
            let text = format!("{first}{rest:0width$}", width = digits as usize);
            // Some digits are no number, or one of another country.
            let recipient = otp::Recipient::parse(&text, None, None).ok();
            if let Some(phone) = recipient.as_ref().and_then(otp::Recipient::phone)
                && phone.country().to_string() == country
            {
                return Self { country, prefix: phone.prefix().to_owned(), text };
            }
        }
    }

    /// A number of an honest person.
    pub(crate) fn of_a_person(rng: &mut StdRng) -> Self {
        let mut drawn = rng.random_range(0..SHARES.iter().sum());
        let index = (0..).zip(SHARES).find_map(|(index, share)| {
            let found = drawn < share;
            drawn = drawn.saturating_sub(share);
            found.then_some(index)
        });
        Self::of(index.unwrap_or(0), rng)
    }
}
