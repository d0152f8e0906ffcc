//! Values that are accepted, values that are refused, and the messages.

mod layers;
mod mode;
mod providers;
mod values;

use std::time::Duration;

use secrecy::ExposeSecret;

use otp::{Channel, limits::Limits, quota::Quota, risk::Risk};

use super::*;
use crate::delivery::{KindSettings, SmtpSecurity, SmtpSettings, TwilioSettings};

/// Thirty-two bytes in base64.
const SECRET: &str = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=";

/// The minimum that production needs.
const PRODUCTION: [(&str, &str); 4] = [
    ("LATCHKEY_SERVER__MODE", "production"),
    ("LATCHKEY_SERVER__PUBLIC_ORIGIN", "https://otp.example.com"),
    ("LATCHKEY_KEYS__SECRETS", SECRET),
    ("SMTP_URL", "smtps://otp%40example.com:p%23w@mail.example.com"),
];

fn load(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    Config::load(&Sources {
        directory: directory.path().into(),
        environment: variables.iter().copied().collect(),
        file: None,
    })
}

fn load_file(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("latchkey.toml"), text).unwrap();
    Config::load(&Sources {
        directory: directory.path().into(),
        environment: variables.iter().copied().collect(),
        file: None,
    })
}

/// The settings of the mail server.
fn smtp(config: &Config) -> SmtpSettings {
    let found = config.providers.iter().find_map(|provider| match &provider.kind {
        KindSettings::Smtp(smtp) => Some(smtp.clone()),
        _ => None,
    });
    found.expect("a mail server is configured")
}

/// The settings of the Twilio account.
fn twilio(config: &Config) -> TwilioSettings {
    let found = config.providers.iter().find_map(|provider| match &provider.kind {
        KindSettings::Twilio(twilio) => Some(twilio.clone()),
        _ => None,
    });
    found.expect("an account is configured")
}

/// The problems with some variables, one a line, as the operator reads them.
fn problems(variables: &[(&str, &str)]) -> Vec<String> {
    load(variables).unwrap_err().problems.iter().map(ConfigProblem::to_string).collect()
}

/// The one problem that a variable causes in development.
fn problem_with(name: &str, value: &str) -> String {
    let mut problems = problems(&[(name, value)]);
    assert_eq!(problems.len(), 1, "{name}={value}: {problems:?}");
    problems.remove(0)
}

#[test]
fn development_needs_no_configuration_at_all() {
    let config = load(&[]).unwrap();

    assert_eq!(config.server.mode, Mode::Development);
    assert_eq!(config.server.bind.to_string(), "127.0.0.1:3000");
    assert_eq!(config.server.origin(config.server.bind).as_str(), "http://127.0.0.1:3000");
    assert!(config.store.ends_with("data/latchkey.db"));
    assert!(config.keys.file.ends_with("data/latchkey.keys"));
    assert!(config.keys.may_generate);
    for channel in Channel::ALL {
        assert_eq!(config.delivery.of(*channel), ["inbox"]);
    }
    assert_eq!(config.delivery.channels, [Channel::Email, Channel::Sms]);
    assert_eq!(config.log.format, LogFormat::Text);
    assert!(config.warnings().is_empty());
}

#[test]
fn the_defaults_are_those_of_the_design() {
    let config = load(&[]).unwrap();
    let seconds = |list: &[u64]| list.iter().copied().map(Duration::from_secs).collect::<Vec<_>>();

    assert_eq!(
        config.policy,
        Draft {
            code_length: 6,
            lifetime: Duration::from_secs(300),
            window: Duration::from_secs(900),
            checks: 5,
            sends: 5,
            resend_waits: seconds(&[30, 40, 60, 90, 120]),
            live_codes: 2,
            daily_risk: Risk::DEFAULT,
        }
    );
    let quota = |limit, seconds| Quota { limit, per: Duration::from_secs(seconds) };
    assert_eq!(
        config.limits,
        Limits {
            recipient_sends_short: quota(5, 600),
            recipient_sends_long: quota(10, 3600),
            recipient_wrong_checks: quota(30, 24 * 3600),
            caller_sends: quota(30, 300),
            caller_checks: quota(60, 60),
            cool_down: Duration::from_secs(24 * 3600),
        }
    );
}

#[test]
fn secrets_can_come_from_files() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.into_os_string().into_string().unwrap()
    };

    let config = load(&[
        ("TWILIO_AUTH_TOKEN_FILE", &write("token", "abc\n")),
        ("TWILIO_SID", "AC1"),
        ("SENDER_NUMBER", "Example"),
        ("LATCHKEY_SMTP__PASSWORD_FILE", &write("password", "pass word\n")),
        ("LATCHKEY_SMTP__HOST", "mail.example.com"),
        ("LATCHKEY_SMTP__USERNAME", "otp@example.com"),
        ("LATCHKEY_KEYS__SECRETS_FILE", &write("keys", &format!("{SECRET}\n{SECRET}\n"))),
    ])
    .unwrap();

    assert_eq!(twilio(&config).auth_token.expose_secret(), "abc");
    assert_eq!(smtp(&config).credentials.unwrap().1.expose_secret(), "pass word");
    assert_eq!(config.keys.given.unwrap().secrets().count(), 2);
    let missing = problem_with("SMTP_URL_FILE", "/nowhere/at/all");
    assert!(missing.contains("/nowhere/at/all cannot be read"), "{missing}");
    // Only secrets have a _FILE variable.
    assert!(problem_with("LATCHKEY_PAGE__BRAND_FILE", "x").contains("unknown key"));
}

