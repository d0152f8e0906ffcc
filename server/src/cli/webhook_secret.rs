//! `latchkey keys webhook`: what a site's receiver checks signatures with.
//!
//! Not fresh, unlike the other keys: it follows from the master secrets, so it can be printed again
//! and is kept nowhere.

use std::io::Write;

use secrecy::ExposeSecret;

use super::Failure;
use crate::{config::Config, startup, webhook::Secret};

/// Prints the secret of the newest master secret to `out`, alone on its line.
pub(super) fn print(
    config: &Config,
    site: &str,
    out: &mut impl Write,
    aside: &mut impl Write,
) -> Result<(), Failure> {
    let Some(site) = config.sites.named(site) else {
        return Err(Failure::Other(format!("no site is called \"{site}\"").into()));
    };
    if site.webhook.is_none() {
        writeln!(aside, "{} has no webhook yet: set its `webhook.url`.\n", site.name)?;
    }
    let keyring = startup::keyring(&config.keys)?;
    let secrets = Secret::of_site(&keyring, &site.name)
        .map_err(|_| Failure::Other("deriving the secret failed".into()))?;
    if let Some(secret) = secrets.first() {
        writeln!(
            aside,
            "What {} checks signatures with, for as long as the newest master secret is the same:\n",
            site.name
        )?;
        writeln!(out, "{}", secret.to_text().expose_secret())?;
    }
    Ok(())
}
