//! A mail server in one line.
//!
//! Other programs read `smtp://` as "in the clear, with TLS if the server offers it". Here it means
//! STARTTLS or nothing, because an attacker in the middle could remove the offer (S23).

use percent_encoding::percent_decode_str;
use url::{Host, Url};

/// Reads `smtp://`, `smtp+starttls://` or `smtps://`, with `?from=` and `?tls=required|none`, into the
/// keys that it stands for.
///
/// # Errors
/// The problem in words. It never quotes the line, which holds a password.
pub(super) fn parse(text: &str) -> Result<Vec<(&'static str, String)>, &'static str> {
    const SHAPE: &str = "must look like smtp://user:password@host:587 (STARTTLS) or \
                         smtps://user:password@host:465 (TLS), with special characters in user and \
                         password percent-encoded";
    let url = Url::parse(text).map_err(|_| SHAPE)?;
    let mut security = match url.scheme() {
        "smtp" | "smtp+starttls" => "starttls",
        "smtps" => "tls",
        _ => return Err(SHAPE),
    };
    if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
        return Err(SHAPE);
    }
    let host = match url.host().ok_or(SHAPE)? {
        Host::Domain(name) => decode(name)?,
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    };
    if host.is_empty() {
        return Err(SHAPE);
    }
    let mut from = String::new();
    for (name, value) in url.query_pairs() {
        match (&*name, &*value) {
            ("from", address) => address.clone_into(&mut from),
            ("tls", "required") => {}
            ("tls", "none") if url.scheme() == "smtp" => security = "plain",
            ("tls", "opportunistic") => {
                return Err(
                    "has tls=opportunistic, which lets an attacker switch TLS off; leave it out",
                );
            }
            _ => {
                return Err("may only have from=... and tls=required|none after the question mark");
            }
        }
    }
    let optional = [
        ("smtp.username", decode(url.username())?),
        ("smtp.password", decode(url.password().unwrap_or_default())?),
        ("smtp.from", from),
    ];
    let mut keys = vec![
        ("smtp.host", host),
        ("smtp.port", url.port().unwrap_or(0).to_string()),
        ("smtp.security", security.to_owned()),
    ];
    keys.extend(optional.into_iter().filter(|(_, value)| !value.is_empty()));
    Ok(keys)
}

fn decode(text: &str) -> Result<String, &'static str> {
    let text = percent_decode_str(text).decode_utf8();
    Ok(text.map_err(|_| "has percent-encoded bytes that are not UTF-8")?.into_owned())
}
