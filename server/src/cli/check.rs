//! `latchkey check`: reports whether a server with this configuration would work.
//!
//! It looks at everything and changes nothing, beside a running server too.

use std::{io::Write, sync::Arc};

use super::{CommandError, probe};
use crate::{
    config::{Config, Mode},
    delivery::Inbox,
    error_chain::chain,
    i18n::Catalogue,
    origin::Origin,
    site::Site,
    startup,
};

/// Prints the sites, the warnings, and the state of the database and of each provider.
pub(super) async fn check(config: &Config, out: &mut impl Write) -> Result<(), CommandError> {
    let mode = match config.server.mode {
        Mode::Development => "development",
        Mode::Production => "production",
    };
    writeln!(out, "ok       the configuration is complete, for {mode}")?;
    let mut sites: Vec<_> = config.sites.all().collect();
    sites.sort_by(|a, b| a.name.cmp(&b.name));
    for site in sites {
        writeln!(out, "ok       {}", describe(site))?;
    }
    for warning in config.warnings() {
        writeln!(out, "warning  {warning}")?;
    }

    let mut fine = true;
    match startup::inspect_store(config).await {
        Ok(secrets) => {
            writeln!(
                out,
                "ok       the database can be used, and agrees with the machine's clock"
            )?;
            if !secrets.is_empty() {
                writeln!(out, "ok       master secrets {}", secrets.join(", "))?;
            }
        }
        Err(error) => {
            fine = false;
            writeln!(out, "problem  {}", chain(&error))?;
        }
    }
    let catalogue = Arc::new(Catalogue::load()?);
    let inbox = Arc::new(Inbox::new(catalogue.clone()));
    let dispatcher = startup::dispatcher(config, &catalogue, &inbox)?;
    let findings = probe::probe(&dispatcher).await;
    if findings.is_empty() {
        writeln!(out, "ok       messages are shown on /dev/inbox; nothing is sent")?;
    }
    for finding in findings {
        match finding.result {
            Ok(found) => writeln!(out, "ok       {} {found}", finding.provider)?,
            Err(trouble) => {
                fine = false;
                writeln!(out, "problem  {}", trouble.message)?;
            }
        }
    }
    if fine { Ok(()) } else { Err(CommandError::Reported) }
}

/// A site in one line, with its channels, origins and keys.
fn describe(site: &Site) -> String {
    let channels: Vec<_> = site.channels.iter().map(|channel| channel.as_str()).collect();
    let origins: Vec<_> = site.origins.iter().map(Origin::as_str).collect();
    let mut parts = vec![format!("site {}: sends by {}", site.name, channels.join(", "))];
    if !origins.is_empty() {
        parts.push(format!("embedded in {}", origins.join(", ")));
    }
    let mut count = |number: usize, one: &str, more: &str| match number {
        0 => {}
        1 => parts.push(one.to_owned()),
        _ => parts.push(format!("{number} {more}")),
    };
    count(site.return_urls.len(), "1 return URL", "return URLs");
    count(site.secrets.len(), "1 secret key", "secret keys");
    count(site.test_recipients.len(), "1 test recipient", "test recipients");
    if let Some(url) = &site.webhook {
        // The path may hold a secret of the site.
        parts.push(format!("events posted to {}", url.origin().ascii_serialization()));
    }
    parts.join("; ")
}
