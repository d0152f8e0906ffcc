//! Sites that are accepted, sites that are refused, and the messages.

mod refusals;

use std::{collections::BTreeSet, time::Duration};

use otp::Channel;

use crate::{
    config::{Config, ConfigError, Sources},
    origin::Origin,
    site::{SecretDigest, Site, builtin},
};

const DIGEST: &str = "sha256:4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a";
const PRODUCTION: [(&str, &str); 5] = [
    ("LATCHKEY_SERVER__MODE", "production"),
    ("LATCHKEY_SERVER__PUBLIC_ORIGIN", "https://otp.example.com"),
    ("LATCHKEY_SERVER__TRUSTED_PROXIES", "127.0.0.1"),
    ("LATCHKEY_KEYS__SECRETS", "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="),
    ("SMTP_URL", "smtps://otp%40example.com:p%23w@mail.example.com"),
];

/// A site with every key.
const WHOLE: &str = r##"
[[sites]]
name = "shop"
public_key = "lk_pub_0123456789abcdef"
secret_keys = ["sha256:4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a"]
origins = ["https://shop.example", "https://www.shop.example:8443"]
return_urls = ["https://shop.example/verified?from=otp"]
channels = ["email"]
messages = "texts"
android_app_hash = "FA+9qCX9VYT"
[sites.policy]
code_length = 8
lifetime = 120
window = 600
checks = 3
sends = 2
resend_waits = [10]
live_codes = 1
[sites.brand]
name = "Example Shop"
sender = "Example Shop sign-in"
logo = "logo.png"
accent = "#7a0019"
support = "mailto:help@shop.example"
[sites.test_recipients]
"Reviewer@Shop.example" = "00000000"
[sites.webhook]
url = "https://shop.example/hooks/otp"
"##;

fn load_with(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("latchkey.toml"), text).unwrap();
    std::fs::write(directory.path().join("logo.png"), b"\x89PNG\r\n\x1a\n").unwrap();
    for (folder, text) in [
        ("texts", "email-subject = Hello"),
        ("wrong", "sms-text = No code"),
        ("calls", "call-language = English"),
    ] {
        std::fs::create_dir(directory.path().join(folder)).unwrap();
        std::fs::write(directory.path().join(folder).join("en.ftl"), text).unwrap();
    }
    std::fs::write(directory.path().join("wrong/sv.ftl"), "email-subject = Hej").unwrap();
    Config::load(&Sources {
        directory: directory.path().into(),
        environment: variables.iter().copied().collect(),
        file: None,
    })
}

fn load(text: &str) -> Result<Config, ConfigError> {
    load_with(text, &[])
}

/// The problems with a file, without where they come from.
fn problems_with(text: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let error = load_with(text, variables).unwrap_err();
    error.problems.iter().map(|problem| format!("{}: {}", problem.key, problem.message)).collect()
}

/// The one problem that `line` causes in a site of production that is otherwise fine.
fn problem_with(line: &str) -> String {
    let text = format!("[[sites]]\nname = \"shop\"\n{line}\n");
    let mut problems = problems_with(&text, &PRODUCTION);
    assert_eq!(problems.len(), 1, "{line}: {problems:#?}");
    problems.remove(0)
}

fn site(config: &Config, name: &str) -> Site {
    Site::clone(config.sites.named(name).unwrap())
}

