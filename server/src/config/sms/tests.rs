//! S33: `[sms]` of the server and of sites.

use std::time::Duration;

use otp::{
    Channel, Recipient,
    texts::{Guard, Price, ServerTexts},
};

use crate::config::{Config, ConfigError, Sources};

const PRODUCTION: [(&str, &str); 8] = [
    ("LATCHKEY_SERVER__MODE", "production"),
    ("LATCHKEY_SERVER__PUBLIC_ORIGIN", "https://otp.example.com"),
    ("LATCHKEY_SERVER__TRUSTED_PROXIES", "127.0.0.1"),
    ("LATCHKEY_KEYS__SECRETS", "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="),
    ("SMTP_URL", "smtps://otp%40example.com:p%23w@mail.example.com"),
    ("TWILIO_SID", "AC00000000000000000000000000000001"),
    ("TWILIO_AUTH_TOKEN", "a token"),
    ("SENDER_NUMBER", "+442079460001"),
];
const BRITISH: &str = "+447400123456";
const IRISH: &str = "+353850123456";
const SATELLITE: &str = "+870773111632";

fn load(file: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("latchkey.toml"), file).unwrap();
    Config::load(&Sources {
        directory: directory.path().into(),
        environment: variables.iter().copied().collect(),
        file: None,
    })
}

/// Numbers that the site of this name sends to.
fn served(config: &Config, site: &str) -> Vec<&'static str> {
    let site = config.sites.named(site).unwrap();
    let is_served = |number: &&str| {
        let recipient = Recipient::parse(number, None, None).unwrap();
        site.serves(&recipient, Channel::Sms).is_ok()
    };
    [BRITISH, IRISH, SATELLITE].into_iter().filter(is_served).collect()
}

/// The one problem that a variable causes in production.
fn problem_with(name: &str, value: &str) -> String {
    let variables: Vec<_> = PRODUCTION.into_iter().chain([(name, value)]).collect();
    let problems = load("", &variables).unwrap_err().problems;
    assert_eq!(problems.len(), 1, "{name}={value}: {problems:?}");
    problems[0].to_string()
}

#[test]
fn s33_texts_go_to_the_default_country_unless_others_are_listed() {
    let config = load("", &PRODUCTION).unwrap();
    assert_eq!(served(&config, "demo"), [BRITISH]);
    assert!(config.warnings().is_empty());

    let file = "[sms]\ncountries = [\"GB\", \"ie\"]\n\
                [[sites]]\nname = \"shop\"\n\
                [[sites]]\nname = \"boats\"\nsms.countries = [\"GB\", \"+870\"]\n\
                [[sites]]\nname = \"taxi\"\nsms.denied_prefixes = [\"+4474\"]\n";
    let config = load(file, &PRODUCTION).unwrap();
    for site in ["demo", "shop"] {
        assert_eq!(served(&config, site), [BRITISH, IRISH], "{site}");
    }
    assert_eq!(served(&config, "boats"), [BRITISH, SATELLITE]);
    assert_eq!(served(&config, "taxi"), [IRISH]);

    let irish = [&PRODUCTION[..], &[("LATCHKEY_PAGE__DEFAULT_COUNTRY", "IE")]].concat();
    assert_eq!(served(&load("", &irish).unwrap(), "demo"), [IRISH]);
}

#[test]
fn s33_all_countries_have_to_be_asked_for_and_are_warned_about() {
    let everywhere = ("LATCHKEY_SMS__COUNTRIES", "*");
    let config = load("", &[&PRODUCTION[..], &[everywhere]].concat()).unwrap();
    assert_eq!(served(&config, "demo"), [BRITISH, IRISH]);
    let warnings = config.warnings();
    assert!(
        warnings.len() == 1 && warnings[0].starts_with("site demo has \"*\" in sms.countries"),
        "{warnings:?}"
    );
    // Nothing is sent by text message there.
    let file = "[[sites]]\nname = \"demo\"\nchannels = [\"email\"]\n";
    assert!(load(file, &[&PRODUCTION[..], &[everywhere]].concat()).unwrap().warnings().is_empty());
}

