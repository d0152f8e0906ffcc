//! Problems of a configuration, as the operator reads them.

use std::fmt;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    /// The dotted key, for example `policy.code_length`, or a section.
    pub key: String,
    /// The file or variable that its value came from; `None` for a default.
    pub provenance: Option<String>,
    /// The problem and its remedy. Never quotes a secret.
    pub message: String,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.message)?;
        match &self.provenance {
            Some(provenance) => write!(f, " (from {provenance})"),
            None => Ok(()),
        }
    }
}

/// The configuration cannot be used. Lists every problem, so that one look is enough.
#[derive(Clone, Debug, thiserror::Error)]
pub struct ConfigError {
    /// Never empty.
    pub problems: Vec<ConfigProblem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.problems {
            [_] => f.write_str("the configuration has a problem:")?,
            problems => write!(f, "the configuration has {} problems:", problems.len())?,
        }
        self.problems.iter().try_for_each(|problem| write!(f, "\n  - {problem}"))
    }
}
