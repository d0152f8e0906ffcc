use super::*;

fn load(sources: &[(&'static str, &[&str])]) -> Result<Catalogue, CatalogueError> {
    Catalogue::from_sources(sources)
}

/// The English texts under several tags.
fn in_locales(locales: &[&'static str]) -> Catalogue {
    let files = SOURCES[0].1;
    let sources: Vec<_> = locales.iter().map(|locale| (*locale, files)).collect();
    load(&sources).unwrap()
}

fn error(locale: &'static str, files: &[&str]) -> String {
    load(&[(locale, files)]).unwrap_err().to_string()
}

fn missing(files: &[&str]) -> Vec<String> {
    let error = error("en", files);
    let ids = error.strip_prefix("catalogue of en: texts of the pages missing: ").unwrap();
    ids.split(", ").map(str::to_owned).collect()
}

#[test]
fn the_catalogue_that_is_compiled_in_loads() {
    let catalogue = Catalogue::load().unwrap();
    let texts = catalogue.texts("en");
    assert_eq!(texts.locale, "en");
    assert_eq!(texts.card.approved, "Login Success!");
    assert_eq!(catalogue.locales().collect::<Vec<_>>(), ["en"]);
}

#[test]
fn every_country_that_has_phone_numbers_has_a_name() {
    let catalogue = Catalogue::load().unwrap();
    for entry in otp::recipient::calling_regions() {
        assert!(catalogue.country("en", &entry.region).is_some(), "{}", entry.region);
    }
    assert_eq!(catalogue.country("en", "ZZ"), None);
}

#[test]
fn loading_fails_with_the_id_of_a_missing_text() {
    let ids = missing(&["title = x"]);
    assert!(ids.iter().any(|id| id == "submit"), "{ids:?}");
    assert!(!ids.iter().any(|id| id == "title"), "{ids:?}");
}

#[test]
fn loading_fails_with_the_id_of_a_text_without_its_value() {
    let ids = missing(&["sent = It is on its way", "sending = To { $recipient }"]);
    assert!(ids.iter().any(|id| id == "sent"), "{ids:?}");
    assert!(!ids.iter().any(|id| id == "sending"), "{ids:?}");
}

#[test]
fn loading_fails_at_a_syntax_error_a_duplicate_id_and_an_invalid_tag() {
    for (locale, files, problem) in [
        ("en", &["= x"][..], "Expected"),
        ("en", &["title = x", "title = y"], r#"existing message: "title""#),
        ("no tag", &[], "not a language tag"),
    ] {
        let error = error(locale, files);
        assert!(error.starts_with(&format!("catalogue of {locale}: ")), "{error}");
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn variables_are_inserted_without_isolating_marks() {
    let bundle = bundle("en", &["hello = Hello { $name }."]).unwrap();
    let args = FluentArgs::from_iter([("name", "Example")]);
    assert_eq!(format(&bundle, "hello", Some(&args)).as_deref(), Some("Hello Example."));
    assert_eq!(format(&bundle, "hello", None), None, "a variable without a value is a fault");
}

#[test]
fn an_unknown_locale_gets_the_texts_of_the_default_one() {
    let catalogue = in_locales(&["de", "en"]);
    assert_eq!(catalogue.texts("de").locale, "de");
    assert_eq!(catalogue.texts("tlh").locale, "en");
    assert_eq!(catalogue.format("tlh", "title", None), "OTP Verification");
    assert_eq!(catalogue.format("de", "no-such-text", None), "no-such-text");
}

#[test]
fn a_browser_gets_its_preferred_language() {
    let catalogue = in_locales(&["de", "en", "pt-BR"]);
    for (header, locale) in [
        ("de", "de"),
        ("DE-at", "de"),
        ("pt-PT", "pt-BR"),
        ("fr, de;q=0.8, en;q=0.9", "en"),
        ("fr, de;q=0.8, en;q=0.7", "de"),
        ("de;q=0, en", "en"),
        ("*", "en"),
        ("", "en"),
        ("de;q=nan, de;q=2, ;;,", "en"),
    ] {
        assert_eq!(catalogue.negotiate(Some(header)), locale, "{header}");
    }
    assert_eq!(catalogue.negotiate(None), "en");
}
