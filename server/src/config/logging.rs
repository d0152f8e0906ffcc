//! What is logged, and how.

use tracing_subscriber::EnvFilter;

use super::{reader::Reader, server::Mode};

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// How log lines look.
    pub format: LogFormat,
    /// Directives of `tracing`, known to parse.
    pub level: String,
}

impl LogSettings {
    pub(super) fn read(reader: &mut Reader, mode: Mode) -> Self {
        let words =
            [("auto", None), ("text", Some(LogFormat::Text)), ("json", Some(LogFormat::Json))];
        let format = reader.choice("log.format", &words).unwrap_or(match mode {
            Mode::Development => LogFormat::Text,
            Mode::Production => LogFormat::Json,
        });
        let level = reader.text("log.level");
        if level.is_empty() || EnvFilter::try_new(&level).is_err() {
            reader.refuse(
                "log.level",
                "must be error, warn, info, debug or trace, or directives such as \
                 \"info,server::delivery=debug\"",
            );
        }
        Self { format, level }
    }
}
