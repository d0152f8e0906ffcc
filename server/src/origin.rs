//! Web origins: scheme, host and port.

use std::{fmt, net::SocketAddr};

use url::Url;

/// An http or https origin in its canonical form, as browsers send it in `Origin`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    text: String,
    host: String,
}

impl Origin {
    /// Parses an origin by the WHATWG rules. `None` for other schemes and for URLs with more than an origin.
    /// Characters such as `;`, `,` and `*`, which those rules allow in hosts, are refused, because they have
    /// a meaning in security policies.
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let bare = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !bare || !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        let host = url.host_str()?.to_owned();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-_[:]".contains(c);
        if !host.chars().all(is_plain) {
            return None;
        }
        Some(Self { text: url.origin().ascii_serialization(), host })
    }

    /// The origin of an http or https URL.
    pub fn of_url(url: &str) -> Option<Self> {
        let url = Url::parse(url).ok()?;
        Self::parse(&url.origin().ascii_serialization())
    }

    /// The origin of a plain http server at an address.
    pub fn of_address(address: SocketAddr) -> Self {
        let host = match address {
            SocketAddr::V4(address) => address.ip().to_string(),
            SocketAddr::V6(address) => format!("[{}]", address.ip()),
        };
        let text = match address.port() {
            80 => format!("http://{host}"),
            port => format!("http://{host}:{port}"),
        };
        Self { text, host }
    }

    /// The origin as text, for example `https://otp.example.com`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host without the port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether the scheme is https.
    pub fn is_https(&self) -> bool {
        self.text.starts_with("https://")
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s13_an_origin_cannot_inject_into_a_policy() {
        for good in ["https://shop.example", "http://[::1]:3001", "https://münchen.example:8443"] {
            assert!(Origin::parse(good).is_some(), "{good}");
        }
        for odd in [
            "https://shop.example;sandbox",
            "https://shop.example,https:",
            "https://*.shop.example",
            "https://'self'",
            "https://\"shop.example",
            "https://shop.example&x=y",
        ] {
            assert_eq!(Origin::parse(odd), None, "{odd}");
            assert_eq!(Origin::of_url(&format!("{odd}/return")), None, "{odd}");
        }
    }
}
