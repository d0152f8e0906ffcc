//! Bounds of values, and values that mean nothing.

use super::*;

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
