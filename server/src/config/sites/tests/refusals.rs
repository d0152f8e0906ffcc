//! Sites that are refused, and those that are warned about.

use super::*;

#[test]
fn everything_that_is_wrong_with_all_sites_and_the_server_is_told_at_once() {
    let text = "[policy]\nchecks = 0\n\
                [[sites]]\nname = \"shop\"\nchanels = [\"sms\"]\npolicy.lifetime = 5\n\
                [[sites]]\nname = \"Bad name\"\norigins = \"https://shop.example\"\n\
                [[sites]]\npolicy.window = 60\n";

    assert_eq!(
        problems_with(text, &[]),
        [
            "policy.checks: must be from 1 to 10, not 0",
            "sites.shop.chanels: unknown key; did you mean sites.shop.channels?",
            "sites.shop.policy.lifetime: must be from 30 to 3600, not 5",
            "sites[2].origins: must be a list of strings",
            "sites[2].name: must be 1 to 32 characters of a-z, 0-9 and \"-\"",
            "sites[3].name: must be 1 to 32 characters of a-z, 0-9 and \"-\"",
            "sites[3].policy.window: must be at least sites[3].policy.lifetime, 300 seconds",
        ]
    );
    let error = load(text).unwrap_err().to_string();
    assert!(error.contains("latchkey.toml)"), "{error}");
}

#[test]
fn values_that_mean_nothing_are_refused_in_words() {
    let refused = [
        ("public_key = \"lk_pub_short\"", "sites.shop.public_key: must be \"lk_pub_\" and 16"),
        ("public_key = \"0123456789abcdef0123456789\"", "must be \"lk_pub_\""),
        ("public_key = \"lk_pub_0123456789abcde!\"", "must be \"lk_pub_\""),
        ("public_key = \"lk_pub_test_undeliverable\"", "must not begin with \"lk_pub_test_\""),
        ("origins = [\"https://*.shop.example\"]", "which is not a wildcard here"),
        ("origins = [\"https://shop.example/path\"]", "must be scheme, host and port alone"),
        ("origins = [\"null\"]", "must be scheme, host and port alone"),
        ("origins = [\"http://shop.example\"]", "must begin with https:// in production"),
        ("origins = [\"http://localhost:3001\"]", "must begin with https:// in production"),
        ("origins = [\"https://a.example\", \"https://A.example:443/\"]", "is listed twice"),
        ("return_urls = [\"/verified\"]", "item 1 must be a whole URL"),
        ("return_urls = [\"javascript:alert(1)\"]", "must be a whole URL"),
        ("return_urls = [\"https://shop.example/#a\"]", "must not have a \"#\""),
        (
            "return_urls = [\"https://shop.example/\\\\a\"]",
            "contains a blank, a control character or a backslash",
        ),
        ("return_urls = [\"https://shop.example/a b\"]", "contains a blank"),
        ("return_urls = [\"https://shop.example;a/\"]", "neither a name nor an address"),
        ("origins = [\"https://shop.example;a\"]", "must be scheme, host and port alone"),
        ("return_urls = [\"https://shop.example/*\"]", "which is not a wildcard here"),
        ("return_urls = [\"http://shop.example/\"]", "must begin with https:// in production"),
        ("return_urls = [\"https://a.example\", \"https://a.example/\"]", "item 2 is listed twice"),
        (
            "webhook.url = \"http://shop.example/hook\"",
            "sites.shop.webhook.url: must begin with https",
        ),
        ("channels = [\"fax\"]", "item 1 must be one of: email, sms, whatsapp, voice"),
        ("channels = [\"email\", \"email\"]", "is listed twice"),
        ("channels = [\"sms\"]", "item 1 is sms, which has no provider"),
        ("brand.name = \"A\\nB\"", "sites.shop.brand.name: must be 1 to 40 characters on one line"),
        ("brand.sender = \"A\\r\\nBcc: b@c.example\"", "must be 1 to 40 characters on one line"),
        ("messages = \"nowhere\"", "cannot be read"),
        ("messages = \".\"", "has no file such as en.ftl"),
        ("android_app_hash = \"FA+9qCX9VY\"", "must be 11 characters"),
        ("android_app_hash = \"FA+9qCX9VY@\"", "must be 11 characters"),
        ("brand.logo = \"nowhere.png\"", "cannot be read"),
        ("brand.logo = \"latchkey.toml\"", "must be a PNG, SVG, JPEG or WebP picture"),
        ("brand.accent = \"red\"", "must be a colour such as \"#3346c8\", not \"red\""),
        ("brand.accent = \"#ffcc00\"", "links and buttons is 1.35:1, and must be at least 4.5:1"),
        ("brand.accent_dark = \"#a9b5ff\"", "is set, but brand.accent is not"),
        ("brand.support = \"javascript:alert(1)\"", "must be \"mailto:\" and an address, or"),
        ("brand.support = \"http://shop.example\"", "must be \"mailto:\" and an address, or"),
        ("brand.support = \"mailto:nobody\"", "must be \"mailto:\" and an address, or"),
        ("test_recipients = { nobody = \"000000\" }", "\"nobody\" must be an e-mail address or"),
        ("test_recipients = { \"+44 20 7946 0001\" = 1 }", "must be a table of strings"),
    ];
    for (line, message) in refused {
        let problem = problem_with(line);
        assert!(problem.contains(message), "{line}: {problem}");
    }
    let dark = problem_with("brand.accent = \"#3346c8\"\nbrand.accent_dark = \"#3346c8\"");
    assert!(
        dark.contains("brand.accent_dark: #3346c8 cannot be read well: on a dark ground"),
        "{dark}"
    );
}

