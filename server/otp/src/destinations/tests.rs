//! S33: texts go to listed countries and kinds of lines only.

use otp_types::Channel;

use super::*;
use crate::Recipient;

const MOBILE: &str = "+447400123456";
const LANDLINE: &str = "+442079460001";
const JERSEY: &str = "+447797712345";
const NEW_YORK: &str = "+12125550123";
const BAHAMAS: &str = "+12423591234";
/// Ofcom has set it apart for films, so no plan lists it.
const FICTIONAL: &str = "+447700900142";
/// Satellite phones, which numbering plans call mobile.
const SATELLITE: &str = "+870773111632";
/// International networks, which numbering plans call mobile too.
const NETWORK: &str = "+882131234567";

fn listed(countries: &[&str]) -> Destinations {
    let countries = countries.iter().map(|code| Country::parse(code).unwrap());
    Destinations {
        countries: Countries::Listed(countries.collect()),
        non_geographic: Vec::new(),
        line_types: vec![LineType::Mobile, LineType::FixedLineOrMobile],
        call_line_types: vec![LineType::Mobile, LineType::FixedLineOrMobile],
        allowed_prefixes: Vec::new(),
        denied_prefixes: Vec::new(),
    }
}

fn all() -> Destinations {
    Destinations { countries: Countries::All, ..listed(&[]) }
}

fn prefixes(texts: &[&str]) -> Vec<Prefix> {
    texts.iter().map(|text| Prefix::parse(text).unwrap()).collect()
}

fn number(e164: &str) -> PhoneNumber {
    match Recipient::parse(e164, None, Some(Channel::Sms)).expect(e164) {
        Recipient::Phone(number) => number,
        Recipient::Email(_) => panic!("{e164} is a number"),
    }
}

/// The numbers, and which of them are sent to.
fn assert_decides(destinations: &Destinations, cases: &[(&str, Result<(), NotServed>)]) {
    for (e164, decision) in cases {
        let decided = destinations.decide(&number(e164), Channel::Sms);
        assert_eq!(decided, *decision, "{e164} by {destinations:?}");
    }
}

#[test]
fn s33_numbers_of_listed_countries_are_served_and_no_others() {
    use NotServed::Destination;
    assert_decides(
        &listed(&["GB", "US"]),
        &[
            (MOBILE, Ok(())),
            (NEW_YORK, Ok(())),
            // They share the calling code of a listed country.
            (JERSEY, Err(Destination)),
            (BAHAMAS, Err(Destination)),
            (FICTIONAL, Err(Destination)),
            ("+4915112345678", Err(Destination)),
        ],
    );
    assert_decides(&listed(&[]), &[(MOBILE, Err(Destination))]);
    assert_decides(&all(), &[(MOBILE, Ok(())), (JERSEY, Ok(())), (BAHAMAS, Ok(()))]);
}

#[test]
fn s33_calls_have_kinds_of_lines_of_their_own_and_the_same_countries() {
    let call_line_types = vec![LineType::FixedLine, LineType::Mobile];
    let gb = Destinations { call_line_types, ..listed(&["GB"]) };
    for (e164, channel, decision) in [
        (MOBILE, Channel::Voice, Ok(())),
        (LANDLINE, Channel::Voice, Ok(())),
        (LANDLINE, Channel::Sms, Err(NotServed::LineType)),
        (LANDLINE, Channel::Whatsapp, Err(NotServed::LineType)),
        (NEW_YORK, Channel::Voice, Err(NotServed::Destination)),
        (NEW_YORK, Channel::Whatsapp, Err(NotServed::Destination)),
    ] {
        assert_eq!(gb.decide(&number(e164), channel), decision, "{e164} by {channel:?}");
    }
}

#[test]
fn s33_texts_go_to_mobile_phones_unless_other_lines_are_listed() {
    let mut gb = listed(&["GB"]);
    assert_decides(&gb, &[(LANDLINE, Err(NotServed::LineType))]);
    gb.line_types.push(LineType::FixedLine);
    assert_decides(&gb, &[(LANDLINE, Ok(()))]);
    assert_decides(&all(), &[(FICTIONAL, Err(NotServed::LineType))]);
    let unknown = Destinations { line_types: vec![LineType::Unknown], ..all() };
    assert_decides(&unknown, &[(FICTIONAL, Ok(())), (MOBILE, Err(NotServed::LineType))]);
}

