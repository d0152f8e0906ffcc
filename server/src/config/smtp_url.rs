//! A mail server in one line.
//!
//! Other programs read `smtp://` as "in the clear, with TLS if the server offers it". Here it means
//! STARTTLS or nothing, because whoever sits between could take the offer away (S23).

use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use crate::delivery::SmtpSecurity;

/// What the line said.
pub(super) struct SmtpUrl {
    pub(super) host: String,
    pub(super) port: Option<u16>,
    pub(super) security: SmtpSecurity,
    pub(super) username: Option<String>,
    pub(super) password: Option<SecretString>,
    pub(super) from: Option<String>,
}

/// Reads `smtp://`, `smtp+starttls://` or `smtps://`, with `?from=` and `?tls=required|none`.
/// The problem never quotes the line, which holds a password.
pub(super) fn parse(text: &SecretString) -> Result<SmtpUrl, String> {
    const SHAPE: &str = "must look like smtp://user:password@host:587 (STARTTLS) or \
                         smtps://user:password@host:465 (TLS), with special characters in user and \
                         password percent-encoded";
    let url = Url::parse(text.expose_secret()).map_err(|_| SHAPE)?;
    let mut security = match url.scheme() {
        "smtp" | "smtp+starttls" => SmtpSecurity::StartTls,
        "smtps" => SmtpSecurity::Tls,
        _ => return Err(SHAPE.to_owned()),
    };
    if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
        return Err(SHAPE.to_owned());
    }
    let host = match url.host().ok_or(SHAPE)? {
        Host::Domain(name) => decode(name)?,
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    };
    if host.is_empty() {
        return Err(SHAPE.to_owned());
    }
    let mut from = None;
    for (name, value) in url.query_pairs() {
        match (&*name, &*value) {
            ("from", address) => from = Some(address.to_owned()),
            ("tls", "required") => {}
            ("tls", "none") if url.scheme() == "smtp" => security = SmtpSecurity::Plain,
            ("tls", "opportunistic") => {
                return Err("tls=opportunistic lets anybody in between switch TLS off; leave it \
                            out, or write tls=none for a mail server on this machine"
                    .to_owned());
            }
            _ => {
                return Err(format!(
                    "has \"{name}\" after the question mark; only from=... and tls=required|none \
                     are known"
                ));
            }
        }
    }
    let username = Some(decode(url.username())?).filter(|name| !name.is_empty());
    let password = url.password().map(decode).transpose()?.filter(|word| !word.is_empty());
    Ok(SmtpUrl {
        host,
        port: url.port(),
        security,
        username,
        password: password.map(SecretString::from),
        from,
    })
}

fn decode(text: &str) -> Result<String, String> {
    match percent_decode_str(text).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err("has percent-encoded bytes that are no UTF-8".to_owned()),
    }
}
