//! What is wrong with a configuration, in the operator's words.

use std::fmt;

use super::layers::Source;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The dotted key, for example `policy.code_length`.
    pub key: String,
    /// Where its value came from; `None` where nobody set one.
    pub source: Option<Source>,
    /// What is wrong and what would be right. Never quotes a secret.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.message)?;
        match &self.source {
            Some(Source::Default) | None => Ok(()),
            Some(source) => write!(f, " (from {source})"),
        }
    }
}

/// The configuration cannot be used. Holds every reason there is, so that one look is enough.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", Report(.problems))]
pub struct ConfigError {
    /// What is wrong; never empty.
    pub problems: Vec<Problem>,
}

struct Report<'a>(&'a [Problem]);

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [_] => f.write_str("the configuration has a problem:")?,
            problems => write!(f, "the configuration has {} problems:", problems.len())?,
        }
        self.0.iter().try_for_each(|problem| write!(f, "\n  - {problem}"))
    }
}
