//! The address of a database, as a URL.
//!
//! libpq reads a URL without `sslmode` as "TLS if the server offers it", which an attacker in the middle can
//! decline for it. Here a server elsewhere means TLS with a verified certificate, unless the URL says
//! `sslmode=disable`; only this machine (loopback, Unix sockets) is plain without being told.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use percent_encoding::percent_decode_str;
use tokio_postgres::{
    Config,
    config::{Host, SslMode, TargetSessionAttrs},
};

/// Time after which a peer that acknowledges nothing is given up by the system, unless the URL says otherwise.
const UNACKNOWLEDGED: Duration = Duration::from_secs(5);
/// Time after which the system asks a silent peer whether it is there.
const SILENT: Duration = Duration::from_secs(15);

/// A database, and how to connect to it. `Debug` shows no password.
#[derive(Clone, Debug)]
pub struct PostgresSettings {
    pub(super) config: Config,
    /// File with certificate authorities in addition to the system's.
    pub(super) ca_file: Option<PathBuf>,
    /// Connections that write.
    pub writers: usize,
}

impl PostgresSettings {
    /// Reads `postgres://user:password@host:5432/database`, with the parameters of libpq behind it.
    /// `sslrootcert` is relative to `directory`.
    ///
    /// # Errors
    /// The problem in words. It never quotes the URL, which holds a password.
    pub fn parse(url: &str, directory: &Path, writers: usize) -> Result<Self, &'static str> {
        const SHAPE: &str = "must look like postgres://user:password@host:5432/database, with special characters \
                             in user and password percent-encoded, and with parameters of libpq that are known here";
        let scheme = ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme));
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut mode, mut ca_file, mut rest) = (None, None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or(SHAPE)?;
            let value = percent_decode_str(value).decode_utf8().map_err(|_| SHAPE)?;
            match name {
                "sslmode" => mode = Some(value.into_owned()),
                "sslrootcert" if value == "system" => {}
                "sslrootcert" => ca_file = Some(directory.join(&*value)),
                _ => rest.push(pair),
            }
        }
        let config = Config::from_str(&format!("{base}?{}", rest.join("&")));
        let mut config = config.ok().filter(|_| scheme).ok_or(SHAPE)?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err("names no host; a Unix socket is written as ?host=/var/run/postgresql");
        }
        let local = is_local(&config);
        let is_socket = |host: &Host| matches!(host, Host::Unix(_));
        let tls = match mode.as_deref() {
            None => !local,
            Some("disable") => false,
            // Where libpq verifies less for the first two, everything is verified here.
            Some("require" | "verify-ca" | "verify-full") => true,
            Some("prefer" | "allow") => {
                return Err("has an sslmode that lets an attacker switch TLS off; leave it out");
            }
            Some(_) => return Err("has an sslmode that is none of verify-full and disable"),
        };
        if tls && config.get_hosts().iter().any(is_socket) {
            return Err("asks for TLS over a Unix socket");
        }
        config.ssl_mode(if tls { SslMode::Require } else { SslMode::Disable });
        // A replica that is not promoted yet takes no writes.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        if config.get_application_name().is_none() {
            config.application_name("latchkey");
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(UNACKNOWLEDGED);
        }
        if !query.contains("keepalives_idle") {
            config.keepalives_idle(SILENT);
        }
        Ok(Self { config, ca_file, writers })
    }

    /// Whether passwords and rows travel to another machine in clear.
    pub fn is_readable_on_the_way(&self) -> bool {
        !self.has_tls() && !is_local(&self.config)
    }

    pub(super) fn has_tls(&self) -> bool {
        self.config.get_ssl_mode() == SslMode::Require
    }

    /// Database and hosts for messages.
    pub(super) fn place(&self) -> String {
        let ports = self.config.get_ports();
        let host = |(number, host): (usize, &Host)| match host {
            Host::Tcp(name) => {
                let port = ports.get(number).or(ports.first()).copied().unwrap_or(5432);
                format!("{name}:{port}")
            }
            Host::Unix(path) => path.display().to_string(),
        };
        let hosts: Vec<_> = self.config.get_hosts().iter().enumerate().map(host).collect();
        let addresses = self.config.get_hostaddrs().iter().map(IpAddr::to_string);
        let hosts = if hosts.is_empty() { addresses.collect() } else { hosts };
        format!("{} at {}", self.database(), hosts.join(", "))
    }

    pub(super) fn database(&self) -> &str {
        self.config.get_dbname().or(self.config.get_user()).unwrap_or("(that of the user)")
    }
}

/// Whether all hosts are on this machine.
fn is_local(config: &Config) -> bool {
    let is_loopback = |name: &String| {
        name.eq_ignore_ascii_case("localhost")
            || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    };
    let hosts = config.get_hosts().iter().all(|host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => is_loopback(name),
    });
    hosts && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<PostgresSettings, &'static str> {
        PostgresSettings::parse(url, Path::new("/etc/latchkey"), 1)
    }

    #[test]
    fn s23_a_database_elsewhere_is_reached_by_tls_unless_the_url_says_otherwise() {
        for (url, tls) in [
            ("postgres://jo:secret@db.example.com/otp", true),
            ("postgresql://jo@10.0.0.5:5433/otp?sslmode=require", true),
            ("postgres://jo@one.example.com,localhost/otp", true),
            ("postgres://jo@localhost/otp?hostaddr=10.0.0.5", true),
            ("postgres://jo@db.example.com/otp?sslmode=disable", false),
            ("postgres://jo@127.0.0.1/otp", false),
            ("postgres://jo@[::1]/otp?sslmode=verify-full", true),
            ("postgres:///otp?host=/var/run/postgresql&user=jo", false),
            ("postgres://jo@%2Fvar%2Frun%2Fpostgresql/otp", false),
        ] {
            let settings = parse(url).unwrap();
            assert_eq!(settings.has_tls(), tls, "{url}");
            let is_plain = url.contains("disable");
            assert_eq!(settings.is_readable_on_the_way(), is_plain, "{url}");
        }
        let private = parse("postgres://jo@db/otp?sslrootcert=ca.pem&sslmode=verify-ca").unwrap();
        assert_eq!(private.ca_file.as_deref(), Some(Path::new("/etc/latchkey/ca.pem")));
    }

    #[test]
    fn s23_a_mode_that_an_attacker_can_switch_off_is_refused() {
        for mode in ["prefer", "allow", "maybe", ""] {
            let url = format!("postgres://jo@127.0.0.1/otp?sslmode={mode}");
            assert!(parse(&url).is_err(), "{mode}");
        }
        assert!(parse("postgres:///otp?host=/run&sslmode=require").is_err());
    }

    #[test]
    fn s14_neither_the_error_nor_debug_shows_the_password() {
        for url in [
            "postgres://jo:hunter2@db:port/otp",
            "mysql://jo:hunter2@db/otp",
            "postgres://jo:hunter2@/otp",
            "postgres://jo@db/otp?hunter2=1",
            "postgres://jo@db/otp?hunter2",
        ] {
            let error = parse(url).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
        let settings = parse("postgres://jo:hunter2@db/otp").unwrap();
        assert!(!format!("{settings:?} {}", settings.place()).contains("hunter2"));
        assert_eq!(settings.place(), "otp at db:5432");
    }
}