#[test]
fn s33_calling_codes_of_no_country_are_refused_unless_they_are_listed() {
    use NotServed::Destination;
    let anywhere = Destinations { allowed_prefixes: prefixes(&["+8"]), ..all() };
    for destinations in [&all(), &listed(&["GB"]), &anywhere] {
        assert_decides(destinations, &[(SATELLITE, Err(Destination)), (NETWORK, Err(Destination))]);
    }
    for code in non_geographic_codes() {
        let beginning = format!("+{code}");
        assert!(!all().serves(Country::NONE));
        // Some of their plans allow any digits.
        for length in 7..=12 {
            let typed = format!("{beginning}{}", &"123456789012"[..length]);
            let Ok(Recipient::Phone(number)) = Recipient::parse(&typed, None, None) else {
                continue;
            };
            assert_eq!(all().decide(&number, Channel::Sms), Err(Destination), "{typed}");
        }
    }
    let codes = Destinations { non_geographic: vec!["870".to_owned()], ..listed(&["GB"]) };
    assert_decides(&codes, &[(SATELLITE, Ok(())), (NETWORK, Err(Destination))]);
}

#[test]
fn s33_the_longest_prefix_decides() {
    let gb = Destinations {
        allowed_prefixes: prefixes(&["+4420", "+44740", "+447700900"]),
        denied_prefixes: prefixes(&["+4474", "+447400123", "+4420794"]),
        ..listed(&["GB"])
    };
    assert_decides(
        &gb,
        &[
            ("+447900123456", Ok(())),
            ("+447411123456", Err(NotServed::Destination)),
            ("+447400999999", Ok(())),
            (MOBILE, Err(NotServed::Destination)),
            // Neither of a listed kind nor, as far as the plan knows, of a country.
            ("+442071234567", Ok(())),
            (LANDLINE, Err(NotServed::Destination)),
            (FICTIONAL, Ok(())),
        ],
    );
    let both = Destinations {
        allowed_prefixes: prefixes(&["+44"]),
        denied_prefixes: prefixes(&["+44"]),
        ..all()
    };
    assert_decides(&both, &[(MOBILE, Err(NotServed::Destination)), (NEW_YORK, Ok(()))]);
}

#[test]
fn s33_everywhere_is_every_number_that_is_a_recipient() {
    for e164 in [MOBILE, LANDLINE, JERSEY, NEW_YORK, BAHAMAS, FICTIONAL, SATELLITE, NETWORK] {
        assert_decides(&Destinations::everywhere(), &[(e164, Ok(()))]);
    }
    // Premium and shared cost are no recipients at all.
    for e164 in ["+449098790123", "+448431234567", "+19002345678"] {
        assert!(Recipient::parse(e164, None, None).is_err(), "{e164}");
    }
}

#[test]
fn a_prefix_is_a_plus_sign_and_digits() {
    for text in ["+4", "+4470", "+447400123456"] {
        assert!(Prefix::parse(text).is_some(), "{text}");
    }
    for text in ["", "+", "44", "0044", "+04", "+44 70", "+4470x", "+1234567890123456"] {
        assert!(Prefix::parse(text).is_none(), "{text}");
    }
}

#[test]
fn a_number_is_counted_under_a_country_and_a_prefix() {
    for (e164, country, prefix) in [
        (MOBILE, "GB", "+44740"),
        (JERSEY, "JE", "+44779"),
        // No plan of the calling code has it.
        (FICTIONAL, "GB", "+44770"),
        (NEW_YORK, "US", "+1212"),
        (BAHAMAS, "BS", "+1242"),
        ("+77710009998", "KZ", "+7771"),
        ("+4915112345678", "DE", "+49151"),
        (SATELLITE, "001", "+870773"),
        (NETWORK, "001", "+882131"),
    ] {
        let number = number(e164);
        assert_eq!((number.country().to_string().as_str(), number.prefix()), (country, prefix));
    }
}

#[test]
fn the_listed_countries_are_told_by_their_codes() {
    assert_eq!(listed(&["GB", "FR"]).regions(), Some(vec!["GB".to_owned(), "FR".to_owned()]));
    assert_eq!(all().regions(), None);
}