/// S8: neither `Debug` nor a report of problems holds a secret.
#[test]
fn nothing_secret_is_shown() {
    let config = load(&[
        ("SMTP_URL", "smtp://me:hunter2@mail.example.com?from=a@b.example"),
        ("TWILIO_SID", "AC1"),
        ("TWILIO_AUTH_TOKEN", "hunter2"),
        ("SENDER_NUMBER", "Example"),
        ("RECIPIENT_NUMBER", "hunter2@example.com"),
        // Personal rather than secret, and shown masked for that reason.
        ("LATCHKEY_KEYS__SECRETS", SECRET),
    ]);
    let shown = format!("{:?}", config.unwrap());
    assert!(!shown.contains("hunter2") && !shown.contains(SECRET), "{shown}");

    let environment: Environment = [("SMTP_URL", "hunter2")].into_iter().collect();
    assert_eq!(format!("{environment:?}"), "{\"SMTP_URL\"}");

    let broken = problems(&[
        ("SMTP_URL", "http://me:hunter2@mail.example.com"),
        ("LATCHKEY_KEYS__SECRETS", "hunter2"),
        ("LATCHKEY_SMTP__PASSWORD", "hunter2"),
    ]);
    assert!(broken.len() == 2 && !broken.join("\n").contains("hunter2"), "{broken:#?}");
}

/// `default.toml` and `site.toml` are the reference, so every key in them takes effect.
#[test]
fn every_key_of_the_reference_is_read_and_documented() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("latchkey.toml");
    let text = "[[sites]]\nname = \"shop\"\n\
                [[providers]]\nname = \"g\"\nkind = \"http\"\n\
                [[providers]]\nname = \"g\"\nkind = \"webhook\"\n";
    std::fs::write(&file, text).unwrap();
    let sources = Sources {
        environment: [("SMTP_URL", "smtp://h?from=a@b.example"), ("TWILIO_SID", "AC1")]
            .into_iter()
            .collect(),
        file: Some(file),
        ..Sources::default()
    };
    let mut layers = super::layers::read(&sources);
    // The sections of a provider that other sections describe.
    let is_own = |name: &String| !name.contains("g.smtp.") && !name.contains("g.twilio.");
    let names = layers.server.names().into_iter().chain(layers.sites[0].names());
    let of_provider = layers.providers[0].settings.names().into_iter().filter(is_own);
    let names = names.chain(of_provider).collect::<Vec<_>>();
    Config::read(&mut layers, &sources.directory);

    let used = &layers.server.used;
    let unread: Vec<_> = names.iter().filter(|name| !used.contains(*name)).collect();
    assert!(unread.is_empty(), "{unread:?}");
    let general =
        |name: &String| name.replace("sites.shop.", "sites.").replace("providers.g.", "providers.");
    let keys: Vec<_> = names.iter().map(general).collect();

    let page = include_str!("../../../../docs/CONFIGURATION.md");
    let documented: Vec<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.strip_suffix("` |")?.split_once("` | `"))
        .flat_map(|(section, keys)| keys.split("`, `").map(move |key| format!("{section}.{key}")))
        .map(|key| key.trim_start_matches("(none).").to_owned())
        .collect();
    let undocumented: Vec<_> = keys.iter().filter(|key| !documented.contains(key)).collect();
    assert!(undocumented.is_empty(), "{undocumented:?}");
    let unknown: Vec<_> = documented.iter().filter(|key| !keys.contains(key)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn s33_work_is_asked_for_above_the_configured_rates_unless_it_is_switched_off() {
    let work = |settings: &[(&str, &str)]| {
        load(settings).unwrap().work.map(|rates| (rates.network, rates.server))
    };
    assert_eq!(work(&[]), Some((10, 600)));
    assert_eq!(work(&[("LATCHKEY_WORK__NETWORK_SENDS_PER_5_MINUTES", "25")]), Some((25, 600)));
    assert_eq!(work(&[("LATCHKEY_WORK__ENABLED", "false")]), None);
    let problem = problem_with("LATCHKEY_WORK__SERVER_SENDS_PER_5_MINUTES", "0");
    let expected = "work.server_sends_per_5_minutes: must be from 1 to 1000000, not 0";
    assert!(problem.starts_with(expected), "{problem}");
}

/// A site inherits the server's policy, so both files have the same keys.
#[test]
fn the_policy_of_a_site_has_the_keys_and_defaults_of_the_servers() {
    let policy = |text: &str| text.parse::<toml::Table>().unwrap()["policy"].clone();
    assert_eq!(policy(include_str!("../site.toml")), policy(include_str!("../default.toml")));
}

#[test]
fn events_are_posted_to_public_addresses_unless_others_are_listed() {
    let development = load(&[]).unwrap().webhook;
    assert_eq!((development.allowed_networks.len(), development.https_only), (0, false));
    assert!(load(&PRODUCTION).unwrap().webhook.https_only);

    let listed = ("LATCHKEY_WEBHOOK__ALLOWED_NETWORKS", "10.0.0.0/8, 192.0.2.7,::1");
    let networks = load(&[listed]).unwrap().webhook.allowed_networks;
    let networks: Vec<_> = networks.iter().map(ToString::to_string).collect();
    assert_eq!(networks, ["10.0.0.0/8", "192.0.2.7/32", "::1/128"]);

    let problem = problem_with("LATCHKEY_WEBHOOK__ALLOWED_NETWORKS", "localhost");
    assert!(problem.starts_with("webhook.allowed_networks: item 1 must be a network"), "{problem}");
}
