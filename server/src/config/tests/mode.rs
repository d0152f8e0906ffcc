//! Development and production.

use super::*;

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
    assert_eq!(config.delivery.of(Channel::Email), ["smtp"]);
    assert_eq!(config.delivery.of(Channel::Sms), [""; 0]);
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
