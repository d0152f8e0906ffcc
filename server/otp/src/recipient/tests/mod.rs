//! S18: one canonical key for every spelling, and never a second recipient or header.

mod stored;

use proptest::prelude::*;

use super::{Recipient, RecipientProblem, calling_regions};
use crate::Channel;

fn parse(typed: &str) -> Result<Recipient, RecipientProblem> {
    Recipient::parse(typed, Some("GB"), None)
}

fn key(typed: &str) -> String {
    parse(typed).expect(typed).canonical()
}

#[test]
fn s18_every_spelling_of_a_mailbox_has_one_key() {
    for spelling in [
        "jane@example.com",
        "Jane@Example.COM",
        "  jane@example.com\u{a0}",
        "\u{200e}jane@example.com",
        "jane@EXAMPLE。com",
        "jane@ｅｘａｍｐｌｅ.com",
    ] {
        assert_eq!(key(spelling), "jane@example.com", "{spelling:?}");
    }
}

#[test]
fn s18_every_form_of_an_international_domain_has_one_key() {
    for spelling in [
        "post@bücher.example",
        "post@BÜCHER.example",
        "post@bu\u{308}cher.example",
        "post@xn--bcher-kva.example",
        "POST@XN--BCHER-KVA.Example",
    ] {
        assert_eq!(key(spelling), "post@xn--bcher-kva.example", "{spelling:?}");
    }
    assert_ne!(key("a@faß.de"), key("a@fass.de"), "two registrable names are two domains");
}

#[test]
fn s18_every_spelling_of_a_phone_number_has_one_key() {
    for spelling in [
        "+447911123456",
        "+44 7911 123456",
        "+44 (0)7911 123456",
        "07911 123456",
        "(07911) 123-456",
        "07911.123.456",
        "0044 7911 123456",
        "447911123456",
        "\u{202a}+44 7911\u{a0}123456\u{202c}",
        "＋４４７９１１１２３４５６",
        "٠٧٩١١ ١٢٣٤٥٦",
        "०७९११ १२३४५६",
    ] {
        assert_eq!(key(spelling), "+447911123456", "{spelling:?}");
    }
}

#[test]
fn s18_injections_are_refused_and_never_yield_a_second_recipient() {
    for typed in [
        "a@example.com,b@example.com",
        "a@example.com;b@example.com",
        "a@example.com b@example.com",
        "a@example.com\nb@example.com",
        "a@example.com\r\nBcc: b@example.com",
        "a@example.com\r\n",
        "\na@example.com",
        "a@example.com\0",
        "a\0b@example.com",
        "a@example.com%0ab",
        "a@example.com\u{2028}Bcc: b@example.com",
        "a@exam\u{85}ple.com",
        "Jane <a@example.com>",
        "<a@example.com>",
        "a@example.com>",
        "\"a b\"@example.com",
        "\"a@b\"@example.com",
        "a(comment)@example.com",
        "a@(comment)example.com",
        "a@b@example.com",
        "a@[192.0.2.1]",
        "a@[IPv6:2001:db8::1]",
        "a@192.0.2.1",
        "user%victim.example@example.com",
        "victim.example!user@example.com",
        "a\\@b@example.com",
        "mailto:a@example.com",
        "group:a@example.com;",
        "a＠example.com",
    ] {
        assert_eq!(parse(typed), Err(RecipientProblem::Email), "{typed:?}");
    }
    for typed in [
        "+447911123456,+447911123457",
        "+447911123456;+447911123457",
        "+447911123456 +447911123457",
        "+447911123456/+447911123457",
        "+447911123456\n",
        "+447911123456\r\nTo: +447911123457",
        "+447911123456\0",
        "++447911123456",
        "+447911123456 ext. 5",
        "+447911123456x5",
        "+447911123456#5",
        "+447911123456;ext=5",
        "+44791112345six",
        "+447911123456@example",
        "whatsapp:+447911123456",
        "tel:+447911123456",
    ] {
        let refused = Recipient::parse(typed, Some("GB"), Some(Channel::Sms));
        assert_eq!(refused, Err(RecipientProblem::Phone), "{typed:?}");
    }
}

#[test]
fn plain_addresses_are_accepted_and_keep_their_local_part() {
    for (typed, address) in [
        ("Jane.Doe+news@Example.com", "Jane.Doe+news@example.com"),
        ("o'brien@example.co.uk", "o'brien@example.co.uk"),
        ("x@xn--p1ai.xn--p1ai", "x@xn--p1ai.xn--p1ai"),
        ("1234567890@example.com", "1234567890@example.com"),
        ("_-_@a--b.example", "_-_@a--b.example"),
    ] {
        assert_eq!(parse(typed).unwrap().address(), address);
    }
}