/// S21: a key that stands in the file is refused, and no message repeats it.
#[test]
fn s21_a_secret_key_itself_is_refused_and_never_repeated() {
    let key = "lk_sec_hunter2hunter2hunter2";
    for line in [
        format!("secret_keys = [\"{key}\"]"),
        format!("public_key = \"{key}\""),
        "secret_keys = [\"hunter2\"]".to_owned(),
        format!("secret_keys = [\"{}hunter2\"]", &DIGEST[..64]),
        "return_urls = [\"https://me:hunter2@shop.example/\"]".to_owned(),
        "test_recipients = { \"jane@hunter2.example\" = \"12345\" }".replace("12345", "7654321"),
    ] {
        let problem = problem_with(&line);
        assert!(!problem.contains("hunter2hunter2") && !problem.contains("7654321"), "{problem}");
    }
    let problem = problem_with(&format!("secret_keys = [\"{key}\"]"));
    assert!(problem.contains("item 1 is a secret key itself"), "{problem}");
    assert!(problem.contains("latchkey keys secret"), "{problem}");
}

#[test]
fn s21_keys_that_everybody_knows_cannot_be_configured() {
    for key in ["lk_sec_demo", "lk_sec_test_approve"] {
        let line = format!("secret_keys = [\"{}\"]", SecretDigest::of(key));
        assert!(problem_with(&line).contains("a key that is public"), "{key}");
        assert!(load(&format!("[[sites]]\nname = \"demo\"\n{line}\n")).is_err(), "{key}");
    }
}

#[test]
fn names_and_keys_are_one_sites_alone() {
    let one = WHOLE.replace("name = \"shop\"", "name = \"other\"");
    let problems = problems_with(&format!("{WHOLE}{one}"), &[]);
    assert_eq!(
        problems,
        [
            "sites.other.public_key: is that of site shop as well",
            "sites.other.secret_keys: has a key of site shop; a secret key belongs to one site",
        ]
    );
    let twice = "[[sites]]\nname = \"shop\"\n[[sites]]\nname = \"shop\"\n";
    assert_eq!(problems_with(twice, &[]), ["sites.shop.name: is the name of another site as well"]);
}

#[test]
fn what_is_unlikely_to_be_meant_is_warned_about() {
    let warnings = |lines: &str| {
        let text = format!("[[sites]]\nname = \"shop\"\n{lines}\n");
        load_with(&text, &PRODUCTION).unwrap().warnings()
    };
    let origins = "origins = [\"https://shop.example\"]\n";
    let (public, secret) =
        ("public_key = \"lk_pub_0123456789abcdef\"\n", format!("secret_keys = [\"{DIGEST}\"]\n"));
    let returning = "return_urls = [\"https://shop.example/verified\"]\n";

    assert!(warnings(&format!("{origins}{public}{secret}{returning}")).is_empty());
    for (lines, warning) in [
        (format!("{origins}{secret}"), "site shop has origins and no public_key"),
        (format!("{public}{secret}"), "site shop has a public_key and no origins"),
        (format!("{origins}{public}"), "site shop has origins and no secret_keys"),
        (returning.to_owned(), "site shop has return_urls and no secret_keys"),
        ("policy.lifetime = 700".to_owned(), "site shop has a policy.lifetime above 600"),
        ("test_recipients = { \"a@b.example\" = \"000000\" }".to_owned(), "can sign in as them"),
    ] {
        let warnings = warnings(&lines);
        assert!(warnings.len() == 1 && warnings[0].contains(warning), "{lines}: {warnings:?}");
    }
}
