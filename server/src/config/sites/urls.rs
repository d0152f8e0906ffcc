//! Origins and URLs that a site lists, each compared exactly.

use url::Url;

use crate::{
    config::server::{self, Mode},
    origin::Origin,
};

const HTTPS_ONLY: &str = "must begin with https:// in production";

/// An origin of pages that embed a site.
pub(super) fn parse_origin(text: &str, mode: Mode) -> Result<Origin, &'static str> {
    if text.contains('*') {
        return Err("contains \"*\", which is not a wildcard here: list each origin");
    }
    let origin = server::parse_origin(text)?;
    if mode == Mode::Production && !origin.is_https() {
        return Err(HTTPS_ONLY);
    }
    Ok(origin)
}

/// A URL that people or events are sent to. Read by the WHATWG rules, but refused where those would
/// silently repair it (S15).
pub(in crate::config) fn parse_url(text: &str, mode: Mode) -> Result<Url, &'static str> {
    if text.len() > 2048 {
        return Err("is longer than 2048 characters");
    }
    if text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err("contains a blank, a control character or a backslash");
    }
    if text.contains('*') {
        return Err("contains \"*\", which is not a wildcard here: list each URL");
    }
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let url = url.ok_or("must be a whole URL, for example \"https://shop.example/verified\"")?;
    if Origin::of_url(url.as_str()).is_none() {
        return Err("has a host that is neither a name nor an address");
    }
    if url.scheme() == "http" && mode == Mode::Production {
        return Err(HTTPS_ONLY);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user name or password");
    }
    if url.fragment().is_some() {
        return Err("must not have a \"#\": the part after it reaches no server");
    }
    Ok(url)
}
