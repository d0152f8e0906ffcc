//! A web origin: scheme, host and port.

use std::{fmt, net::SocketAddr};

use url::Url;

/// An http or https origin in its canonical form, as browsers send it in `Origin`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    text: String,
    host: String,
}

impl Origin {
    /// Parses by the WHATWG rules. `None` for other schemes and for anything beyond an origin, and for
    /// hosts that no name or address is written as: these rules let `;`, `,` and `*` pass, which mean
    /// something in the policies that origins stand in.
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

    /// The origin that an http or https URL leads to.
    pub fn of_url(url: &str) -> Option<Self> {
        let url = Url::parse(url).ok()?;
        Self::parse(&url.origin().ascii_serialization())
    }

    /// The origin of a plain http server on an address.
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

    /// For example `https://otp.example.com`, without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host alone, for the origin-bound line of a text message.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether browsers reach it over TLS.
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
    fn s13_an_origin_holds_nothing_that_a_policy_could_take_for_something_else() {
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