#[test]
fn everything_that_a_site_says_arrives() {
    let config = load(WHOLE).unwrap();
    let shop = site(&config, "shop");

    assert_eq!(config.sites.with_public_key("lk_pub_0123456789abcdef").unwrap().name, "shop");
    assert_eq!(shop.secrets.len(), 1);
    assert_eq!(config.sites.with_secret("\u{1}").unwrap().name, "shop");
    let origins: Vec<_> = shop.origins.iter().map(Origin::as_str).collect();
    assert_eq!(origins, ["https://shop.example", "https://www.shop.example:8443"]);
    assert!(shop.return_url("https://shop.example/verified?from=otp").is_some());
    assert_eq!(shop.channels, [Channel::Email]);
    let policy = &shop.policy;
    assert_eq!((policy.code_length(), policy.checks(), policy.sends()), (8, 3, 2));
    assert_eq!((policy.lifetime().as_secs(), policy.window().as_secs()), (120, 600));
    assert_eq!((policy.wait_after(1), policy.live_codes()), (Duration::from_secs(10), 1));
    assert_eq!(
        (&*shop.brand.name, shop.sender.as_deref()),
        ("Example Shop", Some("Example Shop sign-in"))
    );
    assert_eq!(shop.brand.logo.as_deref(), Some("data:image/png;base64,iVBORw0KGgo="));
    let (light, dark) = shop.brand.accent.unwrap();
    assert!(light == "#7a0019" && dark != light, "{light} {dark}");
    assert_eq!(shop.brand.support.as_deref(), Some("mailto:help@shop.example"));
    assert_eq!(shop.overlay.format("en", "email-subject", None).as_deref(), Some("Hello"));
    assert_eq!(shop.android_app_hash.as_deref(), Some("FA+9qCX9VYT"));
    assert_eq!(shop.test_recipients.len(), 1);
    assert_eq!(shop.webhook.unwrap().as_str(), "https://shop.example/hooks/otp");
    assert!(config.warnings().is_empty(), "{:?}", config.warnings());
}

#[test]
fn what_a_site_leaves_out_is_as_the_server_has_it() {
    let config = load(
        "[policy]\ncode_length = 7\nlifetime = 240\n[page]\nbrand = \"Example\"\n\
         [[sites]]\nname = \"shop\"\npolicy.lifetime = 60\n",
    );
    let shop = site(&config.unwrap(), "shop");

    assert_eq!((shop.policy.code_length(), shop.policy.lifetime().as_secs()), (7, 60));
    assert_eq!(shop.brand.name, "Example");
    assert_eq!(shop.channels, [Channel::Email, Channel::Sms]);
    assert!(shop.public_key.is_none() && shop.secrets.is_empty() && shop.sender.is_none());
}

#[test]
fn a_site_keeps_to_the_bounds_of_every_policy() {
    let bounds = [
        ("code_length", 4, 10),
        ("lifetime", 30, 900),
        ("window", 300, 86_400),
        ("checks", 1, 10),
        ("sends", 1, 10),
        ("live_codes", 1, 2),
    ];
    for (key, low, high) in bounds {
        let text = |value| format!("[[sites]]\nname = \"shop\"\npolicy.{key} = {value}\n");
        for good in [low, high] {
            assert!(load(&text(good)).is_ok(), "{key} = {good}");
        }
        for bad in [low - 1, high + 1] {
            let problems = problems_with(&text(bad), &[]);
            assert_eq!(problems.len(), 1, "{key} = {bad}: {problems:#?}");
            assert!(problems[0].starts_with(&format!("sites.shop.policy.{key}: must be")));
        }
    }
}

#[test]
fn a_daily_risk_stays_within_its_bounds_and_is_warned_of_above_the_default() {
    let text = |value| format!("[[sites]]\nname = \"shop\"\npolicy.daily_risk = {value}\n");
    for (good, warned) in [("1e-6", false), ("0.00002", false), ("2.1e-5", true), ("1e-3", true)] {
        let warnings = load(&text(good)).unwrap().warnings();
        let has_warning =
            warnings.iter().any(|warning| warning.contains("policy.daily_risk above"));
        assert_eq!(has_warning, warned, "{good}: {warnings:?}");
    }
    for bad in ["0.0", "9e-7", "0.0011", "1.0", "nan", "-2e-5"] {
        let problems = problems_with(&text(bad), &[]);
        assert_eq!(problems.len(), 1, "{bad}: {problems:#?}");
        let start = "sites.shop.policy.daily_risk: must be from 0.000001 to 0.001, not ";
        assert!(problems[0].starts_with(start), "{problems:?}");
    }
    assert_eq!(problems_with(&text("2"), &[]).len(), 1);
}

