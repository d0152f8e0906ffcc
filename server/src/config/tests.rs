//! Values that are accepted, values that are refused, and the messages.

use std::time::Duration;

use secrecy::ExposeSecret;

use otp::{limits::Limits, quota::Quota, risk::Risk};

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
    assert_eq!(config.delivery.email, ["inbox"]);
    assert_eq!(config.delivery.sms, ["inbox"]);
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
fn production_says_everything_it_misses_at_once() {
    let problems = problems(&[("LATCHKEY_SERVER__MODE", "production")]);

    let starts = ["server.public_origin: is missing", "keys.secrets: is missing", "delivery: "];
    assert_eq!(problems.len(), starts.len(), "{problems:#?}");
    for (problem, start) in problems.iter().zip(starts) {
        assert!(problem.starts_with(start), "{problem}");
    }
}

#[test]
fn production_with_everything_it_needs_is_accepted() {
    let config = load(&PRODUCTION).unwrap();

    assert_eq!(config.server.mode, Mode::Production);
    assert_eq!(config.delivery.email, ["smtp"]);
    assert_eq!(config.delivery.sms, [""; 0]);
    assert_eq!(config.log.format, LogFormat::Json);
    assert!(!config.keys.may_generate);
}

#[test]
fn production_refuses_what_is_fit_for_development_only() {
    let refused = [
        ("LATCHKEY_SERVER__PUBLIC_ORIGIN", "http://otp.example.com", "must begin with https://"),
        ("LATCHKEY_DELIVERY__EMAIL", "inbox", "refused in production"),
        ("LATCHKEY_DELIVERY__SMS", "inbox", "refused in production"),
        ("LATCHKEY_TWILIO__BASE_URL", "http://127.0.0.1:1", "must begin with https://"),
        ("LATCHKEY_ALERTS__WEBHOOK", "http://127.0.0.1:1/hooks", "must begin with https://"),
        ("LATCHKEY_KEYS__SECRETS", "dG9vIHNob3J0", "needs at least 32"),
    ];
    for (name, value, message) in refused {
        let mut variables = PRODUCTION.to_vec();
        variables.retain(|(other, _)| *other != name);
        variables.push((name, value));
        let problems = problems(&variables);
        assert_eq!(problems.len(), 1, "{name}: {problems:#?}");
        assert!(problems[0].contains(message), "{}", problems[0]);
    }
}

#[test]
fn production_reads_a_key_file_but_never_makes_one() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("data")).unwrap();
    std::fs::write(directory.path().join("data/latchkey.keys"), SECRET).unwrap();
    let variables = PRODUCTION.into_iter().filter(|(name, _)| !name.contains("KEYS"));

    let config = Config::load(&Sources {
        directory: directory.path().into(),
        environment: variables.collect(),
        file: None,
    });

    assert!(config.unwrap().keys.given.is_none());
}

#[test]
fn the_mode_follows_from_who_can_reach_the_server() {
    let mode = |variables: &[(&str, &str)]| {
        let mut all = PRODUCTION[2..].to_vec();
        all.extend_from_slice(variables);
        load(&all).map(|config| config.server.mode)
    };
    let bind = |value| ("LATCHKEY_SERVER__BIND", value);
    let origin = |value| ("LATCHKEY_SERVER__PUBLIC_ORIGIN", value);

    assert_eq!(mode(&[bind("[::1]:80")]).unwrap(), Mode::Development);
    // Behind a proxy on the same machine the inbox would show codes to the world.
    let https = origin("https://otp.example.com");
    assert_eq!(mode(&[bind("127.0.0.1:80"), https]).unwrap(), Mode::Production);
    assert_eq!(mode(&[bind("0.0.0.0:80"), https]).unwrap(), Mode::Production);
    let proxies = ("LATCHKEY_SERVER__TRUSTED_PROXIES", "127.0.0.1");
    assert_eq!(mode(&[bind("127.0.0.1:80"), proxies, https]).unwrap(), Mode::Production);
    assert!(mode(&[bind("127.0.0.1:80"), proxies]).is_err(), "production without an origin");
    let forced = mode(&[bind("0.0.0.0:80"), ("LATCHKEY_SERVER__MODE", "development")]);
    assert_eq!(forced.unwrap(), Mode::Development);
}

