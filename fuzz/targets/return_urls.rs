//! Return URLs and origins that strangers name.
#![cfg_attr(fuzzing, no_main)]

use app::wire::Brand;
use otp::Policy;
use server::{origin::Origin, site::Site};
use url::Url;

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| holds(data));

const LISTED: [&str; 4] = [
    "https://shop.example/",
    "https://shop.example/verified?step=2",
    "https://shop.example:8443/a%20b",
    "http://127.0.0.1:3001/return",
];

pub(crate) fn holds(data: &[u8]) {
    let Ok(asked) = std::str::from_utf8(data) else { return };
    let url = |text: &str| Url::parse(text).expect("a URL");
    let site = Site {
        return_urls: LISTED.map(url).into(),
        origins: Origin::parse("https://shop.example").into_iter().collect(),
        ..Site::named("shop", Policy::default(), Brand::default())
    };
    // Every browser reads a listed URL as it is written, so only the same text leads there.
    let is_listed = LISTED.contains(&asked) || asked == "https://shop.example";
    assert_eq!(site.return_url(asked).is_some(), is_listed, "{asked:?}");
    assert_eq!(site.origin(asked).is_some(), asked == "https://shop.example");

    for origin in [Origin::parse(asked), Origin::of_url(asked)].into_iter().flatten() {
        let text = origin.as_str();
        assert_eq!(Origin::parse(text).as_ref(), Some(&origin));
        assert_eq!(Origin::of_url(&format!("{text}/path?query")).as_ref(), Some(&origin));
        assert!(text.is_ascii() && !text.contains([' ', ';', ',', '\'', '"', '*', '@', '\\', '%']));
        assert_eq!(text.matches('/').count(), 2);
        assert!(text.contains(origin.host()));
    }
}