#[test]
fn a_code_length_that_the_daily_risk_does_not_allow_is_warned_of() {
    let warnings = |server: &str, site: &str| {
        let text = format!("{server}\n[[sites]]\nname = \"shop\"\n{site}\n");
        let warnings = load(&text).unwrap().warnings();
        warnings.into_iter().filter(|warning| warning.contains("code_length")).collect::<Vec<_>>()
    };
    let short = "policy.code_length = 5";
    assert_eq!(warnings("", ""), [""; 0]);
    assert!(warnings("", short)[0].starts_with("site shop has a policy.code_length"));
    let server = warnings(short, "");
    assert!(server.len() == 1 && server[0].starts_with("policy.code_length is 5"), "{server:?}");
    // The site inherits the length, and not the risk that allows it.
    let risky = "policy.code_length = 5\npolicy.daily_risk = 1e-3";
    assert_eq!(warnings(risky, ""), [""; 0]);
    assert!(warnings(risky, "policy.daily_risk = 2e-5")[0].starts_with("site shop has"));
}

#[test]
fn sites_stand_in_the_file_alone() {
    for name in ["LATCHKEY_SITES", "LATCHKEY_SITES__SHOP__NAME", "LATCHKEY_SITES_NAME"] {
        let problems = problems_with("", &[(name, "shop")]);
        assert!(problems[0].contains("can only be set in the configuration file"), "{problems:?}");
    }
    assert!(
        problems_with("", &[("LATCHKEY_SITES_FOR_TEST", "true")])[0].contains("sites_for_tests?")
    );
    for text in ["[sites]\nname = \"shop\"\n", "sites = [1]\n", "sites = \"shop\"\n"] {
        assert_eq!(
            problems_with(text, &[]),
            ["sites: must be written as [[sites]], one table for each site"]
        );
    }
}

#[test]
fn test_recipients_have_codes_of_the_right_length_and_one_spelling() {
    let listed =
        |pairs: &str| format!("[[sites]]\nname = \"shop\"\ntest_recipients = {{ {pairs} }}\n");

    let config =
        load(&listed("\"+44 7700 900123\" = \"000000\", \"Jane@Example.com\" = \"123456\""));
    let recipients = site(&config.unwrap(), "shop").test_recipients;
    let names: BTreeSet<_> = recipients.keys().map(String::as_str).collect();
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["+447700900123", "jane@example.com"]);
    assert_eq!(recipients["jane@example.com"].as_str(), "123456");

    for (pairs, message) in [
        ("\"jane@example.com\" = \"00000\"", "the code of j***@example.com must have 6 digits"),
        (
            "\"jane@example.com\" = \"000000\", \"JANE@example.com\" = \"111111\"",
            "j***@example.com is listed twice",
        ),
    ] {
        let problems = problems_with(&listed(pairs), &[]);
        assert!(problems.len() == 1 && problems[0].contains(message), "{problems:?}");
    }
}

#[test]
fn development_has_a_demo_and_sites_for_tests_with_keys_that_everybody_knows() {
    let config = load("[policy]\ncode_length = 8\n").unwrap();

    assert_eq!(config.sites.first().name, builtin::DEMO);
    assert_eq!(config.sites.with_secret("lk_sec_demo").unwrap().name, builtin::DEMO);
    for (word, name) in [
        ("approve", "test-approve"),
        ("incorrect", "test-incorrect"),
        ("undeliverable", "test-undeliverable"),
        ("limited", "test-limited"),
    ] {
        let found = config.sites.with_public_key(&format!("lk_pub_test_{word}")).unwrap();
        assert_eq!(found.name, name);
        assert_eq!(config.sites.with_secret(&format!("lk_sec_test_{word}")).unwrap().name, name);
        assert_eq!(found.policy.code_length(), 6, "test suites rely on six zeros");
        assert!(found.origin("http://localhost:3001").is_some());
    }
    assert!(config.warnings().is_empty(), "{:?}", config.warnings());
}

