//! Logging of errors with their sources.

use std::error::Error;

/// Logs `error` with its sources. `message` describes the consequence.
pub fn log_error(error: &dyn Error, message: &'static str) {
    tracing::error!(error = chain(error), "{message}");
}

/// An error and its sources in one line.
pub fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        line = format!("{line}: {cause}");
        source = cause.source();
    }
    line
}
