//! Counts of a scenario, and the promises that they are compared with.

use std::{
    collections::BTreeMap,
    fmt::{self, Display, Formatter},
};

/// A promise and the figure that was measured.
#[derive(Clone, Debug)]
pub struct Promise {
    /// Its number in `docs/SECURITY.md` and its words.
    pub words: String,
    /// Measured.
    pub measured: f64,
    /// Largest figure with which it is kept.
    pub bound: f64,
}

impl Promise {
    /// Whether it is kept.
    pub fn is_kept(&self) -> bool {
        self.measured <= self.bound
    }
}

/// Result of a scenario.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Scenario, with its size.
    pub title: String,
    /// Figures by name, in the order in which they are printed.
    pub figures: Vec<(String, String)>,
    /// Refusals by the server's words.
    pub refused: BTreeMap<String, u64>,
    /// Promises.
    pub promises: Vec<Promise>,
}

impl Report {
    /// An empty report.
    pub(crate) fn new(title: String) -> Self {
        Self { title, ..Self::default() }
    }

    pub(crate) fn figure(&mut self, name: impl Into<String>, value: impl Display) {
        self.figures.push((name.into(), value.to_string()));
    }

    /// Counts a refusal.
    pub(crate) fn refuse(&mut self, words: &str) {
        *self.refused.entry(words.to_owned()).or_default() += 1;
    }

    pub(crate) fn promise(&mut self, words: impl Into<String>, measured: f64, bound: f64) {
        self.promises.push(Promise { words: words.into(), measured, bound });
    }

    /// Whether all promises are kept.
    pub fn is_kept(&self) -> bool {
        self.promises.iter().all(Promise::is_kept)
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        for (name, value) in &self.figures {
            writeln!(f, "  {name:<34} {value}")?;
        }
        for (words, times) in &self.refused {
            writeln!(f, "  refused {times:>7} times: {words}")?;
        }
        for Promise { words, measured, bound } in &self.promises {
            let kept = if measured <= bound { "kept  " } else { "BROKEN" };
            writeln!(f, "  {kept} {words}: {} of at most {}", Short(*measured), Short(*bound))?;
        }
        Ok(())
    }
}

/// A count, or a small probability.
struct Short(f64);

impl Display for Short {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(number) = self;
        if *number == 0.0 || *number >= 0.1 {
            write!(f, "{number}")
        } else {
            write!(f, "{number:.2e}")
        }
    }
}
