//! `latchkey check`: would it work?

use std::{io::Write, sync::Arc};

use super::{Failure, probe};
use crate::{
    catalogue::Catalogue,
    config::{Config, Mode},
    delivery::Inbox,
    keys::Keyring,
    startup,
};

/// Says what is configured and whether the providers would take messages.
pub(super) async fn check(config: &Config, out: &mut impl Write) -> Result<(), Failure> {
    let mode = match config.server.mode {
        Mode::Development => "development",
        Mode::Production => "production",
    };
    writeln!(out, "ok       the configuration is complete, for {mode}")?;
    for warning in config.warnings() {
        writeln!(out, "warning  {warning}")?;
    }

    if config.keys.given.is_none() {
        Keyring::read(&config.keys.file)?;
    }
    let catalogue = Arc::new(Catalogue::load()?);
    let inbox = Arc::new(Inbox::new(catalogue.clone()));
    let courier = startup::courier(config, &catalogue, &inbox)?;
    let findings = probe::probe(&courier, config).await;
    if findings.is_empty() {
        writeln!(out, "ok       messages are shown on /dev/inbox; nothing is sent")?;
    }
    let mut fine = true;
    for finding in findings {
        match finding.trouble {
            None => writeln!(out, "ok       {} would take messages", finding.provider)?,
            Some(trouble) => {
                fine = false;
                writeln!(out, "problem  {}", trouble.message)?;
            }
        }
    }
    if fine { Ok(()) } else { Err(Failure::Told) }
}
