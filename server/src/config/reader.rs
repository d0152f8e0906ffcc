//! Takes typed values out of the layers and gathers what is wrong with them.
//!
//! A value that is refused is replaced by a harmless one, so that reading goes on and the operator
//! hears of everything at once; the stand-in is never used, because any problem fails the whole.

use std::{fmt::Display, net::IpAddr, ops::RangeInclusive, time::Duration};

use ipnet::IpNet;
use secrecy::SecretString;
use toml::Value;

use super::{
    layers::{Layers, Source},
    problem::{ConfigError, Problem},
};

/// Reads keys and remembers problems.
pub(super) struct Reader {
    layers: Layers,
    problems: Vec<Problem>,
    #[cfg(test)]
    pub(super) asked: std::collections::BTreeSet<String>,
}

impl Reader {
    pub(super) fn new(mut layers: Layers) -> Self {
        let problems = std::mem::take(&mut layers.problems);
        #[cfg(test)]
        return Self { layers, problems, asked: std::collections::BTreeSet::new() };
        #[cfg(not(test))]
        Self { layers, problems }
    }

    /// Gives `value` if nothing was wrong.
    pub(super) fn finish<T>(self, value: T) -> Result<T, ConfigError> {
        if self.problems.is_empty() {
            Ok(value)
        } else {
            Err(ConfigError { problems: self.problems })
        }
    }

    /// A reader for each site, in the order of the file. To be given back when it has read.
    pub(super) fn sites(&self) -> Vec<Self> {
        // What is wrong with the server's own policy is told once, not again for every site.
        self.layers.sites(|key| self.is_fine(key)).into_iter().map(Self::new).collect()
    }

    /// Takes over what the reader of a site has found.
    pub(super) fn absorb(&mut self, site: Self) {
        self.problems.extend(site.problems);
        #[cfg(test)]
        self.asked.extend(site.asked.into_iter().map(|key| format!("sites.{key}")));
    }

    /// Notes that the value of `key` cannot be used. A whole section may stand for a key.
    pub(super) fn refuse(&mut self, key: &str, message: impl Into<String>) {
        let source = self.layers.source(key).cloned();
        let key = self.layers.name(key);
        self.problems.push(Problem { key, source, message: message.into() });
    }

    /// Whether anybody but `default.toml` has set the key.
    pub(super) fn is_set(&self, key: &str) -> bool {
        self.layers.source(key).is_some_and(|source| *source != Source::Default)
    }

    /// Whether nothing is known against the value of the key, so that it can be compared with
    /// others.
    pub(super) fn is_fine(&self, key: &str) -> bool {
        let key = self.layers.name(key);
        !self.problems.iter().any(|problem| problem.key == key)
    }

    /// Whether nothing is known against the values of all keys that begin so.
    pub(super) fn is_fine_within(&self, start: &str) -> bool {
        let start = self.layers.name(start);
        !self.problems.iter().any(|problem| problem.key.starts_with(&start))
    }

    /// Refuses one of two durations if the first is longer than the second. The one that was set
    /// is told about, since the other one may still have its default.
    pub(super) fn refuse_unless_ordered(
        &mut self,
        (shorter, short): (&str, Duration),
        (longer, long): (&str, Duration),
    ) {
        if short <= long || !self.is_fine(shorter) || !self.is_fine(longer) {
            return;
        }
        let (short, long) = (short.as_secs(), long.as_secs());
        if self.is_set(longer) {
            let shorter = self.layers.name(shorter);
            self.refuse(longer, format!("must be at least {shorter}, {short} seconds"));
        } else {
            let longer = self.layers.name(longer);
            let message = format!("must be at most {longer}, {long} seconds; raise that as well");
            self.refuse(shorter, message);
        }
    }

    /// A text, possibly empty.
    pub(super) fn text(&mut self, key: &str) -> String {
        self.value(key).as_str().unwrap_or_default().trim().to_owned()
    }

    /// A text; an empty one counts as not set.
    pub(super) fn optional(&mut self, key: &str) -> Option<String> {
        Some(self.text(key)).filter(|text| !text.is_empty())
    }

    /// A text that nobody but its user may see; an empty one counts as not set.
    pub(super) fn secret(&mut self, key: &str) -> Option<SecretString> {
        self.optional(key).map(SecretString::from)
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, key: &str) -> Vec<String> {
        let items = self.value(key).as_array().into_iter().flatten();
        items.filter_map(Value::as_str).map(|item| item.trim().to_owned()).collect()
    }

    /// A table of texts under names of the operator's choice.
    pub(super) fn pairs(&mut self, key: &str) -> Vec<(String, String)> {
        let entries = self.value(key).as_table().into_iter().flatten();
        let pair = |(name, value): (&String, &Value)| {
            Some((name.trim().to_owned(), value.as_str()?.trim().to_owned()))
        };
        entries.filter_map(pair).collect()
    }

    /// A yes or no.
    pub(super) fn flag(&mut self, key: &str) -> bool {
        self.value(key).as_bool().unwrap_or_default()
    }

    /// A whole number within bounds.
    pub(super) fn number<T>(&mut self, key: &str, bounds: RangeInclusive<T>) -> T
    where
        T: TryFrom<i64> + PartialOrd + Display + Copy,
    {
        let given = self.value(key).as_integer().unwrap_or_default();
        self.bounded(key, given, &bounds)
    }

    /// A duration in whole seconds within bounds.
    pub(super) fn seconds(&mut self, key: &str, bounds: RangeInclusive<u64>) -> Duration {
        Duration::from_secs(self.number(key, bounds))
    }

    /// A list of durations in whole seconds, each within bounds.
    pub(super) fn list_of_seconds(
        &mut self,
        key: &str,
        bounds: &RangeInclusive<u64>,
    ) -> Vec<Duration> {
        let items = self.value(key).as_array().into_iter().flatten();
        let given: Vec<i64> = items.filter_map(Value::as_integer).collect();
        given.into_iter().map(|n| Duration::from_secs(self.bounded(key, n, bounds))).collect()
    }

    /// A list of networks; an address stands for itself alone.
    pub(super) fn networks(&mut self, key: &str) -> Vec<IpNet> {
        let mut networks = Vec::new();
        for text in self.texts(key) {
            match text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)) {
                Ok(network) => networks.push(network),
                Err(_) => self.refuse(
                    key,
                    format!("\"{text}\" is no network; write for example 10.0.0.0/8 or 192.0.2.7"),
                ),
            }
        }
        networks
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&mut self, key: &str, words: &[(&str, T)]) -> T {
        let given = self.text(key).to_ascii_lowercase();
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == given) {
            return *value;
        }
        let known: Vec<_> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        self.refuse(key, format!("must be one of {}, and is \"{given}\"", known.join(", ")));
        words[0].1
    }

    fn bounded<T>(&mut self, key: &str, given: i64, bounds: &RangeInclusive<T>) -> T
    where
        T: TryFrom<i64> + PartialOrd + Display + Copy,
    {
        let (low, high) = (bounds.start(), bounds.end());
        match T::try_from(given) {
            Ok(number) if bounds.contains(&number) => number,
            _ => {
                self.refuse(key, format!("must be from {low} to {high}, and is {given}"));
                *low
            }
        }
    }

    fn value(&mut self, key: &str) -> &Value {
        #[cfg(test)]
        self.asked.insert(key.to_owned());
        self.layers.value(key)
    }
}