#[test]
fn s33_only_the_built_in_sites_of_development_text_the_whole_world() {
    let config = load("[[sites]]\nname = \"shop\"\n", &[]).unwrap();
    for site in ["demo", "test-approve"] {
        assert_eq!(served(&config, site), [BRITISH, IRISH, SATELLITE], "{site}");
    }
    assert_eq!(served(&config, "shop"), [BRITISH]);
    assert!(config.warnings().is_empty());

    let config = load("", &[("LATCHKEY_SMS__COUNTRIES", "IE")]).unwrap();
    assert_eq!(served(&config, "demo"), [IRISH]);
    let config = load("", &[("LATCHKEY_SMS__LINE_TYPES", "voip")]).unwrap();
    assert!(served(&config, "demo").is_empty());
    let config = load("[[sites]]\nname = \"demo\"\n", &[]).unwrap();
    assert_eq!(served(&config, "demo"), [BRITISH]);
}

#[test]
fn s33_calls_go_to_fixed_lines_only_if_they_are_listed_for_calls() {
    let landline = Recipient::parse("+442079460001", None, None).unwrap();
    let serves = |file: &str, channel| {
        let config = load(file, &PRODUCTION).unwrap();
        config.sites.named("shop").unwrap().serves(&landline, channel).is_ok()
    };
    let shop = "[[sites]]\nname = \"shop\"\n";
    let called = format!("[sms]\ncall_line_types = [\"fixed_line\"]\n{shop}");
    for (file, by_text, by_call) in [
        (shop.to_owned(), false, false),
        (called.clone(), false, true),
        (format!("[sms]\nline_types = [\"fixed_line\"]\n{shop}"), true, true),
        (format!("{called}sms.call_line_types = [\"mobile\"]\n"), false, false),
    ] {
        assert_eq!(serves(&file, Channel::Sms), by_text, "{file}");
        assert_eq!(serves(&file, Channel::Whatsapp), by_text, "{file}");
        assert_eq!(serves(&file, Channel::Voice), by_call, "{file}");
    }
}

#[test]
fn calls_with_codes_too_short_lived_to_be_heard_are_warned_about() {
    let voice = [("LATCHKEY_DELIVERY__CHANNELS", "voice"), ("LATCHKEY_POLICY__LIFETIME", "59")];
    let warnings = load("", &voice).unwrap().warnings();
    assert!(
        warnings.iter().any(|warning| warning.starts_with("policy.lifetime is") && warning.ends_with(": demo")),
        "{warnings:?}"
    );
}

#[test]
fn values_that_mean_nothing_are_refused_in_words() {
    for (name, value, message) in [
        ("COUNTRIES", "GB,UK", "item 2 must be the two letters of a country with phone numbers"),
        ("COUNTRIES", "GBR", "item 1 must be the two letters of a country"),
        ("COUNTRIES", "001", "item 1 must be the two letters of a country"),
        ("COUNTRIES", "GB,gb", "item 2 is listed twice"),
        ("COUNTRIES", "+44", "item 1 is no calling code without a country, which are +800, +808"),
        ("LINE_TYPES", "mobile,landline", "item 2 must be one of: mobile, fixed_line_or_mobile"),
        ("LINE_TYPES", "premium", "item 1 must be one of: mobile"),
        ("LINE_TYPES", ",", "must list some of: mobile"),
        ("ALLOWED_PREFIXES", "44", "item 1 must be a plus sign and the first digits"),
        ("DENIED_PREFIXES", "+44 70", "item 1 must be a plus sign and the first digits"),
    ] {
        let problem = problem_with(&format!("LATCHKEY_SMS__{name}"), value);
        assert!(problem.contains(message), "{name}={value}: {problem}");
    }
    assert!(problem_with("LATCHKEY_PAGE__DEFAULT_COUNTRY", "UK").contains("two letters"));
    let contradiction = "[sms]\nallowed_prefixes = [\"+44\"]\ndenied_prefixes = [\"+44\"]\n";
    let problem = load(contradiction, &PRODUCTION).unwrap_err().problems[0].to_string();
    assert!(problem.starts_with("sms.denied_prefixes: has a prefix that"), "{problem}");
}

