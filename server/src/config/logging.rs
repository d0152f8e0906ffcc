//! `[log]`: format and level.

use tracing_subscriber::EnvFilter;

use super::{server::Mode, settings::Settings};

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Format and level of log lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// The format of log lines.
    pub format: LogFormat,
    /// Directives of `tracing`, known to parse.
    pub level: String,
}

impl LogSettings {
    pub(super) fn read(settings: &mut Settings, mode: Mode) -> Self {
        let auto = if mode == Mode::Development { LogFormat::Text } else { LogFormat::Json };
        let words = [("auto", auto), ("text", LogFormat::Text), ("json", LogFormat::Json)];
        let format = settings.choice("log.format", &words);
        let level = settings.parse("log.level", |level| match EnvFilter::try_new(level) {
            Ok(_) if !level.is_empty() => Ok(level.to_owned()),
            _ => Err("must be one of: error, warn, info, debug, trace; or directives such as \
                      \"info,server::delivery=debug\""),
        });
        Self { format, level: level.unwrap_or_default() }
    }
}
