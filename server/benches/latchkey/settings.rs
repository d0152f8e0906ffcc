//! Settings under which no limit refuses a load, although everything is counted.

/// Settings of a server as in its environment.
pub(crate) type Settings<'a> = Vec<(&'a str, &'a str)>;

/// The account at the stand-in for Twilio.
pub(crate) const ACCOUNT: &str = "AC00000000000000000000000000000000";
/// The number that its texts come from.
pub(crate) const SENDER: &str = "+15005550006";

const MOST: &str = "100000000";

/// Limits on texts.
const TEXTS: [(&str, &str); 9] = [
    ("LATCHKEY_LIMITS__TEXTS_PER_HOUR", MOST),
    ("LATCHKEY_LIMITS__TEXTS_PER_DAY", MOST),
    ("LATCHKEY_SMS__TEXTS_PER_HOUR", MOST),
    ("LATCHKEY_SMS__TEXTS_PER_DAY", MOST),
    ("LATCHKEY_SMS__COUNTRY_TEXTS_PER_HOUR", MOST),
    ("LATCHKEY_SMS__COUNTRY_TEXTS_PER_DAY", MOST),
    ("LATCHKEY_SMS__PREFIX_TEXTS_PER_HOUR", MOST),
    ("LATCHKEY_SMS__PREFIX_TEXTS_PER_DAY", MOST),
    // Many texts without an approval look like fraud.
    ("LATCHKEY_SMS__GUARD", "record_only"),
];

/// Texts to every country, which the development inbox shows.
pub(crate) fn texts() -> Settings<'static> {
    TEXTS.to_vec()
}

/// Texts to one country, by the stand-in for Twilio at this URL.
pub(crate) fn texts_by_twilio(url: &str) -> Settings<'_> {
    let twilio = [
        ("LATCHKEY_SMS__COUNTRIES", "GB"),
        ("TWILIO_SID", ACCOUNT),
        ("TWILIO_AUTH_TOKEN", "token"),
        ("SENDER_NUMBER", SENDER),
        ("LATCHKEY_TWILIO__BASE_URL", url),
    ];
    twilio.into_iter().chain(TEXTS).collect()
}
