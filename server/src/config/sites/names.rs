//! Names and key prefixes of sites.

/// The start of a public key.
pub const PUBLIC_KEY_PREFIX: &str = "lk_pub_";
/// The start of a secret key.
pub const SECRET_KEY_PREFIX: &str = "lk_sec_";

/// The name of a site that is configured.
///
/// # Errors
/// The reason why the text cannot be one.
pub fn site_name(text: &str) -> Result<String, &'static str> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !(1..=32).contains(&text.len()) || !text.chars().all(fits) {
        Err("must be 1 to 32 characters of a-z, 0-9 and \"-\"")
    } else if text.starts_with("test-") {
        Err("must not begin with \"test-\", which is reserved for the sites for tests")
    } else {
        Ok(text.to_owned())
    }
}
