//! `latchkey serve`: runs the server until a signal stops it.

use std::io::{self, Write};

use tokio::signal::unix::{SignalKind, signal};

use super::{CommandError, probe};
use crate::{
    config::{Config, Mode},
    http::Ended,
    startup::Application,
    telemetry,
};

/// Serves until SIGTERM or SIGINT, and then succeeds even if some requests were cut off.
pub(super) async fn serve(config: &Config, accept_clock: bool) -> Result<(), CommandError> {
    telemetry::start(&config.log);
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    // Before anything else, so that a signal during the start is not lost.
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);

    let application = Application::build(config, accept_clock).await?;
    if config.check_providers {
        check_providers(&application).await?;
    }
    // A closed standard output is no reason to stop.
    let _ = announce(&application, config);

    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    match application.run_until_stopped(stop).await {
        Ended::Cleanly => tracing::info!("stopped"),
        Ended::CutOff { connections } => {
            tracing::warn!(connections, "stopped, with requests cut off that took too long");
        }
    }
    Ok(())
}

/// Refused credentials would make every message fail; a provider out of reach may be back before the
/// first one.
async fn check_providers(application: &Application) -> Result<(), CommandError> {
    let mut refused = Vec::new();
    for finding in probe::probe(application.dispatcher()).await {
        match finding.result {
            Ok(found) => tracing::info!(provider = finding.provider, "{found}"),
            Err(trouble) if trouble.is_final => refused.push((finding.name, trouble.message)),
            Err(trouble) => tracing::warn!("{}", trouble.message),
        }
    }
    // The others of each channel take the messages of one that is refused.
    let (names, messages): (Vec<_>, Vec<_>) = refused.into_iter().unzip();
    if application.dispatcher().works_without(&names) {
        for message in messages {
            tracing::error!("{message}");
        }
        return Ok(());
    }
    let mut err = io::stderr();
    for message in messages {
        writeln!(err, "latchkey: {message}")?;
    }
    writeln!(err, "latchkey: not started; startup.check_providers = false starts all the same")?;
    Err(CommandError::Reported)
}

/// Logs the address; in development also prints the URLs to open.
fn announce(application: &Application, config: &Config) -> io::Result<()> {
    let address = application.address();
    let origin = config.server.origin(address);
    tracing::info!(%address, %origin, "listening");
    if config.server.mode == Mode::Development {
        let mut out = io::stdout();
        writeln!(out, "\n  Latchkey is ready.\n")?;
        if config.page.start {
            writeln!(out, "  Page       {origin}/")?;
        }
        writeln!(out, "  Messages   {origin}/dev/inbox\n")?;
        out.flush()?;
    }
    Ok(())
}
