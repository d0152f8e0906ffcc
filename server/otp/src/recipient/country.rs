//! Countries of phone numbers, and kinds of lines.

use std::fmt;

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberType, Region};

/// A country or territory that has phone numbers, or [`Country::NONE`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country(pub(super) Region);

impl Country {
    /// The place of calling codes that belong to no country, such as +883: `001`, the world (UN M.49).
    pub const NONE: Self = Self(Region::World);

    /// Reads an ISO 3166-1 alpha-2 code; `None` if no such country has phone numbers.
    pub fn parse(code: &str) -> Option<Self> {
        let region = Region::from_code(code).ok()?;
        PHONE_NUMBER_UTIL.get_country_code_for_region(region).map(|_| Self(region))
    }
}

/// Writes the ISO 3166-1 alpha-2 code, or `001`.
impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.as_region_str())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Country({self})")
    }
}

/// Calling codes that belong to no country, without the plus sign: satellite and international
/// networks, freephone, premium rate. Some of their numbers count as mobile in numbering plans.
pub fn non_geographic_codes() -> Vec<String> {
    let codes = PHONE_NUMBER_UTIL.get_supported_global_network_calling_codes();
    let mut codes: Vec<_> = codes.map(|code| code.to_string()).collect();
    codes.sort();
    codes
}

/// Kind of line that a number belongs to, as far as numbering plans tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineType {
    /// A mobile phone.
    Mobile,
    /// A mobile phone or a fixed line, in countries where both share their ranges.
    FixedLineOrMobile,
    /// A fixed line.
    FixedLine,
    /// A line over the internet.
    Voip,
    /// A number that follows a person from line to line.
    Personal,
    /// A number in a range that no plan lists; it may be newer than the plan.
    Unknown,
}

impl LineType {
    /// Every kind, in the order in which they are told.
    pub const ALL: [Self; 6] = [
        Self::Mobile,
        Self::FixedLineOrMobile,
        Self::FixedLine,
        Self::Voip,
        Self::Personal,
        Self::Unknown,
    ];

    /// The word for it in configurations.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mobile => "mobile",
            Self::FixedLineOrMobile => "fixed_line_or_mobile",
            Self::FixedLine => "fixed_line",
            Self::Voip => "voip",
            Self::Personal => "personal",
            Self::Unknown => "unknown",
        }
    }

    /// The kind of a number; `None` for numbers that nothing is ever sent to. Premium and shared-cost
    /// ranges are targets of toll fraud; pagers and voice mail reach nobody who could type a code.
    pub(super) fn of(kind: PhoneNumberType) -> Option<Self> {
        match kind {
            PhoneNumberType::Mobile => Some(Self::Mobile),
            PhoneNumberType::FixedLineOrMobile => Some(Self::FixedLineOrMobile),
            PhoneNumberType::FixedLine => Some(Self::FixedLine),
            PhoneNumberType::VoIP => Some(Self::Voip),
            PhoneNumberType::PersonalNumber => Some(Self::Personal),
            PhoneNumberType::Unknown => Some(Self::Unknown),
            PhoneNumberType::TollFree
            | PhoneNumberType::PremiumRate
            | PhoneNumberType::SharedCost
            | PhoneNumberType::Pager
            | PhoneNumberType::UAN
            | PhoneNumberType::VoiceMail => None,
        }
    }
}