#[test]
fn malformed_addresses_are_refused() {
    let long_local = format!("{}@example.com", "a".repeat(65));
    let long_label = format!("a@{}.com", "a".repeat(64));
    let long_address = format!("{}@{}example.com", "a".repeat(64), "abcdefghi.".repeat(20));
    for typed in [
        "jane",
        "@",
        "jane@",
        "@example.com",
        ".jane@example.com",
        "jane.@example.com",
        "ja..ne@example.com",
        "jane@example",
        "jane@.example.com",
        "jane@example..com",
        "jane@example.com.",
        "jane@-example.com",
        "jane@example-.com",
        "jane@exa_mple.com",
        "jane@example.c",
        "jane@xn--zzzzzz---.com",
        "jäne@example.com",
        &long_local,
        &long_label,
        &long_address,
    ] {
        assert_eq!(parse(typed), Err(RecipientProblem::Email), "{typed:?}");
    }
}

#[test]
fn lengths_of_rfc_5321_pass_at_the_limit() {
    let local = "a".repeat(64);
    let domain = format!("{}{}.com", "abcdefghi.".repeat(18), "a".repeat(5));
    let address = format!("{local}@{domain}");
    assert_eq!(address.len(), 254);
    assert!(parse(&address).is_ok());
    assert!(parse(&format!("{local}@a{domain}")).is_err());
}

#[test]
fn each_way_a_phone_number_can_be_wrong_has_its_own_name() {
    fn problem(typed: &str, region: Option<&str>) -> RecipientProblem {
        Recipient::parse(typed, region, None).unwrap_err()
    }
    assert_eq!(problem("07911 123456", None), RecipientProblem::CountryMissing);
    assert_eq!(problem("07911 123456", Some("")), RecipientProblem::CountryMissing);
    assert_eq!(problem("07911 123456", Some("ZZ")), RecipientProblem::CountryMissing);
    assert_eq!(problem("07911 123456", Some("Atlantis")), RecipientProblem::CountryMissing);
    assert_eq!(problem("07911", Some("GB")), RecipientProblem::PhoneTooShort);
    assert_eq!(problem("+44", None), RecipientProblem::PhoneTooShort);
    assert_eq!(problem("1", Some("GB")), RecipientProblem::PhoneTooShort);
    assert_eq!(problem("112", Some("DE")), RecipientProblem::PhoneTooShort);
    assert_eq!(problem("07911 123456 7890", Some("GB")), RecipientProblem::PhoneTooLong);
    assert_eq!(problem(&"7".repeat(900), Some("GB")), RecipientProblem::PhoneTooLong);
    assert_eq!(problem("+81 10000000000000", None), RecipientProblem::PhoneTooLong);
    assert_eq!(problem("+999 1234 5678", None), RecipientProblem::Phone);
    assert_eq!(problem(" ", None), RecipientProblem::Empty);
    assert_eq!(problem("", Some("GB")), RecipientProblem::Empty);
}

#[test]
fn numbers_that_cost_the_sender_extra_are_refused() {
    for typed in ["+1 900 234 5678", "+44 909 879 0000", "+979 123456789", "+1 800 555 0199"] {
        assert_eq!(parse(typed), Err(RecipientProblem::Phone), "{typed}");
    }
}

#[test]
fn a_number_that_the_plan_does_not_know_yet_is_accepted_when_its_length_is_right() {
    assert_eq!(key("+44 7700 900142"), "+447700900142");
}

#[test]
fn the_kind_follows_from_what_was_typed_unless_a_channel_was_chosen() {
    assert_eq!(parse("jane@example.com").unwrap().channels(), [Channel::Email]);
    assert_eq!(parse("07911 123456").unwrap().channels(), Channel::OF_PHONES);
    assert_eq!(parse("(07911) 123456").unwrap().channels(), Channel::OF_PHONES);
    let by = |typed, channel| Recipient::parse(typed, Some("GB"), Some(channel));
    for channel in Channel::OF_PHONES {
        assert_eq!(by("07911 123456", *channel), parse("07911 123456"), "{channel:?}");
        assert_eq!(by("jane@example.com", *channel), Err(RecipientProblem::Phone), "{channel:?}");
    }
    assert_eq!(by("07911 123456", Channel::Email), Err(RecipientProblem::Email));
}