#[test]
fn development_that_others_can_reach_is_warned_about() {
    let config = load(&[
        ("LATCHKEY_SERVER__BIND", "0.0.0.0:80"),
        ("LATCHKEY_SERVER__MODE", "development"),
        ("LATCHKEY_SERVER__DEVELOPMENT_HOSTS", "192.168.1.5"),
        ("LATCHKEY_POLICY__LIFETIME", "601"),
    ]);

    let warnings = config.unwrap().warnings();
    assert!(warnings[0].contains("0.0.0.0:80"), "{warnings:?}");
    assert!(warnings[1].contains("inbox"), "{warnings:?}");
    assert!(warnings[2].contains("NIST"), "{warnings:?}");
}

#[test]
fn a_public_origin_that_development_does_not_answer_is_warned_about() {
    let warnings = |origin, hosts| {
        let origin = ("LATCHKEY_SERVER__PUBLIC_ORIGIN", origin);
        load(&[origin, ("LATCHKEY_SERVER__DEVELOPMENT_HOSTS", hosts)]).unwrap().warnings()
    };

    let warned = warnings("http://192.168.1.5:3000", "");
    assert!(warned.len() == 1 && warned[0].contains("does not answer"), "{warned:?}");
    let warned = warnings("http://192.168.1.5:3000", "192.168.1.5");
    assert!(warned.len() == 1 && warned[0].contains("inbox"), "{warned:?}");
    for own in ["http://localhost:3000", "http://otp.localhost", "http://[::1]:3000"] {
        assert_eq!(warnings(own, ""), [""; 0], "{own}");
    }
}

#[test]
fn s17_production_behind_a_proxy_that_is_not_listed_is_warned_about() {
    let warnings = |variable| load(&[&PRODUCTION[..], &[variable]].concat()).unwrap().warnings();

    let warned = warnings(("LATCHKEY_SERVER__BIND", "127.0.0.1:3000"));
    assert!(warned.len() == 1 && warned[0].contains("trusted_proxies is empty"), "{warned:?}");
    assert_eq!(warnings(("LATCHKEY_SERVER__TRUSTED_PROXIES", "::1")), [""; 0]);
    assert_eq!(warnings(("LATCHKEY_SERVER__BIND", "0.0.0.0:3000")), [""; 0]);
}

#[test]
fn s32_the_start_page_is_there_in_development_and_in_production_if_it_is_asked_for() {
    let has_start = |variables: &[_]| load(variables).unwrap().page.start;
    let start = |value| ("LATCHKEY_PAGE__START", value);

    assert!(has_start(&[]));
    assert!(!has_start(&[start("false")]));
    assert!(!has_start(&PRODUCTION));
    assert!(has_start(&[&PRODUCTION[..], &[start("true")]].concat()));
}

#[test]
fn s32_hosts_of_development_are_hosts_and_no_part_of_production() {
    let hosts = ("LATCHKEY_SERVER__DEVELOPMENT_HOSTS", "192.168.1.5, Desk.local,2001:DB8::1");
    let config = load(&[hosts]).unwrap();
    assert_eq!(config.server.development_hosts, ["192.168.1.5", "desk.local", "2001:db8::1"]);

    for value in ["192.168.1.5:3000", "http://desk.local", "desk local", "*", "a/b"] {
        let problem = problem_with(hosts.0, value);
        assert!(problem.contains("must be a host without port"), "{value}: {problem}");
    }
    let problems = problems(&[&PRODUCTION[..], &[hosts]].concat());
    assert!(problems[0].contains("refused in production"), "{problems:?}");
}

#[test]
fn s36_limits_on_connections_have_bounds() {
    let (all, one) =
        ("LATCHKEY_SERVER__MAX_CONNECTIONS", "LATCHKEY_SERVER__MAX_CONNECTIONS_PER_ADDRESS");

    let server = load(&[(all, "100"), (one, "16")]).unwrap().server;
    assert_eq!((server.max_connections, server.max_connections_per_address), (100, 16));
    for name in [all, one] {
        assert!(problem_with(name, "15").contains("from 16 to 1000000"));
        assert!(problem_with(name, "1000001").contains("from 16 to 1000000"));
    }
}

