//! Phone numbers: read in national or international form, kept in E.164.
//!
//! What was typed is first reduced to digits with at most one leading plus sign, by a closed list
//! of what people put between digits. Everything else (letters, extensions, a second number) is
//! refused here, so the numbering-plan library behind it sees only digits, and two numbers can
//! never be read as one.

use rlibphonenumber::{
    NumberLengthType, PHONE_NUMBER_UTIL, ParseError, PhoneNumberFormat, PhoneNumberType, Region,
    ValidationError,
};

use super::{RecipientProblem, is_blank, is_invisible};

/// E.164, calling code included.
const MOST_DIGITS: usize = 15;
/// E.164 behind the longest international prefix that anybody dials.
const MOST_DIALLED: usize = 20;
/// Calling code included; the smallest networks (Niue, Saint Helena) have seven.
const FEWEST_DIGITS: usize = 7;
/// Digit zero of the scripts whose keyboards type their own digits: ASCII, Arabic-Indic, Persian,
/// Devanagari, Bengali, Thai, full-width.
const ZEROS: [char; 7] = ['0', '\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{e50}', '\u{ff10}'];

/// One phone. Built by [`Recipient::parse`](super::Recipient::parse) only.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PhoneNumber {
    e164: String,
    calling_code: u16,
}

/// A country or territory that has phone numbers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallingRegion {
    /// ISO 3166-1 alpha-2, for example `GB`.
    pub region: String,
    /// Country calling code without the plus sign, for example `44`.
    pub calling_code: u16,
}

/// Every region whose national numbers can be read, sorted by its code.
pub fn calling_regions() -> Vec<CallingRegion> {
    let mut regions: Vec<_> = PHONE_NUMBER_UTIL
        .get_supported_regions()
        .filter_map(|region| {
            let calling_code = PHONE_NUMBER_UTIL.get_country_code_for_region(region)?;
            Some(CallingRegion {
                region: region.to_string(),
                calling_code: u16::try_from(calling_code).ok()?,
            })
        })
        .collect();
    regions.sort();
    regions
}

impl PhoneNumber {
    pub(super) fn parse(
        typed: &str,
        default_region: Option<&str>,
    ) -> Result<Self, RecipientProblem> {
        let dialled = dialled(typed)?;
        let region = default_region
            .and_then(|code| Region::from_code(&code.trim().to_ascii_uppercase()).ok())
            .filter(|region| PHONE_NUMBER_UTIL.get_country_code_for_region(*region).is_some());
        if region.is_none() && !dialled.starts_with('+') {
            return Err(RecipientProblem::CountryMissing);
        }
        let phone = Self::read(&dialled, region)?;
        // Some numbering plans drop a prefix at every reading. Such a number would have two keys.
        if Self::read(&phone.e164, None)? == phone {
            Ok(phone)
        } else {
            Err(RecipientProblem::Phone)
        }
    }

    /// The number in E.164: a plus sign and up to 15 digits.
    pub fn e164(&self) -> &str {
        &self.e164
    }

    /// Country calling code without the plus sign.
    pub fn calling_code(&self) -> u16 {
        self.calling_code
    }

    pub(super) fn masked(&self) -> String {
        // E.164 is ASCII and at least FEWEST_DIGITS long.
        let last = &self.e164[self.e164.len() - 2..];
        format!("+{} ••• ••{last}", self.calling_code)
    }