#[test]
fn the_list_of_countries_has_each_once_with_its_calling_code() {
    let regions = calling_regions();
    assert!(regions.len() > 200);
    assert!(regions.windows(2).all(|pair| pair[0].region < pair[1].region));
    let code = |region: &str| {
        regions.iter().find(|entry| entry.region == region).map(|entry| entry.calling_code)
    };
    assert_eq!((code("GB"), code("US"), code("DE")), (Some(44), Some(1), Some(49)));
}

/// An accepted recipient is one plain address that parses to itself and reads back from the store.
fn assert_sound(recipient: &Recipient) {
    let address = recipient.address();
    let plain = |byte: u8| byte.is_ascii_graphic() && !b",;<>()[]\\\":".contains(&byte);
    assert!(address.bytes().all(plain), "{address:?}");
    match recipient {
        Recipient::Email(_) => {
            assert_eq!(address.matches('@').count(), 1);
            assert!(address.len() <= 254);
        }
        Recipient::Phone(_) => {
            let digits = address.strip_prefix('+').expect("E.164 begins with a plus sign");
            assert!(digits.bytes().all(|byte| byte.is_ascii_digit()));
            assert!((7..=15).contains(&digits.len()), "{address}");
        }
    }
    let stored = serde_json::to_string(recipient).unwrap();
    assert_eq!(&serde_json::from_str::<Recipient>(&stored).unwrap(), recipient);
    for form in [address, &recipient.canonical()] {
        let again = Recipient::parse(form, None, None).expect("a canonical form parses");
        assert_eq!(again.canonical(), recipient.canonical());
        assert_eq!(again.channels(), recipient.channels());
    }
}

proptest! {
    #[test]
    fn nothing_that_is_typed_panics_or_yields_an_unsound_recipient(
        typed in "\\PC{0,40}", region in proptest::option::of("[A-Z]{2}")
    ) {
        for channel in [None, Some(Channel::Email), Some(Channel::Sms)] {
            if let Ok(recipient) = Recipient::parse(&typed, region.as_deref(), channel) {
                assert_sound(&recipient);
            }
        }
    }

    #[test]
    fn s18_what_looks_like_an_address_yields_at_most_one(
        typed in "[a-z\\.\"<(,;\r\n\0 ]{0,6}@[a-zäß0-9\\-\\.@,;>\\]\r\n]{1,12}(\\.com)?[\r\n,; ]?[a-z@]{0,4}"
    ) {
        if let Ok(recipient) = Recipient::parse(&typed, None, Some(Channel::Email)) {
            assert_sound(&recipient);
        }
    }

    #[test]
    fn s18_a_phone_number_has_one_key_in_every_region_and_grouping(
        digits in "[+]?[0-9]{3,16}",
        groups in proptest::collection::vec(1_usize..5, 1..8),
        separator in prop::sample::select(vec![" ", "-", ".", "/", "\u{a0}", ") ", "\u{2013}"]),
        index in any::<prop::sample::Index>(),
    ) {
        let regions = calling_regions();
        let region = &regions[index.index(regions.len())].region;
        let plain = Recipient::parse(&digits, Some(region), Some(Channel::Sms));
        if let Ok(recipient) = &plain {
            assert_sound(recipient);
        }
        let mut rest = digits.as_str();
        let mut spelled = String::new();
        for length in groups {
            let (group, after) = rest.split_at(length.min(rest.len()));
            spelled += group;
            spelled += separator;
            rest = after;
        }
        spelled += rest;
        prop_assert_eq!(Recipient::parse(&spelled, Some(region), Some(Channel::Sms)), plain);
    }

    #[test]
    fn s18_capitals_never_make_a_second_key(
        local in "[a-z0-9]{1,10}(\\.[a-z0-9+_-]{1,8})?", domain in "[a-z]{2,9}\\.(com|example|рф)"
    ) {
        let typed = format!("{local}@{domain}");
        let key = Recipient::parse(&typed, None, None).unwrap().canonical();
        let capitals = Recipient::parse(&typed.to_uppercase(), None, None).unwrap();
        prop_assert_eq!(capitals.canonical(), key);
    }
}

#[test]
fn a_prefix_leaves_four_digits_of_every_number_out() {
    for (number, prefix) in
        [("+447400123456", "+44740"), ("+29051234", "+2905"), ("+12015550123", "+1201")]
    {
        let recipient = Recipient::parse(number, None, None).unwrap();
        assert_eq!(recipient.phone().unwrap().prefix(), prefix);
    }
}
