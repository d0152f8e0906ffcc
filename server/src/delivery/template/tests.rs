use std::collections::HashSet;

use otp::{Channel, Code, Recipient};

use super::*;
use crate::delivery::HandOver;

/// Longer than the link of a verification.
const LINK: &str =
    "https://login.example.com/not-me/AZMxYRgAAZMxYRgAAZMxYRgAAZMxYRgAAZMxYRgAAZMxYRgAAZMx";
const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn message(brand: &str, host: &str) -> OutgoingMessage {
    OutgoingMessage {
        id: "message-1".into(),
        channel: Channel::Sms,
        to: Recipient::parse("+44 7700 900142", None, None).unwrap(),
        code: Code::parse("042917").unwrap(),
        locale: "en".into(),
        expires_at: NOW + Duration::from_secs(300),
        brand: brand.into(),
        sender: None,
        origin_host: host.into(),
        embedder_host: None,
        not_me: Some(LINK.to_owned()),
        receipts: None,
        hand_over: HandOver::default(),
    }
}

fn catalogue() -> Catalogue {
    Catalogue::load().unwrap()
}

#[test]
fn the_code_stands_alone_on_its_line_in_text_and_html_and_not_in_the_subject() {
    let email = email(&catalogue(), &message("Example", "example.com"), NOW);
    assert_eq!(email.text.lines().filter(|line| *line == "042917").count(), 1);
    assert_eq!(email.html.lines().filter(|line| *line == "042917").count(), 1);
    assert_eq!(email.text.matches("042917").count(), 1);
    assert_eq!(email.subject, "Your Example code");
    assert!(email.text.contains("Type it only on the page where you asked for it"));
    assert!(email.text.contains("Tell nobody"));
    assert!(email.text.contains("It is valid for 5 minutes."), "{}", email.text);
    assert!(email.html.contains("It is valid for 5 minutes."));
    assert!(email.html.contains(";letter-spacing:4px\">\n042917\n"), "{}", email.html);
}

#[test]
fn an_email_has_one_link_and_loads_nothing() {
    let with_link = message("Example", "example.com");
    let without = OutgoingMessage { not_me: None, ..with_link.clone() };
    for (message, links) in [(with_link, 1), (without, 0)] {
        let email = email(&catalogue(), &message, NOW);
        for reference in ["http", "href"] {
            assert_eq!(email.html.matches(reference).count(), links, "{reference}");
        }
        assert_eq!(email.text.matches("http").count(), links);
        for loaded in ["src=", "url(", "<img", "<script"] {
            assert!(!email.html.contains(loaded), "{loaded}");
        }
    }
}

#[test]
fn the_link_stands_last_and_alone_on_its_line_and_in_no_text_message() {
    let message = message("Example", "example.com");
    let email = email(&catalogue(), &message, NOW);
    assert_eq!(email.text.lines().last(), Some(LINK));
    assert!(
        email.html.contains(&format!("<a href=\"{LINK}\">This wasn't me</a>")),
        "{}",
        email.html
    );
    let text = sms(&catalogue(), &message, NOW);
    assert!(!text.contains("not-me") && !text.contains("http"), "{text}");
}

#[test]
fn a_brand_cannot_inject_markup_or_lines() {
    let odd = message("<b>A&B\r\nBcc: x@example.com\u{2028}", "example.com");
    let email = email(&catalogue(), &odd, NOW);
    assert!(email.html.contains("&lt;b&gt;A&amp;B Bcc: x@example.com"), "{}", email.html);
    assert_eq!(email.subject.lines().count(), 1);
    assert_eq!(sms(&catalogue(), &odd, NOW).lines().count(), 2);
}

#[test]
fn a_text_message_ends_with_the_origin_bound_line_and_fits() {
    let text = sms(&catalogue(), &message("Example", "login.example.com"), NOW);
    assert_eq!(
        text,
        "042917 is your Example code. It is valid for 5 minutes. Tell nobody. Type it only where \
         you asked for it.\n\
         @login.example.com #042917"
    );
    assert!(septets(&text).unwrap() < 140);
}

#[test]
fn the_origin_bound_line_of_a_framed_page_names_the_embedding_host_first() {
    let line = |embedder: &str| {
        let message = OutgoingMessage {
            embedder_host: Some(embedder.into()),
            ..message("Example", "otp.example.com")
        };
        sms(&catalogue(), &message, NOW).lines().last().unwrap().to_owned()
    };
    assert_eq!(line("shop.example"), "@shop.example #042917 @otp.example.com");
    assert_eq!(line("otp.example.com"), "@otp.example.com #042917", "one host needs one name");
}

#[test]
fn the_origin_bound_line_has_no_port() {
    let text = sms(&catalogue(), &message("Example", "127.0.0.1:3000"), NOW);
    assert!(text.ends_with("\n@127.0.0.1 #042917"), "{text}");
}

#[test]
fn a_long_name_shortens_the_wording_but_never_loses_code_or_origin() {
    let long = "Long".repeat(20);
    let longer = "Longer".repeat(40);
    let warned = "042917 is your Example Shop for Plants code. Tell nobody. Type it only where you asked \
                  for it.\n@example.com #042917";
    let text = |brand: &str| sms(&catalogue(), &message(brand, "example.com"), NOW);
    assert_eq!(text("Example Shop for Plants"), warned);
    assert_eq!(text(&long), format!("042917 is your {long} code.\n@example.com #042917"));
    assert_eq!(text(&longer), "042917 is your code.\n@example.com #042917");
    assert_eq!(text("例え株式会社"), "042917 is your 例え株式会社 code.\n@example.com #042917");
    for brand in [&long, &longer, "{}[]€|", "例え株式会社"] {
        assert!(fits(&text(brand)), "{brand}");
    }
}

#[test]
fn the_gsm_alphabet_is_counted_in_septets() {
    assert_eq!(septets("abc @\n"), Some(6));
    assert_eq!(septets("€{}"), Some(6));
    assert_eq!(septets("ç"), None);
    assert_eq!(septets("\u{2019}"), None);
}

#[test]
fn the_validity_is_the_time_left_when_the_message_is_sent() {
    let message = message("Example", "example.com");
    let after = |seconds| validity(&catalogue(), &message, NOW + Duration::from_secs(seconds));
    assert_eq!(after(0), "It is valid for 5 minutes.");
    assert_eq!(after(10), "It is valid for 5 minutes.");
    assert_eq!(after(20), "It is valid for 4 minutes.");
    assert_eq!(after(240), "It is valid for one minute.");
    assert_eq!(after(270), "It is valid for 30 seconds.");
}

#[test]
fn every_text_of_a_message_is_in_every_catalogue() {
    let catalogue = catalogue();
    assert_eq!(HashSet::from(TEXTS).len(), TEXTS.len());
    for locale in catalogue.locales() {
        for id in TEXTS {
            assert!(catalogue.has(locale, id), "{locale}: {id}");
        }
    }
}
