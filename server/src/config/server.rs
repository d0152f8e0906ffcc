//! Where the server listens, what it is called outside, and whom it trusts.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use ipnet::IpNet;
use otp::{Channel, Recipient};
use url::Url;

use super::reader::Reader;
use crate::origin::Origin;

/// What the server is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Trying things out: works without configuration, shows messages instead of sending them.
    Development,
    /// Serving people: nothing is made up, nothing is sent in the clear.
    Production,
}

/// Where the server listens and whom it trusts.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// What the server is for.
    pub mode: Mode,
    /// Address and port to listen on; port 0 lets the system choose.
    pub bind: SocketAddr,
    /// The configured origin. Always there in production.
    pub public_origin: Option<Origin>,
    /// Proxies whose word on the caller's address is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// `mailto:` and `https:` URIs for reports of vulnerabilities, by preference (RFC 9116).
    pub security_contacts: Vec<String>,
    /// From the last header line of a request to its answer.
    pub request_timeout: Duration,
    /// For the header lines of a request to arrive, and for an idle connection to be kept.
    pub header_timeout: Duration,
    /// For work in flight to end once the server was told to stop.
    pub shutdown_timeout: Duration,
}

impl ServerSettings {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let bind = read_bind(reader);
        let public_origin = read_origin(reader);
        let mode = read_mode(reader, bind, public_origin.as_ref());
        if mode == Mode::Production {
            match &public_origin {
                Some(origin) if !origin.is_https() => {
                    reader.refuse("server.public_origin", "must begin with https:// in production");
                }
                None if reader.text("server.public_origin").is_empty() => reader.refuse(
                    "server.public_origin",
                    "is missing; production needs the address that people's browsers see, for \
                     example \"https://otp.example.com\"",
                ),
                _ => {}
            }
        }
        Self {
            mode,
            bind,
            public_origin,
            trusted_proxies: reader.networks("server.trusted_proxies"),
            security_contacts: read_contacts(reader),
            request_timeout: reader.seconds("server.request_timeout", 1..=120),
            header_timeout: reader.seconds("server.header_timeout", 1..=120),
            shutdown_timeout: reader.seconds("server.shutdown_timeout", 1..=60),
        }
    }

    /// The origin that browsers see, for a server that listens on `bound`.
    pub fn origin(&self, bound: SocketAddr) -> Origin {
        self.public_origin.clone().unwrap_or_else(|| {
            // An unspecified address is no place a browser could go to.
            let ip = bound.ip();
            let ip = if ip.is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { ip };
            Origin::of_address(SocketAddr::new(ip, bound.port()))
        })
    }
}

fn read_bind(reader: &mut Reader) -> SocketAddr {
    reader.text("server.bind").parse().unwrap_or_else(|_| {
        reader.refuse("server.bind", "must be an address with a port, for example 127.0.0.1:3000");
        SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
    })
}

fn read_origin(reader: &mut Reader) -> Option<Origin> {
    let origin = Origin::parse(&reader.optional("server.public_origin")?);
    if origin.is_none() {
        reader.refuse(
            "server.public_origin",
            "must be scheme and host without a path, for example \"https://otp.example.com\"",
        );
    }
    origin
}

fn read_contacts(reader: &mut Reader) -> Vec<String> {
    const KEY: &str = "server.security_contacts";
    let mut contacts = Vec::new();
    for text in reader.texts(KEY) {
        match contact_uri(&text) {
            Some(uri) => contacts.push(uri.into()),
            None => reader.refuse(
                KEY,
                format!("\"{text}\" must be \"mailto:\" and an address, or an https:// URL"),
            ),
        }
    }
    contacts
}

/// A `mailto:` URI with one address, or an `https:` URL without credentials.
pub(super) fn contact_uri(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| match url.scheme() {
        "https" => url.username().is_empty() && url.password().is_none(),
        "mailto" => Recipient::parse(url.path(), None, Some(Channel::Email)).is_ok(),
        _ => false,
    })
}

/// `auto` is development only while nobody else can come by: a loopback address behind an https
/// origin is a server behind a reverse proxy, and its inbox would show codes to the world.
fn read_mode(reader: &mut Reader, bind: SocketAddr, origin: Option<&Origin>) -> Mode {
    let words = [
        ("auto", None),
        ("development", Some(Mode::Development)),
        ("production", Some(Mode::Production)),
    ];
    reader.choice("server.mode", &words).unwrap_or_else(|| {
        if bind.ip().is_loopback() && !origin.is_some_and(Origin::is_https) {
            Mode::Development
        } else {
            Mode::Production
        }
    })
}