#[test]
fn a_fixed_recipient_that_nothing_would_be_sent_to_is_refused() {
    let problem = problem_with("RECIPIENT_NUMBER", IRISH);
    assert!(problem.starts_with("page.fixed_recipient: is a number that"), "{problem}");
    assert!(!problem.contains("353"), "{problem}");
    for (recipient, file) in [
        (BRITISH, ""),
        ("jo@example.com", ""),
        (IRISH, "[sms]\ncountries = [\"IE\"]\n"),
        (
            IRISH,
            "[[sites]]\nname = \"demo\"\ntest_recipients = { \"+353850123456\" = \"123456\" }\n",
        ),
    ] {
        let variables = [&PRODUCTION[..], &[("RECIPIENT_NUMBER", recipient)]].concat();
        assert!(load(file, &variables).is_ok(), "{recipient} {file}");
    }
}

/// A site inherits the server's section, so both files have the same keys.
#[test]
fn a_site_has_the_keys_and_defaults_of_the_servers() {
    let section = |text: &str| text.parse::<toml::Table>().unwrap()["sms"].clone();
    let (site, server) = (include_str!("../site.toml"), include_str!("../default.toml"));
    assert_eq!(section(site), section(server));
}

#[test]
fn s33_ceilings_caps_and_the_guard_are_those_of_the_site_or_else_of_the_server() {
    let config = load(
        "[sms]\ntexts_per_hour = 7\nguard = \"record_only\"\ndaily_cap = \"20\"\n\
         [limits]\ntexts_per_day = 9\ndaily_cap = \"99.5\"\n\
         [prices]\nGB = \"0.0425\"\n\"*\" = \"0.1\"\n\
         [[sites]]\nname = \"shop\"\nsms.guard = \"off\"\nsms.prefix_texts_per_day = 3\n",
        &[],
    )
    .unwrap();
    let texts = |name: &str| config.sites.named(name).unwrap().texts.clone();
    let (demo, shop) = (texts("demo"), texts("shop"));
    assert_eq!((demo.all.hour, demo.guard, demo.cap), (7, Guard::RecordOnly, Some(Price(200_000))));
    assert_eq!((demo.prefix.day, demo.learning), (1000, Duration::from_secs(7 * 24 * 3600)));
    assert_eq!((shop.all.hour, shop.guard, shop.cap), (7, Guard::Off, Some(Price(200_000))));
    assert_eq!(shop.prefix.day, 3);
    let ServerTexts { all, cap, prices } = &config.texts;
    assert_eq!((all.day, *cap), (9, Some(Price(995_000))));
    assert_eq!((prices.of("GB"), prices.of("FR")), (Price(425), Price(1000)));
}

#[test]
fn prices_and_caps_that_cannot_be_meant_are_refused() {
    for (file, problem) in [
        ("[prices]\nGB = \"0,04\"", "prices: \"GB\" must be an amount in quotes"),
        ("[prices]\nGB = 0.04", "prices: must be a table of strings"),
        ("[prices]\nXX = \"0.04\"", "prices: \"XX\" is neither the two letters of a country"),
        ("[sms]\ndaily_cap = \"20\"", "sms.daily_cap: needs a price of \"*\""),
        ("[limits]\ndaily_cap = \"20\"\n[prices]\nGB = \"1\"", "limits.daily_cap: needs a price"),
        ("[sms]\ndaily_cap = \"0.1\"\n[prices]\n\"*\" = \"0.2\"", "less than the dearest text"),
        ("[sms]\ndaily_cap = \"a lot\"", "sms.daily_cap: must be an amount in quotes"),
        ("[sms]\nguard = \"on\"", "sms.guard: must be one of: enforce, record_only, off"),
        ("[sms]\nprefix_texts_per_hour = 0", "sms.prefix_texts_per_hour: must be from 1 to"),
    ] {
        let problems = load(file, &[]).unwrap_err().to_string();
        assert!(problems.contains(problem), "{file}: {problems}");
    }
}
