//! `[server]`: address, origin, trust and time-outs.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use ipnet::IpNet;
use otp::{Channel, Recipient};
use url::Url;

use super::settings::Settings;
use crate::origin::Origin;

/// The purpose of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Trying things out: works without configuration, shows messages instead of sending them.
    Development,
    /// Serving people: nothing is made up, nothing is sent in the clear.
    Production,
}

/// Address, origin, trust and time-outs.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// The purpose of the server.
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
    pub(super) fn read(settings: &mut Settings) -> Self {
        const ORIGIN: &str = "server.public_origin";
        let bind = settings.parse("server.bind", |text| {
            text.parse::<SocketAddr>()
                .map_err(|_| "must be an address with a port, for example 127.0.0.1:3000")
        });
        let bind = bind.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let public_origin = settings.parse_optional(ORIGIN, |text| {
            Origin::parse(text).ok_or(
                "must be scheme and host without a path, for example \"https://otp.example.com\"",
            )
        });
        let mode = read_mode(settings, bind, public_origin.as_ref());
        match &public_origin {
            _ if mode == Mode::Development || !settings.is_fine(ORIGIN) => {}
            Some(origin) if origin.is_https() => {}
            Some(_) => settings.refuse(ORIGIN, "must begin with https:// in production"),
            None => settings.refuse(
                ORIGIN,
                "is missing; production needs the origin that browsers see, for example \
                 \"https://otp.example.com\"",
            ),
        }
        Self {
            mode,
            bind,
            public_origin,
            trusted_proxies: settings.networks("server.trusted_proxies"),
            security_contacts: settings.parse_list("server.security_contacts", contact_uri),
            request_timeout: settings.seconds("server.request_timeout", 1..=120),
            header_timeout: settings.seconds("server.header_timeout", 1..=120),
            shutdown_timeout: settings.seconds("server.shutdown_timeout", 1..=60),
        }
    }

    /// The origin that browsers see, for a server that listens on `bound`.
    pub fn origin(&self, bound: SocketAddr) -> Origin {
        self.public_origin.clone().unwrap_or_else(|| {
            // Browsers cannot open an unspecified address.
            let ip = bound.ip();
            let ip = if ip.is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { ip };
            Origin::of_address(SocketAddr::new(ip, bound.port()))
        })
    }
}

/// A `mailto:` URI with one address, or an `https:` URL without credentials.
pub(super) fn contact_uri(text: &str) -> Result<String, &'static str> {
    let uri = Url::parse(text).ok().filter(|url| match url.scheme() {
        "https" => url.username().is_empty() && url.password().is_none(),
        "mailto" => Recipient::parse(url.path(), None, Some(Channel::Email)).is_ok(),
        _ => false,
    });
    uri.map(String::from).ok_or("must be \"mailto:\" and an address, or an https:// URL")
}

/// Whether traffic to a host never leaves this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// `auto` is development only while no other machine can reach the server: a loopback address behind
/// an https origin is a server behind a reverse proxy, and its inbox would show codes to the world.
fn read_mode(settings: &mut Settings, bind: SocketAddr, origin: Option<&Origin>) -> Mode {
    let words = [
        ("auto", None),
        ("development", Some(Mode::Development)),
        ("production", Some(Mode::Production)),
    ];
    settings.choice("server.mode", &words).unwrap_or_else(|| {
        if bind.ip().is_loopback() && !origin.is_some_and(Origin::is_https) {
            Mode::Development
        } else {
            Mode::Production
        }
    })
}