#[test]
fn the_environment_overrides_the_file_and_the_file_the_defaults() {
    let file = "[policy]\ncode_length = 8\nchecks = 3\n";

    let config = load_file(file, &[("LATCHKEY_POLICY__CHECKS", "4")]).unwrap();

    assert_eq!((config.policy.code_length, config.policy.checks, config.policy.sends), (8, 4, 5));
}

#[test]
fn a_variable_overrides_an_empty_list_of_numbers_in_the_file() {
    let waits = [("LATCHKEY_POLICY__RESEND_WAITS", "20,30")];

    let config = load_file("[policy]\nresend_waits = []\n", &waits).unwrap();

    assert_eq!(config.policy.resend_waits, [20, 30].map(Duration::from_secs));
}

#[test]
fn half_an_account_is_not_reported_a_second_time_as_a_missing_provider() {
    let mut variables = PRODUCTION[..3].to_vec();
    variables.push(("TWILIO_SID", "AC1"));

    let problems = problems(&variables);

    assert_eq!(problems.len(), 2, "{problems:#?}");
    assert!(problems.iter().all(|problem| problem.starts_with("twilio.")), "{problems:#?}");
}

#[test]
fn a_file_can_be_named_and_must_then_exist() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("other.toml");
    std::fs::write(&file, "[policy]\nsends = 2\n").unwrap();
    let sources = |file: Option<&str>, variable: Option<&str>| Sources {
        directory: directory.path().into(),
        environment: variable.map(|value| (CONFIG_VARIABLE, value)).into_iter().collect(),
        file: file.map(PathBuf::from),
    };
    let sends = |sources| Config::load(&sources).map(|config| config.policy.sends);

    assert_eq!(sends(sources(Some("other.toml"), None)).unwrap(), 2);
    assert_eq!(sends(sources(None, Some("other.toml"))).unwrap(), 2);
    assert_eq!(sends(sources(Some("other.toml"), Some("none.toml"))).unwrap(), 2);
    let error = sends(sources(None, Some("none.toml"))).unwrap_err().to_string();
    assert!(error.contains("none.toml") && error.contains("cannot be read"), "{error}");
}

#[test]
fn unknown_keys_are_refused_with_the_nearest_one() {
    let error = load_file("[policy]\ncode_lenght = 8\n[nonsense]\nx = 1\n", &[]).unwrap_err();
    let file = &error.problems[0];
    assert_eq!(file.key, "nonsense.x");
    assert_eq!(file.message, "unknown key");
    let typo = error.problems[1].to_string();
    assert!(typo.starts_with("policy.code_lenght: unknown key"), "{typo}");
    assert!(typo.contains("did you mean policy.code_length?"), "{typo}");
    assert!(typo.contains("latchkey.toml)"), "{typo}");

    // One underscore instead of two.
    assert_eq!(
        problem_with("LATCHKEY_POLICY_CHECKS", "3"),
        "policy_checks: unknown key; did you mean policy.checks? \
         (from environment variable LATCHKEY_POLICY_CHECKS)"
    );
}

#[test]
fn what_belongs_to_no_section_says_so_wherever_it_is_found() {
    let misplaced = "[[sites]]\nname = \"shop\"\nsites_for_tests = true\n\
                     [server]\ntest_origins = [\"https://shop.example\"]\n";
    let error = load_file(misplaced, &[]).unwrap_err();

    let of = |key: &str| error.problems.iter().find(|problem| problem.key == key).unwrap();
    for key in ["sites.shop.sites_for_tests", "server.test_origins"] {
        assert!(
            of(key).message.ends_with("stands at the top of the file, before the first section")
        );
    }
    assert!(load_file("test_origins = [\"https://shop.example\"]\n[server]\n", &[]).is_ok());
}

#[test]
fn what_kubernetes_says_about_a_service_of_our_name_is_no_key() {
    let config = load(&[
        ("LATCHKEY_SERVICE_HOST", "10.0.0.1"),
        ("LATCHKEY_SERVICE_PORT_HTTP", "3000"),
        ("LATCHKEY_PORT", "tcp://10.0.0.1:3000"),
        ("LATCHKEY_PORT_3000_TCP_ADDR", "10.0.0.1"),
    ]);

    assert!(config.is_ok());
}

