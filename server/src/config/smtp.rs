//! `[smtp]`: the mail server.

use std::path::Path;

use secrecy::SecretString;
use url::Host;

use super::{server::is_loopback, settings::Settings, smtp_url};
use crate::{
    delivery::{SmtpSecurity, SmtpSettings, parse_sender},
    origin::Origin,
};

/// `None` where no mail server is configured.
pub(super) fn read(
    settings: &mut Settings,
    directory: &Path,
    public_origin: Option<&Origin>,
) -> Option<SmtpSettings> {
    expand_url(settings);
    let timeout = settings.seconds("smtp.timeout", 1..=60);
    let ca_file = settings.optional("smtp.ca_file").map(|file| directory.join(file));
    let words = [
        ("starttls", (SmtpSecurity::StartTls, 587)),
        ("tls", (SmtpSecurity::Tls, 465)),
        ("plain", (SmtpSecurity::Plain, 25)),
    ];
    let (security, usual_port) = settings.choice("smtp.security", &words);
    let port = settings.number("smtp.port", 0..=u16::MAX);
    let username = settings.optional("smtp.username");
    let password = settings.optional("smtp.password").map(SecretString::from);
    let from = settings.optional("smtp.from");
    let hello = settings.parse_optional("smtp.hello", |name| {
        is_qualified(name)
            .then(|| name.to_owned())
            .ok_or("must be a host name with its domain, such as otp.example.com")
    });
    let Some(host) = settings.optional("smtp.host") else {
        let keys = ["smtp.username", "smtp.password", "smtp.from", "smtp.port"];
        let stray = keys.into_iter().find(|key| settings.is_set(key));
        // A refused URL was meant to name the host.
        if let (Some(key), true) = (stray, settings.is_fine("smtp.url")) {
            settings.refuse(key, "is set, but neither smtp.host nor smtp.url is");
        }
        return None;
    };
    if security == SmtpSecurity::Plain && !is_loopback(&host) {
        let message = "is plain, readable over the network; accepted for this machine only";
        settings.refuse("smtp.security", message);
    }
    match (&username, &password) {
        (Some(_), None) => settings.refuse("smtp.password", "is missing, but a user name is set"),
        (None, Some(_)) => settings.refuse("smtp.username", "is missing, but a password is set"),
        _ => {}
    }
    let from = from.or_else(|| username.clone()).unwrap_or_default();
    let sender = parse_sender(&from);
    if let Err(problem) = &sender {
        let problem = problem.to_string();
        let is_set = settings.is_set("smtp.from");
        let missing = || problem.replace("must be", "is missing:");
        settings.refuse("smtp.from", if is_set { problem.clone() } else { missing() });
    }
    // The name by which the world knows this server, or one of the domain that it writes for.
    let public = public_origin.map(Origin::host).filter(|host| is_qualified(host));
    let of_sender = || sender.ok().map(|sender| sender.email.domain().to_owned());
    let hello = hello.or_else(|| public.map(str::to_owned)).or_else(of_sender).unwrap_or_default();
    Some(SmtpSettings {
        host,
        port: if port == 0 { usual_port } else { port },
        security,
        credentials: username.zip(password),
        from,
        hello,
        ca_file,
        timeout,
    })
}

/// Whether a name is that of a host with its domain, in ASCII, as many servers want it by EHLO.
fn is_qualified(name: &str) -> bool {
    let host = name.split_once(':').map_or(name, |(host, _)| host);
    host == name
        && host.trim_matches('.') == host
        && host.contains('.')
        && matches!(Host::parse(host), Ok(Host::Domain(domain)) if domain.eq_ignore_ascii_case(host))
}

/// Sets the keys that `smtp.url` stands for. One that is set beside it is refused, so that no setting
/// is kept in two places that can differ.
fn expand_url(settings: &mut Settings) {
    let url = settings.parse_optional("smtp.url", smtp_url::parse).unwrap_or_default();
    let provenance = settings.provenance("smtp.url").unwrap_or_default().to_owned();
    for (key, value) in url {
        if settings.is_set(key) {
            settings.refuse(key, "is set, but smtp.url contains it already; remove one of them");
        } else {
            settings.set_text(key, &value, &provenance);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        config::{Config, Sources},
        delivery::KindSettings,
    };

    const URL: &str = "smtp://mail.example.com?from=a@b.example";

    fn hello_of(config: &Config) -> String {
        let KindSettings::Smtp(smtp) = &config.providers[0].kind else { panic!("{config:?}") };
        smtp.hello.clone()
    }

    /// The name by EHLO, or the problems.
    fn hello(variables: &[(&str, &str)]) -> Result<String, String> {
        let directory = tempfile::tempdir().unwrap();
        let config = Config::load(&Sources {
            directory: directory.path().into(),
            environment: variables.iter().copied().chain([("SMTP_URL", URL)]).collect(),
            file: None,
        });
        config.map(|config| hello_of(&config)).map_err(|error| error.to_string())
    }

    #[test]
    fn the_name_by_ehlo_has_its_domain() {
        let origin = |origin| hello(&[("LATCHKEY_SERVER__PUBLIC_ORIGIN", origin)]);
        assert_eq!(origin("http://otp.example.com").unwrap(), "otp.example.com");
        for unqualified in ["http://localhost:3000", "http://127.0.0.1:3000", ""] {
            assert_eq!(origin(unqualified).unwrap(), "b.example", "the sender's domain");
        }
        let set = |name| hello(&[("LATCHKEY_SMTP__HELLO", name)]);
        assert_eq!(set("mail.example.org").unwrap(), "mail.example.org");
        for bad in
            ["otp", "otp.", "otp.example.com:25", "192.0.2.1", "b\u{fc}cher.example", "a b.c"]
        {
            assert!(set(bad).unwrap_err().contains("smtp.hello: must be a host name"), "{bad}");
        }
    }

    #[test]
    fn a_sender_that_servers_refuse_is_refused_in_words() {
        let with_from = |from: &str| {
            let directory = tempfile::tempdir().unwrap();
            let set = [("LATCHKEY_SMTP__HOST", "mail.example.com"), ("LATCHKEY_SMTP__FROM", from)];
            let config = Config::load(&Sources {
                directory: directory.path().into(),
                environment: set.into_iter().collect(),
                file: None,
            });
            config.map(|config| hello_of(&config)).map_err(|error| error.to_string())
        };
        assert_eq!(with_from("otp@b\u{fc}cher.example").unwrap(), "xn--bcher-kva.example");
        let refused = with_from("b\u{fc}ro@example.com").unwrap_err();
        assert!(refused.contains("smtp.from: has letters outside of ASCII"), "{refused}");
    }
}
