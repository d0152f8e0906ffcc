use otp::DeliveryState;

use super::*;

fn site() -> Site {
    Site::named("shop", Policy::default(), Brand::default())
}

#[test]
fn s21_a_secret_key_is_found_by_its_digest_and_two_are_valid_during_a_rotation() {
    let mut shop = site();
    shop.secrets = ["lk_sec_old", "lk_sec_new"].map(SecretDigest::of).to_vec();
    let sites = Sites::new(Site { name: "demo".into(), ..site() }, [shop]);
    for secret in ["lk_sec_old", "lk_sec_new"] {
        assert_eq!(sites.with_secret(secret).unwrap().name, "shop");
    }
    for secret in ["", "lk_sec_", "lk_sec_older", &SecretDigest::of("lk_sec_old").to_string()] {
        assert!(sites.with_secret(secret).is_none(), "{secret}");
    }
}

#[test]
fn a_site_that_is_no_longer_configured_is_answered_by_the_first() {
    let sites = Sites::new(Site { name: "demo".into(), ..site() }, [site()]);
    assert_eq!(sites.named_or_first("shop").name, "shop");
    // The site was removed from the configuration, or the record was stored before there were sites.
    assert_eq!(sites.named_or_first("gone").name, "demo");
    assert_eq!(sites.named_or_first("").name, "demo");
}

#[test]
fn s21_a_digest_reads_back_and_shows_nothing_in_debug() {
    let digest = SecretDigest::of("lk_sec_old");
    assert_eq!(digest.to_string().parse(), Ok(digest.clone()));
    assert_eq!(format!("{digest:?}"), "SecretDigest(..)");
    for text in ["", "lk_sec_old", "sha256:", "sha256:00", &format!("sha256:{}", "é".repeat(32))] {
        assert_eq!(text.parse::<SecretDigest>(), Err(NotADigest), "{text}");
    }
}

#[test]
fn only_a_listed_origin_may_embed_a_site() {
    let mut shop = site();
    shop.origins = vec![Origin::parse("https://shop.example").unwrap()];
    assert!(shop.origin("https://shop.example").is_some());
    for other in [
        "",
        "null",
        "*",
        "http://shop.example",
        "https://shop.example/",
        "https://shop.example:444",
        "https://www.shop.example",
        "https://shop.example.evil.example",
        "https://evil.example",
    ] {
        assert!(shop.origin(other).is_none(), "{other}");
    }
}

#[test]
fn s15_a_return_url_must_equal_one_listed_by_the_site() {
    let mut shop = site();
    shop.return_urls = ["https://shop.example", "https://shop.example/back?to=1"]
        .map(|url| Url::parse(url).unwrap())
        .into();
    for url in ["https://shop.example", "https://shop.example/", "https://shop.example/back?to=1"] {
        assert!(shop.return_url(url).is_some(), "{url}");
        assert!(site().return_url(url).is_none(), "{url}");
    }
    for url in [
        "HTTPS://shop.example/",
        "https://SHOP.example/",
        "https:shop.example",
        "https://shop.example:443/",
        "https://shop.example/back",
        "https://shop.example/./back?to=1",
        "https://shop.example/back?to=1/",
        " https://shop.example/",
    ] {
        assert!(shop.return_url(url).is_none(), "{url}");
    }
}

#[test]
fn a_test_code_is_all_zeros_or_can_never_be_right() {
    let policy = Policy::default();
    let code = |test_mode| {
        let test_code = TestCode::of(test_mode, &policy);
        test_code.code().map(|(code, delivery)| (code.as_str().to_owned(), delivery))
    };
    assert_eq!(code(TestMode::Approve), Some(("000000".into(), DeliveryState::Delivered)));
    assert_eq!(code(TestMode::Undeliverable), Some(("000000".into(), DeliveryState::Undelivered)));
    assert_eq!(code(TestMode::RateLimited), None);
    let (never, _) = code(TestMode::Incorrect).unwrap();
    assert_ne!(never.len(), usize::from(policy.code_length()));
}
