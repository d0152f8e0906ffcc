//! Log lines: text for people, JSON for machines, to standard error.

use std::{
    io::IsTerminal,
    panic::{Location, PanicHookInfo},
};

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{LogFormat, LogSettings};

/// Begins to log. To be called once in the life of a process; a second call changes nothing.
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

/// Tells where it happened, and what only if that was written by us: a formatted message may quote
/// a value that nobody may read (S8).
fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(Location::to_string);
    let message = panic.payload().downcast_ref::<&'static str>();
    tracing::error!(location, message, "a fault in the program");
}
