//! Whole URLs that we send people or messages to.

use url::Url;

use crate::{
    config::{Mode, reader::Reader},
    origin::Origin,
};

/// Longer than any URL that is meant to be listed, in bytes.
const LONGEST: usize = 2048;

/// URLs that are compared as wholes, each listed once.
pub(super) fn read_list(reader: &mut Reader, key: &str, mode: Mode) -> Vec<Url> {
    let mut urls = Vec::new();
    for (index, text) in reader.texts(key).into_iter().enumerate() {
        let problem = match parse(&text, mode) {
            Ok(url) if urls.contains(&url) => "is listed twice",
            Ok(url) => {
                urls.push(url);
                continue;
            }
            Err(problem) => problem,
        };
        // By its number, since a URL may have a password in it.
        reader.refuse(key, format!("number {} {problem}", index + 1));
    }
    urls
}

/// One URL, where it is set.
pub(super) fn read_optional(reader: &mut Reader, key: &str, mode: Mode) -> Option<Url> {
    let text = reader.optional(key)?;
    parse(&text, mode).map_err(|problem| reader.refuse(key, problem)).ok()
}

/// Reads by the WHATWG rules, and refuses what those would silently mend (S15).
fn parse(text: &str, mode: Mode) -> Result<Url, &'static str> {
    if text.len() > LONGEST {
        return Err("is longer than 2048 characters");
    }
    if text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err("has a blank, a control character or a backslash in it");
    }
    if text.contains('*') {
        return Err("has a \"*\", which stands for nothing here: list each URL");
    }
    let url = Url::parse(text);
    let Some(url) = url.ok().filter(|url| matches!(url.scheme(), "http" | "https")) else {
        return Err("must be a whole URL, for example \"https://shop.example/verified\"");
    };
    if Origin::of_url(url.as_str()).is_none() {
        return Err("has a host that is neither a name nor an address");
    }
    if url.scheme() == "http" && mode == Mode::Production {
        return Err("must begin with https:// in production");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user name or password");
    }
    if url.fragment().is_some() {
        return Err("must not have a \"#\": what stands behind it reaches no server");
    }
    Ok(url)
}
