//! Phone numbers: read in national or international form, kept in E.164.
//!
//! The input is first reduced to digits with at most one leading plus sign; a closed list of
//! separators is dropped. Everything else (letters, extensions, a second number) is refused here, so
//! the numbering-plan library sees only digits, and two numbers can never be read as one.

use std::hash::{Hash, Hasher};

use rlibphonenumber::{
    NumberLengthType, PHONE_NUMBER_UTIL, ParseError, PhoneNumberFormat, Region, ValidationError,
};

use super::{
    RecipientProblem,
    country::{Country, LineType},
    is_blank, is_invisible,
};

/// Longest number in E.164, calling code included.
const MOST_DIGITS: usize = 15;
/// Longest number in E.164 behind the longest international dialling prefix.
const MOST_DIALLED: usize = 20;
/// Shortest number, calling code included; the smallest networks (Niue, Saint Helena) have seven
/// digits.
const FEWEST_DIGITS: usize = 7;
/// Digit zero of each script that is read: ASCII, Arabic-Indic, Persian, Devanagari, Bengali, Thai,
/// full-width.
const ZEROS: [char; 7] = ['0', '\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{e50}', '\u{ff10}'];

/// A phone number in E.164. Made by [`Recipient::parse`](super::Recipient::parse) or read back from
/// the store.
#[derive(Clone)]
pub struct PhoneNumber {
    /// A plus sign and 7 to 15 digits.
    e164: String,
    /// Its place, where it was found as the number was parsed: the numbering plans take long to ask.
    place: Option<Place>,
}

/// Country whose numbering plan has a number, if any has it, and its kind of line.
type Place = (Option<Country>, LineType);

/// Two numbers are the same if they are written the same.
impl PartialEq for PhoneNumber {
    fn eq(&self, other: &Self) -> bool {
        self.e164 == other.e164
    }
}

impl Eq for PhoneNumber {}

impl Hash for PhoneNumber {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.e164.hash(state);
    }
}

/// A country or territory that has phone numbers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallingRegion {
    /// ISO 3166-1 alpha-2, for example `GB`.
    pub region: String,
    /// Country calling code without the plus sign, for example `44`.
    pub calling_code: u16,
}

