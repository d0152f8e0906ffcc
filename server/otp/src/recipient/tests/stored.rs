//! Stored recipients, and what is shown of one.

use super::*;

#[test]
fn people_and_logs_see_only_the_masked_form() {
    let email = parse("jane.doe@bücher.example").unwrap();
    assert_eq!(email.masked(), "j***@bücher.example");
    assert_eq!(parse("j@example.com").unwrap().masked(), "***@example.com");
    let phone = parse("+44 7700 900142").unwrap();
    assert_eq!(phone.masked(), "+44 ••• ••42");
    assert_eq!(phone.to_string(), phone.masked());
    for shown in [format!("{email:?} {email}"), format!("{phone:?} {phone}")] {
        assert!(!shown.contains("jane") && !shown.contains("900142"), "{shown}");
    }
    let (Recipient::Email(email), Recipient::Phone(phone)) = (email, phone) else {
        panic!("one of each");
    };
    let shown = format!("{email:?} {phone:?}");
    assert!(!shown.contains("jane") && !shown.contains("900142"), "{shown}");
}

#[test]
fn a_stored_recipient_reads_back() {
    for typed in ["Jane@Bücher.example", "+x@example.com", "07911 123456"] {
        let recipient = parse(typed).unwrap();
        let stored = serde_json::to_string(&recipient).unwrap();
        assert_eq!(stored, format!("\"{}\"", recipient.address()));
        assert_eq!(serde_json::from_str::<Recipient>(&stored).unwrap(), recipient);
    }
}

/// Numbers and addresses that were accepted once, by metadata that has changed since.
#[test]
fn a_stored_recipient_reads_back_although_it_would_be_refused_today() {
    let (mail, phone) = (&[Channel::Email][..], Channel::OF_PHONES);
    for (address, channels, masked) in [
        ("+4479111234567", phone, "+44 ••• ••67"),
        ("+19002345678", phone, "+1 ••• ••78"),
        ("+9991234567", phone, "+999 ••• ••67"),
        ("jane@xn--zzzzzz---.com", mail, "j***@"),
    ] {
        assert!(parse(address).is_err(), "{address}");
        let stored = format!("\"{address}\"");
        let recipient: Recipient = serde_json::from_str(&stored).unwrap();
        assert_eq!(serde_json::to_string(&recipient).unwrap(), stored);
        assert_eq!((recipient.canonical().as_str(), recipient.channels()), (address, channels));
        assert!(recipient.masked().starts_with(masked), "{recipient}");
    }
}

#[test]
fn s18_a_malformed_stored_recipient_is_an_error_that_does_not_quote_it() {
    for stored in [
        "",
        "+",
        "447911123456",
        "+044791112345",
        "+123456",
        "+1234567890123456",
        "+44 7911 123456",
        "+447911123456\\n",
        "+447911123456,+447911123457",
        "jane",
        "jane@",
        "@example.com",
        "jane@example",
        "jane@Example.com",
        "jane@example..com",
        "jane@bücher.example",
        "jane@example.com\\r\\nBcc: john@example.com",
        "jane@example.com,john@example.com",
    ] {
        let error = serde_json::from_str::<Recipient>(&format!("\"{stored}\"")).unwrap_err();
        let quoted =
            ["jane", "example", "7911"].iter().any(|part| error.to_string().contains(part));
        assert!(!quoted, "{error}");
    }
}

#[test]
fn a_masked_number_shows_the_calling_code_of_its_country() {
    for region in calling_regions() {
        let stored = format!("\"+{}12345678\"", region.calling_code);
        let phone: Recipient = serde_json::from_str(&stored).unwrap();
        assert_eq!(phone.masked(), format!("+{} ••• ••78", region.calling_code), "{region:?}");
    }
}