    fn read(dialled: &str, region: Option<Region>) -> Result<Self, RecipientProblem> {
        let number = PHONE_NUMBER_UTIL.parse(dialled, region).map_err(|problem| match problem {
            ParseError::TooShortAfterIdd | ParseError::TooShortNsn => {
                RecipientProblem::PhoneTooShort
            }
            ParseError::TooLongNsn => RecipientProblem::PhoneTooLong,
            // One digit is not even a number to the library.
            ParseError::NotANumber(_) if dialled.len() < FEWEST_DIGITS => {
                RecipientProblem::PhoneTooShort
            }
            ParseError::NotANumber(_) | ParseError::InvalidCountryCode => RecipientProblem::Phone,
        })?;
        match number.is_possible_with_reason() {
            Ok(NumberLengthType::IsPossible) => {}
            Ok(NumberLengthType::IsPossibleLocalOnly) | Err(ValidationError::TooShort) => {
                return Err(RecipientProblem::PhoneTooShort);
            }
            Err(ValidationError::TooLong) => return Err(RecipientProblem::PhoneTooLong),
            Err(ValidationError::InvalidLength | ValidationError::InvalidCountryCode) => {
                return Err(RecipientProblem::Phone);
            }
        }
        if !takes_messages(number.get_type()) {
            return Err(RecipientProblem::Phone);
        }
        let e164 = number.format_as(PhoneNumberFormat::E164).into_owned();
        // The plans of a few countries are laxer than E.164 at either end.
        match e164.len() - 1 {
            ..FEWEST_DIGITS => return Err(RecipientProblem::PhoneTooShort),
            FEWEST_DIGITS..=MOST_DIGITS => {}
            _ => return Err(RecipientProblem::PhoneTooLong),
        }
        let calling_code =
            u16::try_from(number.country_code).map_err(|_| RecipientProblem::Phone)?;
        Ok(Self { e164, calling_code })
    }
}

impl std::fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PhoneNumber({})", self.masked())
    }
}

/// Whether a person can get a code there. Ranges that belong to no person's phone, and above all
/// those that cost the sender extra, are where fraud sends codes to. A range that the numbering
/// plan does not know yet may be a new one, and a fixed line can be read a text or called.
fn takes_messages(kind: PhoneNumberType) -> bool {
    match kind {
        PhoneNumberType::Mobile
        | PhoneNumberType::FixedLineOrMobile
        | PhoneNumberType::FixedLine
        | PhoneNumberType::VoIP
        | PhoneNumberType::PersonalNumber
        | PhoneNumberType::Unknown => true,
        PhoneNumberType::TollFree
        | PhoneNumberType::PremiumRate
        | PhoneNumberType::SharedCost
        | PhoneNumberType::Pager
        | PhoneNumberType::UAN
        | PhoneNumberType::VoiceMail => false,
    }
}

/// What was typed as digits with at most one leading plus sign.
fn dialled(typed: &str) -> Result<String, RecipientProblem> {
    let mut dialled = String::with_capacity(MOST_DIALLED + 1);
    for c in typed.chars() {
        if let Some(digit) = digit(c) {
            dialled.push(digit);
        } else if is_plus(c) && dialled.is_empty() {
            dialled.push('+');
        } else if !is_separator(c) {
            return Err(RecipientProblem::Phone);
        }
        if dialled.len() > MOST_DIALLED {
            return Err(RecipientProblem::PhoneTooLong);
        }
    }
    Ok(dialled)
}

/// The ASCII digit of a decimal digit in any of the scripts known here.
pub(super) fn digit(c: char) -> Option<char> {
    ZEROS.iter().find_map(|&zero| {
        let value = u32::from(c).checked_sub(u32::from(zero))?;
        char::from_digit(value, 10)
    })
}

/// What may stand before the first digit of a number.
pub(super) fn opens_a_number(c: char) -> bool {
    is_plus(c) || matches!(c, '(' | '\u{ff08}')
}

fn is_plus(c: char) -> bool {
    matches!(c, '+' | '\u{ff0b}')
}

/// What people and formatters put between digits.
fn is_separator(c: char) -> bool {
    is_blank(c)
        || is_invisible(c)
        || matches!(
            c,
            '-' | '.' | '/' | '(' | ')' | '\u{b7}' | '\u{2010}'
                ..='\u{2015}'
                    | '\u{2212}'
                    | '\u{ff08}'
                    | '\u{ff09}'
                    | '\u{ff0d}'
                    | '\u{ff0e}'
                    | '\u{ff0f}'
        )
}