#[test]
fn every_bound_is_kept_and_named() {
    let bounds = [
        ("POLICY__CODE_LENGTH", 4, 10),
        ("POLICY__LIFETIME", 30, 900),
        ("POLICY__WINDOW", 300, 86_400),
        ("POLICY__CHECKS", 1, 10),
        ("POLICY__SENDS", 1, 10),
        ("POLICY__LIVE_CODES", 1, 2),
        ("POLICY__RESEND_WAITS", 0, 3600),
        ("LIMITS__RECIPIENT_SENDS_PER_10_MINUTES", 1, 1000),
        ("LIMITS__RECIPIENT_SENDS_PER_HOUR", 1, 1000),
        ("LIMITS__RECIPIENT_WRONG_CHECKS_PER_DAY", 1, 1000),
        ("LIMITS__CALLER_SENDS_PER_5_MINUTES", 1, 1_000_000),
        ("LIMITS__CALLER_CHECKS_PER_MINUTE", 1, 1_000_000),
        ("DELIVERY__LEASE", 10, 600),
        ("DELIVERY__RETRY_FIRST", 1, 10),
        ("DELIVERY__RETRY_LONGEST", 2, 600),
        ("SERVER__REQUEST_TIMEOUT", 1, 120),
        ("SERVER__HEADER_TIMEOUT", 1, 120),
        ("SERVER__SHUTDOWN_TIMEOUT", 1, 60),
        ("SMTP__TIMEOUT", 1, 60),
        ("TWILIO__TIMEOUT", 1, 60),
        ("RETENTION__FINISHED", 0, 2_592_000),
    ];
    for (name, low, high) in bounds {
        let name = format!("LATCHKEY_{name}");
        for good in [low, high] {
            assert!(load(&[(&name, &good.to_string())]).is_ok(), "{name}={good}");
        }
        for bad in [low - 1, high + 1] {
            assert!(problem_with(&name, &bad.to_string()).contains(&name), "{name}={bad}");
        }
    }
    assert_eq!(
        problem_with("LATCHKEY_POLICY__CODE_LENGTH", "3"),
        "policy.code_length: must be from 4 to 10, not 3 \
         (from environment variable LATCHKEY_POLICY__CODE_LENGTH)"
    );
}

#[test]
fn values_that_mean_nothing_are_refused_in_words() {
    let refused = [
        ("LATCHKEY_SERVER__MODE", "test", "must be one of: auto, development, production"),
        ("LATCHKEY_SERVER__BIND", "3000", "must be an address with a port"),
        ("LATCHKEY_SERVER__PUBLIC_ORIGIN", "https://a.example/path", "scheme, host and port alone"),
        (
            "LATCHKEY_SERVER__PUBLIC_ORIGIN",
            "ftp://a.example",
            "must be scheme, host and port alone",
        ),
        ("LATCHKEY_SERVER__TRUSTED_PROXIES", "10.0.0.0/8,nginx", "item 2 must be a network"),
        ("LATCHKEY_POLICY__CHECKS", "five", "must be a whole number"),
        ("LATCHKEY_POLICY__RESEND_WAITS", "30,x", "must be a list of whole numbers"),
        ("LATCHKEY_POLICY__DAILY_RISK", "low", "must be a number with a point or an exponent"),
        ("LATCHKEY_POLICY__RESEND_WAITS", ",", "must be 1 to 10 numbers from 0 to 3600"),
        ("LATCHKEY_STARTUP__CHECK_PROVIDERS", "yes", "must be true or false"),
        ("LATCHKEY_DELIVERY__EMAIL", "twilio", "item 1 must be one of: smtp, inbox"),
        ("LATCHKEY_DELIVERY__EMAIL", "smtp", "the section [smtp] is not filled in"),
        ("LATCHKEY_DELIVERY__SMS", "inbox,inbox", "listed twice"),
        ("LATCHKEY_PAGE__DEFAULT_COUNTRY", "GBR", "two letters"),
        ("LATCHKEY_PAGE__BRAND", "A\nB", "one line"),
        ("RECIPIENT_NUMBER", "12", "must be an e-mail address or"),
        ("LATCHKEY_LOG__FORMAT", "xml", "must be one of: auto, text, json"),
        ("LATCHKEY_LOG__LEVEL", "a=b=c", "must be one of: error, warn"),
        ("LATCHKEY_SMTP__USERNAME", "me", "neither smtp.host nor smtp.url"),
    ];
    for (name, value, message) in refused {
        let problem = problem_with(name, value);
        assert!(problem.contains(message), "{name}={value}: {problem}");
    }
}

