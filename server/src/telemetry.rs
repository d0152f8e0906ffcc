//! Logging to standard error, as text or JSON.

use std::{
    io::IsTerminal,
    panic::{Location, PanicHookInfo},
};

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{LogFormat, LogSettings};

/// Starts logging. A second call in a process has no effect.
pub fn start(settings: &LogSettings) {
    let filter = EnvFilter::try_new(&settings.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let registry = tracing_subscriber::registry().with(filter);
    let lines = fmt::layer().with_writer(std::io::stderr);
    let started = match settings.format {
        LogFormat::Text => {
            let colours = std::io::stderr().is_terminal();
            registry.with(lines.with_ansi(colours).with_target(false)).try_init()
        }
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true).with_span_list(false);
            registry.with(lines).try_init()
        }
    };
    if started.is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
}

/// Logs the location of a panic, and its message if it is a literal: a formatted message may contain secret
/// values (S8).
fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(Location::to_string);
    let message = panic.payload().downcast_ref::<&'static str>();
    tracing::error!(location, message, "panic");
}
