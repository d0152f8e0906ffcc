use std::{collections::HashSet, sync::Arc};

use app::wire::Brand;
use otp::{Code, Policy, Recipient};

use super::{length::septets, *};
use crate::site::Site;

/// Longer than the link of a verification.
const LINK: &str =
    "https://login.example.com/not-me/AZMxYRgAAZMxYRgAAZMxYRgAAZMxYRgAAZMxYRgAAZMxYRgAAZMx";
const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn site(brand: &str, change: impl FnOnce(&mut Site)) -> Arc<Site> {
    let brand = Brand { name: brand.to_owned(), ..Brand::default() };
    let mut site = Site::named("shop", Policy::default(), brand);
    change(&mut site);
    Arc::new(site)
}

fn message(brand: &str, host: &str) -> OutgoingMessage {
    let to = Recipient::parse("+44 7700 900142", None, None).unwrap();
    let (code, expires_at) = (Code::parse("042917").unwrap(), NOW + Duration::from_secs(300));
    let message = OutgoingMessage::detached(site(brand, |_| {}), to, code, host, expires_at);
    OutgoingMessage { not_me: Some(LINK.to_owned()), ..message }
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
    assert!(email.html.contains(&format!("href=\"{LINK}\"")), "{}", email.html);
    assert!(email.html.contains(">This wasn't me</a>"), "{}", email.html);
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
    let catalogue = catalogue();
    let wording = Wording::of(&catalogue, &message);
    let after = |seconds| validity(&wording, &message, NOW + Duration::from_secs(seconds));
    assert_eq!(after(0), "It is valid for 5 minutes.");
    assert_eq!(after(10), "It is valid for 5 minutes.");
    assert_eq!(after(20), "It is valid for 4 minutes.");
    assert_eq!(after(240), "It is valid for one minute.");
    assert_eq!(after(270), "It is valid for 30 seconds.");
}

#[test]
fn a_call_says_the_digits_one_by_one_twice_in_a_language_with_its_region() {
    let call = Call::of(&catalogue(), &message("Tea\n& Co", "example.com"));
    assert_eq!(call.digits, ['0', '4', '2', '9', '1', '7']);
    assert_eq!(call.first, "Hello. Here is your Tea & Co code.");
    assert_eq!(call.text().matches("0, 4, 2, 9, 1, 7").count(), 2);
    for locale in catalogue().locales() {
        let message =
            OutgoingMessage { locale: locale.to_owned(), ..message("Example", "example.com") };
        let language = Call::of(&catalogue(), &message).language;
        let (of_call, region) = language.split_once('-').unwrap_or_default();
        assert!(locale.starts_with(of_call) && region.len() == 2, "{locale}: {language}");
    }
}

#[test]
fn a_message_is_worded_for_its_channel() {
    let by = |channel| {
        let message = OutgoingMessage { channel, ..message("Example", "example.com") };
        render(&catalogue(), &message, NOW)
    };
    assert!(by(Channel::Email).email.is_some());
    for (channel, has_line) in
        [(Channel::Sms, true), (Channel::Whatsapp, false), (Channel::Voice, false)]
    {
        let Rendered { text, email } = by(channel);
        assert!(email.is_none() && text.contains("your Example code"), "{text}");
        assert_eq!(text.contains("@example.com #042917"), has_line, "{text}");
    }
}

#[test]
fn every_text_of_a_message_is_in_every_catalogue() {
    let catalogue = catalogue();
    assert_eq!(HashSet::from(TEXTS.map(|text| text.id)).len(), TEXTS.len());
    for locale in catalogue.locales() {
        for text in TEXTS {
            assert!(catalogue.has(locale, text.id), "{locale}: {}", text.id);
        }
    }
}

#[test]
fn a_site_replaces_texts_by_its_own_and_keeps_code_and_last_line() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("en.ftl", "email-subject = Welcome to { $brand }\nsms-text = { $brand }: { $code }");
    write("sv.ftl", "email-intro = Din kod:\nsms-text = { $code } är din kod.");
    let overlay = Arc::new(Overlay::read(folder.path(), &TEXTS, |_, _| true).unwrap());
    let site = site("Shop", |site| site.overlay = overlay);
    let message = OutgoingMessage { site, ..message("", "example.com") };
    let catalogue = catalogue();

    let mail = email(&catalogue, &message, NOW);
    assert_eq!((&*mail.subject, &*mail.locale), ("Welcome to Shop", "en"));
    assert!(mail.text.starts_with("Your code for Shop:\n\n042917\n"), "{}", mail.text);
    assert_eq!(sms(&catalogue, &message, NOW), "Shop: 042917\n@example.com #042917");

    let swedish = OutgoingMessage { locale: "sv".to_owned(), ..message.clone() };
    let mail = email(&catalogue, &swedish, NOW);
    assert_eq!(&*mail.locale, "sv");
    assert!(mail.html.contains("<html lang=\"sv\">") && mail.html.contains("Din kod:"));
    let text = sms(&catalogue, &swedish, NOW);
    assert_eq!(text, "042917 är din kod.\n@example.com #042917");

    let gone = OutgoingMessage { locale: "fi".to_owned(), ..message };
    assert_eq!(email(&catalogue, &gone, NOW).locale, "en");
}

#[test]
fn a_text_for_an_android_app_ends_with_its_hash() {
    let message = message("Example", "example.com");
    let message = OutgoingMessage { app_hash: Some("FA+9qCX9VYT".to_owned()), ..message };
    let text = sms(&catalogue(), &message, NOW);
    assert_eq!(text.lines().last(), Some("FA+9qCX9VYT"));
    assert!(text.contains("042917") && !text.contains('@'), "{text}");
    assert!(text.len() <= 140, "the longest that the API reads");
}

#[test]
fn a_mail_has_the_accent_and_the_logo_of_its_site() {
    let logo = |uri: &str| {
        site("Shop", |site| {
            site.brand.logo = Some(uri.to_owned());
            site.brand.accent = Some(("#123456".to_owned(), "#abcdef".to_owned()));
        })
    };
    let of = |uri: &str| OutgoingMessage { site: logo(uri), ..message("", "example.com") };
    let catalogue = catalogue();

    let png = of("data:image/png;base64,iVBORw0KGgo=");
    let mail = email_with_logo(&catalogue, &png, NOW);
    let expected = Logo { media_type: "image/png", content: b"\x89PNG\r\n\x1a\n".to_vec() };
    assert_eq!(mail.logo, Some(expected));
    assert!(mail.html.contains("src=\"cid:logo\""), "{}", mail.html);
    assert!(
        mail.html.contains("4px solid #123456") && mail.html.contains("color:#abcdef!important")
    );

    let svg = email_with_logo(&catalogue, &of("data:image/svg+xml;base64,PHN2Zy8+"), NOW);
    for mail in [svg, email(&catalogue, &png, NOW)] {
        assert_eq!(mail.logo, None);
        assert!(!mail.html.contains("<img"), "{}", mail.html);
    }
}
