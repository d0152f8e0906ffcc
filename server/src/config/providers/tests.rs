//! Providers that are accepted, and those that are refused.

use otp::Channel;
use secrecy::ExposeSecret;

use super::preset;
use crate::{
    config::{Config, ConfigError, ConfigProblem, Sources},
    delivery::{Kind, KindSettings, http::HttpSettings},
};

fn load(file: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("latchkey.toml"), file).unwrap();
    Config::load(&Sources {
        directory: directory.path().into(),
        environment: variables.iter().copied().collect(),
        file: None,
    })
}

fn problems(file: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let error = load(file, variables).unwrap_err();
    error.problems.iter().map(ConfigProblem::to_string).collect()
}

/// The settings of the only provider.
fn http(config: &Config) -> &HttpSettings {
    match &config.providers[..] {
        [only] => match &only.kind {
            KindSettings::Http(http) => http,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

const CONTENT: &str = "HX00000000000000000000000000000001";

const TWO: &str = r#"
    [[providers]]
    name = "backup"
    kind = "smtp"
    smtp = { host = "mail.example.com", from = "otp@example.com" }

    [[providers]]
    name = "own-gateway"
    kind = "webhook"
    countries = ["GB", "IE"]
    webhook.url = "https://gateway.example/send"
"#;

#[test]
fn providers_come_in_the_order_of_the_file_behind_the_sections() {
    let config = load(TWO, &[("SMTP_URL", "smtp://first.example?from=a@b.example")]).unwrap();
    assert_eq!(config.delivery.of(Channel::Email), ["smtp", "backup", "own-gateway"]);
    assert_eq!(config.delivery.of(Channel::Sms), ["own-gateway"]);
    let gateway = config.providers.iter().find(|provider| provider.name == "own-gateway").unwrap();
    let countries: Vec<_> = gateway.countries.iter().map(ToString::to_string).collect();
    assert_eq!(countries, ["GB", "IE"]);

    let order = [("LATCHKEY_DELIVERY__EMAIL", "own-gateway,backup")];
    assert_eq!(load(TWO, &order).unwrap().delivery.of(Channel::Email), ["own-gateway", "backup"]);
}

#[test]
fn channels_of_a_provider_can_be_fewer_than_its_kind_carries() {
    let file = TWO.replace("countries = ", "channels = [\"sms\"]\ncountries = ");
    let config = load(&file, &[]).unwrap();
    assert_eq!(
        (config.delivery.of(Channel::Email), config.delivery.of(Channel::Sms)),
        (&["backup".to_owned()][..], &["own-gateway".to_owned()][..])
    );

    let problems = problems(&file, &[("LATCHKEY_DELIVERY__EMAIL", "own-gateway,other")]);
    assert!(
        problems[0].contains("item 1 is own-gateway, which does not carry email"),
        "{problems:?}"
    );
    assert!(problems[1].contains("item 2 must be one of: smtp, backup, inbox"), "{problems:?}");
}

#[test]
fn variables_set_keys_of_a_provider_and_secrets_come_from_files() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("password");
    std::fs::write(&path, "pass word\n").unwrap();
    let variables = [
        ("LATCHKEY_PROVIDERS__BACKUP__SMTP__USERNAME", "otp"),
        ("LATCHKEY_PROVIDERS__BACKUP__SMTP__PASSWORD_FILE", path.to_str().unwrap()),
        ("LATCHKEY_PROVIDERS__OWN_GATEWAY__WEBHOOK__TIMEOUT", "7"),
    ];
    let config = load(TWO, &variables).unwrap();
    let [backup, gateway] = &config.providers[..] else { panic!("two") };
    let KindSettings::Smtp(smtp) = &backup.kind else { panic!("{backup:?}") };
    let (username, password) = smtp.credentials.clone().unwrap();
    assert_eq!((&*username, password.expose_secret()), ("otp", "pass word"));
    let KindSettings::Webhook(webhook) = &gateway.kind else { panic!("{gateway:?}") };
    assert_eq!(webhook.timeout.as_secs(), 7);

    let unknown = problems(TWO, &[("LATCHKEY_PROVIDERS__OTHER__SMTP__HOST", "h")]);
    assert!(unknown[0].contains("does not name in [[providers]]"), "{unknown:?}");
    let unknown = problems(TWO, &[("LATCHKEY_PROVIDERS__BACKUP__SMTP__HOTS", "h")]);
    assert!(unknown[0].starts_with("providers.backup.smtp.hots: unknown key"), "{unknown:?}");
}

#[test]
fn all_problems_are_told_at_once_each_with_its_place() {
    let file = r#"
        [[providers]]
        name = "Bad Name"
        kind = "pigeon"

        [[providers]]
        name = "a"
        kind = "smtp"
        channels = ["sms"]
        countries = ["XX"]
        http.token = "t"

        [[providers]]
        name = "a"
        kind = "http"
        http.url = "https://gateway.example/{to}?u={username}"
        http.auth = "basic"
        http.accepted = ["2xx"]
        http.form = { To = "{too}" }
        http.headers = { Host = "x", "X-Text" = "{text}" }

        [[providers]]
        name = "b"
        kind = "http"
        channels = ["sms"]
        http.preset = "nobody"
        http.url = "https://gateway.example/"
        http.json = '{"text": "{text}"'
    "#;
    let problems = problems(file, &[]);
    for expected in [
        "providers[1].name: must be 1 to 32 characters",
        "providers[1].kind: must be one of: smtp, twilio, webhook, http, inbox",
        "providers.a.countries: item 1 must be the two letters",
        "providers.a.channels: item 1 must be one of: email (from",
        "providers.a.http.token: is for the kind http, and this is smtp",
        "providers.a.name: is the name of another provider",
        "providers.a.channels: is missing: some of email, sms, whatsapp, voice",
        "providers.a.http.username: is missing, but http.auth needs it",
        "providers.a.http.password: is missing",
        "providers.a.http.url: must not hold {to}",
        "providers.a.http.headers: \"Host\" is set by the request itself",
        "providers.a.http.headers: \"X-Text\" must not hold {text}",
        "providers.a.http.form: \"To\" has a placeholder that is none of",
        "providers.a.http.accepted: item 1 must be a status",
        "providers.b.http.preset: must be one of: vonage, plivo, telnyx",
        "providers.b.http.json: is not valid JSON: line 1",
    ] {
        assert!(
            problems.iter().any(|problem| problem.starts_with(expected)),
            "{expected}: {problems:#?}"
        );
    }
}

/// The problems of a gateway for these channels with these keys.
fn of_gateway(channels: &str, keys: &str) -> Vec<String> {
    let file = format!(
        "[[providers]]\nname = \"a\"\nkind = \"http\"\nchannels = [{channels}]\n[providers.http]\n{keys}"
    );
    load(&file, &[]).err().map_or_else(Vec::new, |error| {
        error.problems.iter().map(ConfigProblem::to_string).collect()
    })
}

const FINE: &str =
    "url = \"https://gateway.example/\"\njson = '{\"to\": \"{to}\", \"text\": \"{text}\"}'\n";

#[test]
fn a_gateway_whose_answers_cannot_be_judged_is_refused() {
    assert_eq!(of_gateway("\"sms\"", FINE), [""; 0]);
    for key in ["accepted_values", "transient_values", "account_values"] {
        let problems = of_gateway("\"sms\"", &format!("{FINE}{key} = [\"true\"]"));
        let expected = format!("providers.a.http.{key}: has values, but http.field");
        assert!(problems.len() == 1 && problems[0].starts_with(&expected), "{problems:?}");
    }
    let none = of_gateway("\"sms\"", &format!("{FINE}accepted = []"));
    assert!(none[0].starts_with("providers.a.http.accepted: must list a status"), "{none:?}");
    let by_value = format!("{FINE}accepted = []\nfield = \"/ok\"\naccepted_values = [\"true\"]");
    assert_eq!(of_gateway("\"sms\"", &by_value), [""; 0]);
}

#[test]
fn a_gateway_whose_messages_could_not_arrive_is_refused() {
    let url = "url = \"https://gateway.example/\"\n";
    for (body, expected) in [
        ("form = { a = \"{text}\" }", "providers.a.http.form: must hold {to} or {to_plain}"),
        ("form = { a = \"{to}\" }", "providers.a.http.form: must hold {text}, {code} or {html}"),
        ("form = { \"{to}\" = \"{text}\" }", "providers.a.http.form: \"{to}\" has a brace"),
        ("json = '[\"{to_plain}\"]'", "providers.a.http.json: must hold {text}, {code} or {html}"),
        ("json = '{\"{to}\": \"{text}\"}'", "providers.a.http.json: has a brace in a name"),
    ] {
        let problems = of_gateway("\"sms\"", &format!("{url}{body}"));
        assert!(problems[0].starts_with(expected), "{body}: {problems:?}");
    }
}

#[test]
fn the_sender_of_a_gateway_is_read_by_its_channel() {
    let with = |sender: &str| {
        let json = "json = '{\"from\": \"{from}\", \"to\": \"{to}\", \"text\": \"{text}\"}'";
        format!("url = \"https://gateway.example/\"\n{json}\nsender = \"{sender}\"")
    };
    for (channel, sender) in [
        ("\"email\"", "otp@example.com"),
        ("\"email\"", "Example <otp@example.com>"),
        ("\"sms\"", "+44 20 7946 0001"),
    ] {
        assert_eq!(of_gateway(channel, &with(sender)), [""; 0], "{sender}");
    }
    for (channel, sender, expected) in [
        ("\"email\"", "+442079460001", "must be a sender such as"),
        ("\"sms\"", "otp@example.com", "must be a number"),
        ("\"sms\", \"email\"", "+442079460001", "is for mail or for phones only"),
    ] {
        let problems = of_gateway(channel, &with(sender));
        let expected = format!("providers.a.http.sender: {expected}");
        assert!(problems[0].starts_with(&expected), "{sender}: {problems:?}");
    }
}

#[test]
fn gateways_at_private_addresses_are_refused_unless_they_are_listed() {
    for url in ["http://127.0.0.1/", "http://10.0.0.1/", "http://[::1]/"] {
        let http = FINE.replace("https://gateway.example/", url);
        let problems = of_gateway("\"sms\"", &http);
        assert!(problems[0].contains("webhook.allowed_networks can allow it"), "{problems:?}");
        let own =
            format!("[[providers]]\nname = \"a\"\nkind = \"webhook\"\nwebhook.url = \"{url}\"");
        assert!(load(&own, &[]).is_err());
        let networks = [("LATCHKEY_WEBHOOK__ALLOWED_NETWORKS", "127.0.0.0/8,10.0.0.0/8,::1/128")];
        assert!(load(&own, &networks).is_ok());
    }
}

#[test]
fn the_name_of_the_inbox_is_its_own() {
    let named = |kind: &str| format!("[[providers]]\nname = \"inbox\"\n{kind}");
    assert!(load(&named("kind = \"inbox\""), &[]).is_ok());
    let webhook = "kind = \"webhook\"\nwebhook.url = \"https://gateway.example/\"";
    let taken = problems(&named(webhook), &[]);
    assert!(taken[0].starts_with("providers.inbox.name: is the name of the inbox"), "{taken:?}");
}

#[test]
fn a_provider_without_its_settings_is_told_so() {
    for kind in ["smtp", "twilio", "webhook", "http"] {
        let problems = problems(
            &format!("[[providers]]\nname = \"a\"\nkind = \"{kind}\"\nchannels = []"),
            &[],
        );
        let starts = format!("providers.a.{kind}");
        assert!(
            problems.iter().any(|problem| problem.starts_with(&starts)),
            "{kind}: {problems:?}"
        );
    }
}

#[test]
fn production_refuses_the_inbox_and_plain_http() {
    let production = [
        ("LATCHKEY_SERVER__MODE", "production"),
        ("LATCHKEY_SERVER__PUBLIC_ORIGIN", "https://otp.example.com"),
        ("LATCHKEY_KEYS__SECRETS", "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="),
    ];
    assert!(load(TWO, &production).is_ok(), "no section is needed");
    let inbox = problems("[[providers]]\nname = \"a\"\nkind = \"inbox\"", &production);
    assert!(inbox[0].starts_with("providers.a.kind: is inbox, which shows codes"), "{inbox:?}");
    let plain = problems(&TWO.replace("https", "http"), &production);
    assert!(
        plain[0].starts_with("providers.own-gateway.webhook.url: must begin with https"),
        "{plain:?}"
    );
}

#[test]
fn each_preset_needs_an_account_and_a_sender_and_can_be_overridden() {
    for name in preset::names() {
        let file =
            format!("[[providers]]\nname = \"a\"\nkind = \"http\"\nhttp.preset = \"{name}\"\n");
        let missing = problems(&file, &[]);
        assert!(missing.iter().all(|problem| problem.contains("is missing")), "{missing:#?}");
        assert!(missing.last().unwrap().starts_with("providers.a.http.sender"), "{missing:#?}");
        let account = "http.username = \"me\"\nhttp.password = \"p\"\nhttp.token = \"t\"\n\
                       http.sender = \"+442079460001\"\nhttp.senders = { US = \"+12025550123\" }\n";
        let config = load(&format!("{file}{account}http.timeout = 3\n"), &[]).unwrap();
        assert_eq!(
            (config.delivery.of(Channel::Sms), config.delivery.of(Channel::Email)),
            (&["a".to_owned()][..], &["inbox".to_owned()][..])
        );
        let config =
            load(&format!("{file}{account}http.url = \"https://proxy.example/\"\n"), &[]).unwrap();
        assert_eq!(http(&config).url.as_str(), "https://proxy.example/");
    }
}

#[test]
fn a_gateway_of_before_is_asked_for_mail_and_texts_only() {
    let config = load(TWO, &[]).unwrap();
    for channel in [Channel::Voice, Channel::Whatsapp] {
        assert_eq!(config.delivery.of(channel), ["inbox"], "{channel:?}");
    }
    let file = TWO.replace("countries = ", "channels = [\"voice\", \"sms\"]\ncountries = ");
    let config = load(&file, &[]).unwrap();
    assert_eq!(config.delivery.of(Channel::Voice), ["own-gateway"]);
    assert_eq!(config.delivery.of(Channel::Email), ["backup"]);
}

#[test]
fn channels_that_a_provider_cannot_carry_are_refused() {
    let account =
        "twilio = { account_sid = \"AC1\", auth_token = \"t\", sender_number = \"Shop\" }\n";
    let gateway =
        "http = { preset = \"plivo\", username = \"u\", password = \"p\", sender = \"Shop\" }\n";
    for (kind, channels, more, problem) in [
        (
            "twilio",
            "\"voice\"",
            account,
            "providers.a.twilio.voice_sender: is missing, but channels",
        ),
        ("twilio", "\"whatsapp\"", account, "providers.a.twilio.whatsapp_sender: is missing"),
        ("twilio", "\"email\"", account, "item 1 must be one of: sms, whatsapp, voice"),
        ("http", "\"voice\"", gateway, "providers.a.channels: item 1 must be one of: sms"),
    ] {
        let file = format!(
            "[[providers]]\nname = \"a\"\nkind = \"{kind}\"\nchannels = [{channels}]\n{more}"
        );
        let problems = problems(&file, &[]);
        assert!(problems.iter().any(|found| found.contains(problem)), "{kind}: {problems:#?}");
    }
}

#[test]
fn templates_and_callers_of_some_countries_are_read_with_their_place() {
    let file = |templates: &str, callers: &str| {
        format!(
            "[twilio]\nwhatsapp_sender = \"+442079460002\"\nwhatsapp_content = \"{CONTENT}\"\n\
             voice_sender = \"+442079460003\"\n[twilio.whatsapp_contents]\n{templates}\n\
             [twilio.voice_senders]\n{callers}\n"
        )
    };
    let account = [("TWILIO_SID", "AC1"), ("TWILIO_AUTH_TOKEN", "t")];
    let good = file(&format!("pt-BR = \"{CONTENT}\""), "US = \"+1 202 555 0123\"");
    let config = load(&good, &account).unwrap();
    let KindSettings::Twilio(twilio) = &config.providers[0].kind else { panic!("twilio") };
    assert!(twilio.whatsapp.as_ref().unwrap().contents.contains_key("pt-br"));
    assert_eq!(twilio.voice.as_ref().unwrap().senders.0.len(), 1);

    let bad = file(&format!("\"no language\" = \"{CONTENT}\"\nde = \"HX\""), "US = \"Shop\"");
    let problems = problems(&bad, &account);
    for expected in [
        "twilio.whatsapp_contents: \"no language\" is not a language",
        "twilio.whatsapp_contents: \"de\" must be the SID of a content template",
        "twilio.voice_senders: \"US\" must be a number with its country code",
    ] {
        assert!(problems.iter().any(|problem| problem.starts_with(expected)), "{problems:#?}");
    }
}

#[test]
fn senders_of_countries_are_read_with_their_place() {
    let variables = [("TWILIO_SID", "AC1"), ("TWILIO_AUTH_TOKEN", "t"), ("SENDER_NUMBER", "Shop")];
    let config = load("[twilio.senders]\nGB = \"+442079460001\"", &variables).unwrap();
    assert_eq!(config.providers.len(), 1);
    let problems = problems("[twilio.senders]\nGB = \"?\"\nXX = \"+442079460001\"", &variables);
    assert!(problems[0].starts_with("twilio.senders: \"GB\" must be a number"), "{problems:?}");
    assert!(
        problems[1].starts_with("twilio.senders: \"XX\" is not the two letters"),
        "{problems:?}"
    );
}

#[test]
fn countries_that_no_provider_is_for_are_warned_about() {
    let sms = |countries: &str| {
        // The inbox of development takes mail only.
        let file = format!("[sms]\ncountries = {countries}\n{TWO}");
        let warnings = load(&file, &[]).unwrap().warnings();
        warnings
            .into_iter()
            .filter(|warning| warning.contains("no provider is for"))
            .collect::<Vec<_>>()
    };
    assert_eq!(sms("[\"GB\", \"IE\"]"), [""; 0]);
    assert!(sms("[\"GB\", \"US\", \"FR\"]")[0].ends_with("refused: FR, US"));
    assert!(sms("[\"*\"]")[0].ends_with("refused: *"));
}

/// S8
#[test]
fn s8_neither_debug_nor_problems_show_secrets_of_providers() {
    let file = "[[providers]]\nname = \"a\"\nkind = \"http\"\nhttp.preset = \"vonage\"\nhttp.username = \"me\"\n\
                http.password = \"hunter2\"\nhttp.token = \"hunter3\"\nhttp.sender = \"Shop\"\n";
    let shown = format!("{:?}", load(file, &[]).unwrap());
    assert!(!shown.contains("hunter"), "{shown}");
    let broken = problems(&file.replace("hunter2", "hunter\\n2"), &[]);
    assert!(!broken.join(" ").contains("hunter"), "{broken:?}");
}

#[test]
fn every_kind_has_a_word_of_its_own_and_a_channel() {
    let words: std::collections::BTreeSet<_> = Kind::ALL.map(Kind::word).into();
    assert_eq!(words.len(), Kind::ALL.len());
    assert!(Kind::ALL.iter().all(|kind| !kind.channels().is_empty()));
}

#[test]
fn receipts_are_asked_of_providers_that_report_by_themselves_unless_they_are_switched_off() {
    let variables = [("SMTP_URL", "smtp://h.example?from=a@b.example"), ("TWILIO_SID", "AC1")];
    let twilio = [("TWILIO_AUTH_TOKEN", "t"), ("SENDER_NUMBER", "Shop")];
    let variables: Vec<_> = variables.into_iter().chain(twilio).collect();
    let receipts = |file: &str| -> Vec<_> {
        let config = load(file, &variables).unwrap();
        config.providers.into_iter().map(|provider| (provider.name, provider.receipts)).collect()
    };
    let of = |smtp, twilio, backup, own| {
        [("smtp", smtp), ("twilio", twilio), ("backup", backup), ("own-gateway", own)]
            .map(|(name, receipts)| (name.to_owned(), receipts))
    };
    assert_eq!(receipts(TWO), of(false, true, false, true));
    let switched = TWO
        .replace("smtp = { ", "smtp = { receipts = true, ")
        .replace("webhook.url", "webhook.receipts = false\nwebhook.url");
    let sections = "[smtp]\nreceipts = true\n[twilio]\nreceipts = false\n";
    assert_eq!(receipts(&format!("{sections}{switched}")), of(true, false, true, false));

    let file = "[[providers]]\nname = \"a\"\nkind = \"http\"\nchannels = [\"sms\"]\n\
                http.url = \"https://g.example\"\nhttp.json = '{\"t\": \"{text}\", \"to\": \"{to}\"}'\n";
    let both = format!(
        "{file}http.receipt_status = \"s\"\nhttp.receipt_delivered = [\"1\"]\nhttp.receipt_undelivered = [\"1\"]"
    );
    let problems = problems(&both, &[]);
    assert!(problems[0].contains("receipt_undelivered: has a value of"), "{problems:?}");
}