#[test]
fn production_knows_no_key_that_everybody_knows_unless_it_is_asked_to() {
    let config = load_with("", &PRODUCTION).unwrap();
    let demo = site(&config, builtin::DEMO);
    assert!(demo.public_key.is_none() && demo.secrets.is_empty());
    assert!(demo.origins.is_empty() && demo.return_urls.is_empty());
    assert_eq!(config.sites.all().count(), 1);

    let text = "sites_for_tests = true\ntest_origins = [\"http://127.0.0.1:8080\", \
                \"https://staging.shop.example\"]\n";
    let config = load_with(text, &PRODUCTION).unwrap();
    assert!(config.sites.with_secret("lk_sec_demo").is_none());
    let approve = config.sites.with_secret("lk_sec_test_approve").unwrap();
    assert_eq!((approve.origins.len(), approve.return_urls.len()), (2, 0));
    assert!(config.warnings()[0].contains("are public"), "{:?}", config.warnings());

    let text = "sites_for_tests = true\ntest_origins = [\"http://shop.example\"]\n";
    let problems = problems_with(text, &PRODUCTION);
    assert!(problems[0].contains("must begin with https:// in production, unless"), "{problems:?}");
}

#[test]
fn a_configured_demo_takes_the_place_of_the_built_in_one() {
    let config = load("[[sites]]\nname = \"demo\"\nbrand.name = \"Example\"\n").unwrap();

    assert_eq!(config.sites.first().brand.name, "Example");
    assert!(config.sites.with_secret("lk_sec_demo").is_none());
    assert!(config.sites.with_public_key("lk_pub_demo").is_none());
    for name in ["test-", "test-approve", "test-mine"] {
        let problems = problems_with(&format!("[[sites]]\nname = \"{name}\"\n"), &[]);
        assert!(problems[0].contains("must not begin with \"test-\""), "{problems:?}");
    }
}

/// S8: neither `Debug` nor the defaults tell who may sign in how.
#[test]
fn nothing_secret_of_a_site_is_shown() {
    let shown = format!("{:?}", load(WHOLE).unwrap());
    assert!(!shown.to_lowercase().contains("reviewer") && !shown.contains("00000000"), "{shown}");
}

/// A copy of the example in the documents works.
#[test]
fn the_example_of_the_documents_is_accepted() {
    let page = include_str!("../../../../../docs/CONFIGURATION.md");
    let example = page.split("```").find(|block| block.contains("[[sites]]\nname")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("brand")).unwrap();
    std::fs::write(directory.path().join("brand/shop.svg"), "<svg></svg>").unwrap();
    let file = directory.path().join("latchkey.toml");
    std::fs::write(file, example.trim_start_matches("toml")).unwrap();

    let config = Config::load(&Sources {
        directory: directory.path().into(),
        environment: PRODUCTION.into_iter().collect(),
        file: None,
    });

    let shop = site(&config.unwrap(), "shop");
    assert_eq!((shop.test_recipients.len(), shop.policy.code_length()), (1, 8));
}

#[test]
fn a_voice_is_chosen_by_a_language_with_its_region() {
    let problem = problem_with("messages = \"calls\"");
    assert!(
        problem
            .ends_with("call-language of en.ftl must be a language with its region, such as de-AT")
    );
}

#[test]
fn own_texts_are_needed_for_the_channels_of_the_site_alone() {
    let text = |lines: &str| format!("[[sites]]\nname = \"shop\"\n{lines}\n");
    let problems =
        problems_with(&text("channels = [\"email\"]\nmessages = \"wrong\""), &PRODUCTION);
    let about = |start: &str| problems.iter().filter(|problem| problem.contains(start)).count();
    assert_eq!(about("sms-text does not contain { $code }"), 1, "{problems:#?}");
    assert_eq!(about("is missing; sv is not a built-in language"), 7, "{problems:#?}");
    assert_eq!(about(": sms-"), 1, "the site sends no texts in Swedish: {problems:#?}");
}
