//! Logging an error once, where it is handled, with everything that led to it.

use std::error::Error;

/// Logs `error` with all its causes, under a message that says what follows from it.
pub fn log_error(error: &dyn Error, message: &'static str) {
    tracing::error!(error = chain(error), "{message}");
}

/// An error and its causes in one line.
pub fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        line = format!("{line}: {cause}");
        source = cause.source();
    }
    line
}
