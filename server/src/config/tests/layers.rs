//! The file, the environment and the defaults, and words about what is in none of them.

use std::path::PathBuf;

use super::*;

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
    assert_eq!(twilio.sender.unwrap().as_str(), "+442079460001");
    assert_eq!(twilio.base_url, "https://api.twilio.com");
    assert_eq!(config.page.fixed_recipient.unwrap().address(), "+442079460002");
    assert_eq!(config.delivery.of(Channel::Sms), ["twilio"]);
    assert_eq!(config.delivery.of(Channel::Email), ["inbox"]);
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
fn empty_variables_count_as_not_set() {
    assert!(load(&[("LATCHKEY_POLICY__CHECKS", ""), ("SMTP_URL", "")]).is_ok());
}
