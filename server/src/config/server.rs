//! `[server]`: address, origin, trust and time-outs.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    ops::RangeInclusive,
    time::Duration,
};

use ipnet::IpNet;
use otp::{Channel, Recipient};
use url::{Host, Url};

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

/// Bounds of limits on connections. A browser opens about six.
const CONNECTIONS: RangeInclusive<usize> = 16..=1_000_000;

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
    /// Hosts that development mode answers beside this machine, in lower case.
    pub development_hosts: Vec<String>,
    /// `mailto:` and `https:` URIs for reports of vulnerabilities, by preference (RFC 9116).
    pub security_contacts: Vec<String>,
    /// From the last header line of a request to its answer.
    pub request_timeout: Duration,
    /// For the header lines of a request to arrive, and for an idle connection to be kept.
    pub header_timeout: Duration,
    /// For a client to take an answer.
    pub write_timeout: Duration,
    /// For work in flight to end once the server was told to stop.
    pub shutdown_timeout: Duration,
    /// Open connections, in all.
    pub max_connections: usize,
    /// Open connections from one address that is no trusted proxy.
    pub max_connections_per_address: usize,
}

impl ServerSettings {
    pub(super) fn read(settings: &mut Settings) -> Self {
        const ORIGIN: &str = "server.public_origin";
        let bind = settings.parse("server.bind", |text| {
            let address = text.parse::<SocketAddr>();
            address.map_err(|_| "must be an address with a port, for example 127.0.0.1:3000")
        });
        let bind = bind.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let public_origin = settings.parse_optional(ORIGIN, parse_origin);
        // A loopback address with an https origin or with proxies is a server behind a reverse proxy: as
        // development, its inbox would show codes to the world.
        let is_https = public_origin.as_ref().is_some_and(Origin::is_https);
        let trusted_proxies = settings.parse_list("server.trusted_proxies", parse_network);
        let has_proxies = !trusted_proxies.is_empty() && settings.is_fine("server.trusted_proxies");
        let is_local = bind.ip().is_loopback() && !is_https && !has_proxies;
        let auto = if is_local { Mode::Development } else { Mode::Production };
        let words =
            [("auto", auto), ("development", Mode::Development), ("production", Mode::Production)];
        let mode = settings.choice("server.mode", &words);
        if mode == Mode::Production && !is_https && settings.is_fine(ORIGIN) {
            let problem =
                if public_origin.is_some() { "must begin with https://" } else { "is missing" };
            settings.refuse(
                ORIGIN,
                format!("{problem} in production, for example \"https://otp.example.com\""),
            );
        }
        let development_hosts = settings.parse_list("server.development_hosts", parse_host);
        if mode == Mode::Production && !development_hosts.is_empty() {
            settings.refuse("server.development_hosts", "is refused in production");
        }
        Self {
            mode,
            bind,
            public_origin,
            trusted_proxies,
            development_hosts,
            security_contacts: settings.parse_list("server.security_contacts", parse_contact),
            request_timeout: settings.seconds("server.request_timeout", 1..=120),
            header_timeout: settings.seconds("server.header_timeout", 1..=120),
            write_timeout: settings.seconds("server.write_timeout", 1..=600),
            shutdown_timeout: settings.seconds("server.shutdown_timeout", 1..=60),
            max_connections: settings.number("server.max_connections", CONNECTIONS),
            max_connections_per_address: settings
                .number("server.max_connections_per_address", CONNECTIONS),
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

/// An origin, as browsers see one.
pub(super) fn parse_origin(text: &str) -> Result<Origin, &'static str> {
    Origin::parse(text).ok_or("must be scheme, host and port alone, as \"https://shop.example\"")
}

/// The host of an address bar, without port and brackets, as requests name it.
fn parse_host(text: &str) -> Result<String, &'static str> {
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let host = match text.parse::<IpAddr>() {
        Ok(address) => Some(address.to_string()),
        Err(_) => Host::parse(text).ok().and_then(|host| match host {
            Host::Domain(name) if name.bytes().all(in_name) => Some(name),
            _ => None,
        }),
    };
    host.ok_or("must be a host without port, for example 192.168.1.5 or desk.local")
}

/// A network; an address stands for itself alone.
pub(super) fn parse_network(text: &str) -> Result<IpNet, &'static str> {
    let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    network.map_err(|_| "must be a network, for example 10.0.0.0/8 or 192.0.2.7")
}

/// A `mailto:` URI with one address, or an `https:` URL without credentials.
pub(super) fn parse_contact(text: &str) -> Result<String, &'static str> {
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