#[test]
fn a_file_with_values_of_the_wrong_kind_is_refused_in_words() {
    let error = load_file("[policy]\nchecks = \"5\"\n[smtp]\nhost = 1\n", &[]).unwrap_err();

    let messages: Vec<_> = error.problems.iter().map(|p| (&*p.key, &*p.message)).collect();
    assert_eq!(
        messages,
        [("policy.checks", "must be a whole number"), ("smtp.host", "must be a string")]
    );
}

#[test]
fn a_broken_file_is_told_by_line_and_never_quoted() {
    let error = load_file("[smtp]\npassword = \"hunter2\n", &[]).unwrap_err().to_string();

    assert!(error.contains("line 2"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn the_variables_of_older_scripts_work_as_they_are() {
    let config = load(&[
        ("TWILIO_SID", "AC00000000000000000000000000000001"),
        ("TWILIO_AUTH_TOKEN", "00000000000000000000000000000002"),
        ("SENDER_NUMBER", "+44 20 7946 0001"),
        ("RECIPIENT_NUMBER", "+442079460002"),
    ])
    .unwrap();

    let twilio = twilio(&config);
    assert_eq!(twilio.account_sid, "AC00000000000000000000000000000001");
    assert_eq!(twilio.auth_token.expose_secret(), "00000000000000000000000000000002");
    assert_eq!(twilio.sender, "+442079460001");
    assert_eq!(twilio.base_url, "https://api.twilio.com");
    assert_eq!(config.page.fixed_recipient.unwrap().address(), "+442079460002");
    assert_eq!(config.delivery.sms, ["twilio"]);
    assert_eq!(config.delivery.email, ["inbox"]);
}

#[test]
fn our_own_names_win_over_the_classic_ones() {
    let config = load(&[
        ("TWILIO_SID", "AC1"),
        ("LATCHKEY_TWILIO__ACCOUNT_SID", "AC2"),
        ("TWILIO_AUTH_TOKEN", "token"),
        ("SENDER_NUMBER", "Example"),
    ]);

    assert_eq!(twilio(&config.unwrap()).account_sid, "AC2");
}

#[test]
fn half_a_twilio_account_is_refused_by_what_is_missing() {
    let problems = problems(&[("TWILIO_SID", "SK1")]);

    assert_eq!(problems.len(), 3, "{problems:#?}");
    assert!(problems[0].contains("begins with AC"), "{problems:#?}");
    assert!(problems[1].contains("TWILIO_AUTH_TOKEN"), "{problems:#?}");
    assert!(problems[2].contains("SENDER_NUMBER"), "{problems:#?}");
}

#[test]
fn senders_are_numbers_services_or_names() {
    let load = |sender| {
        load(&[("TWILIO_SID", "AC1"), ("TWILIO_AUTH_TOKEN", "t"), ("SENDER_NUMBER", sender)])
            .map(|config| twilio(&config).sender)
    };

    for good in ["+442079460001", "MG00000000000000000000000000000001", "My Shop", "12345"] {
        assert_eq!(load(good).unwrap(), good);
    }
    for number in ["15551234567", "442079460001", "07400 123", "1234"] {
        let refused = load(number).unwrap_err().to_string();
        assert!(refused.contains("must begin with +"), "{number}: {refused}");
    }
    for bad in ["+12", "+44207946000100000", "a much too long name", "sh@p"] {
        assert!(load(bad).is_err(), "{bad}");
    }
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

#[test]
fn mail_servers_are_read_from_one_line() {
    let smtp = |url: &str| load(&[("SMTP_URL", url)]).map(|config| smtp(&config));

    let full = smtp(
        "smtp://me%40example.com:p%3A%20w%2F@mail.example.com:2525?from=A+B%20%3Ca@b.example%3E",
    );
    let full = full.unwrap();
    assert_eq!((&*full.host, full.port), ("mail.example.com", 2525));
    assert_eq!(full.security, SmtpSecurity::StartTls);
    let (username, password) = full.credentials.unwrap();
    assert_eq!((&*username, password.expose_secret()), ("me@example.com", "p: w/"));
    assert_eq!(full.from, "A B <a@b.example>");

    let tls = smtp("smtps://me%40example.com:x@[2001:db8::1]").unwrap();
    assert_eq!((&*tls.host, tls.port, tls.security), ("2001:db8::1", 465, SmtpSecurity::Tls));
    assert_eq!(tls.from, "me@example.com");

    let plain = smtp("smtp://localhost:1025?tls=none&from=a@b.example").unwrap();
    assert_eq!((plain.security, plain.credentials.is_none()), (SmtpSecurity::Plain, true));
}

#[test]
fn mail_servers_that_would_leak_or_cannot_work_are_refused() {
    // S23: TLS is required outside loopback.
    let refused = [
        ("smtp://mail.example.com?tls=none&from=a@b.example", "readable over the network"),
        ("smtp://mail.example.com?tls=opportunistic&from=a@b.example", "switch TLS off"),
        ("http://mail.example.com", "must look like smtp://"),
        ("smtp://", "must look like smtp://"),
        ("smtp://mail.example.com", "smtp.from: is missing"),
        ("smtp://me@mail.example.com?from=a@b.example", "smtp.password: is missing"),
        ("smtp://mail.example.com?from=nobody", "must be a sender such as"),
        ("smtp://mail.example.com?form=a@b.example", "may only have from=... and tls"),
    ];
    for (url, message) in refused {
        let problems = problems(&[("SMTP_URL", url)]);
        assert!(problems.iter().any(|problem| problem.contains(message)), "{url}: {problems:#?}");
    }
}

#[test]
fn a_setting_in_the_mail_url_and_beside_it_is_refused() {
    let problem = problems(&[
        ("SMTP_URL", "smtp://me:secret@mail.example.com?from=a@b.example"),
        ("LATCHKEY_SMTP__HOST", "other.example.com"),
        ("LATCHKEY_SMTP__FROM", "c@d.example"),
    ]);

    assert_eq!(problem.len(), 2, "{problem:#?}");
    assert!(problem[0].starts_with("smtp.host: is set, but smtp.url contains it already"));
    assert!(problem[1].starts_with("smtp.from"));
}

#[test]
fn contacts_for_security_reports_are_addresses_and_https_pages() {
    assert!(load(&[]).unwrap().server.security_contacts.is_empty());

    let name = "LATCHKEY_SERVER__SECURITY_CONTACTS";
    let listed = "mailto:security@example.com, https://example.com/security";
    let contacts = load(&[(name, listed)]).unwrap().server.security_contacts;
    assert_eq!(contacts, ["mailto:security@example.com", "https://example.com/security"]);

    for bad in ["security@example.com", "http://example.com", "mailto:nobody", "tel:+442079460001"]
    {
        let problem = problem_with(name, bad);
        assert!(problem.starts_with("server.security_contacts: "), "{problem}");
        assert!(problem.contains("must be \"mailto:\""), "{bad}: {problem}");
    }
}

#[test]
fn a_code_may_not_outlive_its_verification() {
    assert!(problem_with("LATCHKEY_POLICY__LIFETIME", "901").contains("raise both"));
    assert!(problem_with("LATCHKEY_POLICY__WINDOW", "299").contains("at least policy.lifetime"));
}

#[test]
fn empty_variables_count_as_not_set() {
    assert!(load(&[("LATCHKEY_POLICY__CHECKS", ""), ("SMTP_URL", "")]).is_ok());
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
    let mut layers = layers::read(&sources);
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

    let page = include_str!("../../../docs/CONFIGURATION.md");
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
    assert_eq!(policy(include_str!("site.toml")), policy(include_str!("default.toml")));
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