/// All regions with a numbering plan, sorted by region code.
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
        // Some numbering plans drop a prefix at every parse. Such a number would have two canonical
        // forms.
        if phone.e164 == dialled || Self::read(&phone.e164, None)? == phone {
            Ok(phone)
        } else {
            Err(RecipientProblem::Phone)
        }
    }

    /// Takes a stored number in E.164 as it is. Only its shape is checked: a number that was accepted
    /// once stays readable when the metadata of a later release would refuse it.
    pub(super) fn from_stored(e164: &str) -> Option<Self> {
        let digits = e164.strip_prefix('+')?;
        let is_e164 = (FEWEST_DIGITS..=MOST_DIGITS).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0');
        is_e164.then(|| Self { e164: e164.to_owned(), place: None })
    }

    /// The number in E.164: a plus sign and up to 15 digits.
    pub fn e164(&self) -> &str {
        &self.e164
    }

    /// The calling code, without the plus sign.
    pub fn calling_code(&self) -> &str {
        let digits = &self.e164[1..];
        &digits[..calling_code_length(digits)]
    }

    /// The calling code and three more digits: `+44740`. Of short numbers fewer, so that four at the least are
    /// left out.
    pub fn prefix(&self) -> &str {
        // E.164 is ASCII and at least FEWEST_DIGITS long.
        let length = 1 + self.calling_code().len() + 3;
        &self.e164[..length.min(self.e164.len() - 4)]
    }

    /// The country under which the number is counted: its own, or the main one of its calling code if
    /// no plan knows the number. [`Country::NONE`] for calling codes of no country.
    pub fn country(&self) -> Country {
        let code = self.calling_code().parse().unwrap_or_default();
        let sharing = PHONE_NUMBER_UTIL.get_regions_for_country_calling_code(code);
        let mut sharing = sharing.into_iter().flatten();
        let (Some(main), others) = (sharing.next(), sharing.next()) else { return Country::NONE };
        // Most codes are of one country, which needs no look at the number.
        let own = others.and_then(|_| match self.place {
            Some((country, _)) => country,
            None => PHONE_NUMBER_UTIL
                .parse(&self.e164, None)
                .ok()
                .and_then(|number| country_of(&number)),
        });
        own.unwrap_or(Country(main))
    }

    /// The country whose numbering plan has the number, and its kind of line. There is no country if
    /// several share the calling code and none of their plans has the number. `None` for kinds that nothing
    /// is sent to.
    pub(crate) fn place(&self) -> Option<(Option<Country>, LineType)> {
        self.place.or_else(|| {
            let number = PHONE_NUMBER_UTIL.parse(&self.e164, None).ok()?;
            Some((country_of(&number), LineType::of(number.get_type())?))
        })
    }

    /// The country calling code and the last two digits: `+44 ••• ••42`.
    pub(super) fn masked(&self) -> String {
        let last = &self.e164[self.e164.len() - 2..];
        format!("+{} ••• ••{last}", self.calling_code())
    }

    fn read(dialled: &str, region: Option<Region>) -> Result<Self, RecipientProblem> {
        let number = PHONE_NUMBER_UTIL.parse(dialled, region).map_err(|problem| match problem {
            ParseError::TooShortAfterIdd | ParseError::TooShortNsn => {
                RecipientProblem::PhoneTooShort
            }
            ParseError::TooLongNsn => RecipientProblem::PhoneTooLong,
            // The library does not accept a single digit as a number.
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
        let line = LineType::of(number.get_type()).ok_or(RecipientProblem::Phone)?;
        let e164 = number.format_as(PhoneNumberFormat::E164).into_owned();
        // The plans of a few countries are laxer than E.164 at either end.
        match e164.len() - 1 {
            ..FEWEST_DIGITS => return Err(RecipientProblem::PhoneTooShort),
            FEWEST_DIGITS..=MOST_DIGITS => {}
            _ => return Err(RecipientProblem::PhoneTooLong),
        }
        Ok(Self { e164, place: Some((country_of(&number), line)) })
    }
}

impl std::fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PhoneNumber({})", self.masked())
    }
}

fn country_of(number: &rlibphonenumber::PhoneNumber) -> Option<Country> {
    number.get_region_code().map(Country)
}

/// Digits in the country calling code of a number in E.164, one to three (ITU-T E.164, annex D). The
/// codes are a prefix code, so no metadata is needed to find the end of one.
fn calling_code_length(digits: &str) -> usize {
    match digits.as_bytes() {
        [b'1' | b'7', ..] => 1,
        [b'2', b'0' | b'7', ..]
        | [b'3', b'0'..=b'4' | b'6' | b'9', ..]
        | [b'4', b'0' | b'1' | b'3'..=b'9', ..]
        | [b'5', b'1'..=b'8', ..]
        | [b'6', b'0'..=b'6', ..]
        | [b'8', b'1' | b'2' | b'4' | b'6', ..]
        | [b'9', b'0'..=b'5' | b'8', ..] => 2,
        _ => 3,
    }
}

/// Reduces the input to digits with at most one leading plus sign.
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

/// Maps a decimal digit of one of the scripts in [`ZEROS`] to ASCII.
pub(super) fn digit(c: char) -> Option<char> {
    ZEROS.iter().find_map(|&zero| {
        let value = u32::from(c).checked_sub(u32::from(zero))?;
        char::from_digit(value, 10)
    })
}

/// Whether a number may begin with this character before its first digit.
pub(super) fn opens_a_number(c: char) -> bool {
    is_plus(c) || matches!(c, '(' | '\u{ff08}')
}

fn is_plus(c: char) -> bool {
    matches!(c, '+' | '\u{ff0b}')
}

/// Separators that people and formatters put between digits.
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
