//! Values by key, and the problems found with them.
//!
//! A refused value is replaced by a harmless one, so that reading goes on and the operator hears of
//! every problem at once. The stand-in is never used, because any problem fails the load.

use std::{collections::BTreeMap, fmt::Display, ops::RangeInclusive, time::Duration};

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::problem::ConfigProblem;

/// The tables whose keys the operator chooses.
const MAPS: [&str; 8] = [
    "http.form",
    "http.headers",
    "http.senders",
    "prices",
    "test_recipients",
    "twilio.senders",
    "twilio.voice_senders",
    "twilio.whatsapp_contents",
];

/// The keys outside all sections, which are easily written into the section before them.
const TOP_LEVEL: [&str; 2] = ["sites_for_tests", "test_origins"];

/// The values of the server or of one site.
///
/// The embedded defaults decide which keys exist and of which type each is. That makes them complete
/// by construction, and lets text from the environment be read by the type of its key: a token made
/// of digits stays text.
#[derive(Default)]
pub(super) struct Settings {
    /// Precedes the keys in reports, for example `sites.shop.`.
    prefix: String,
    entries: BTreeMap<String, Entry>,
    pub(super) problems: Vec<ConfigProblem>,
    #[cfg(test)]
    pub(super) used: std::collections::BTreeSet<String>,
}

/// The value of one key.
struct Entry {
    default: Value,
    /// The value that overrides the default, and the file or variable that it came from.
    set: Option<(Value, String)>,
}

impl Entry {
    fn value(&self) -> &Value {
        self.set.as_ref().map_or(&self.default, |(value, _)| value)
    }
}

/// Filling.
impl Settings {
    /// The embedded defaults.
    pub(super) fn new(prefix: String, defaults: &str) -> Self {
        let mut settings = Self { prefix, ..Self::default() };
        settings
            .redefine(defaults.parse().expect("the embedded defaults are valid, as tests show"));
        settings
    }

    /// Adds keys with their defaults, or replaces the defaults of keys.
    pub(super) fn redefine(&mut self, defaults: Table) {
        flatten(defaults, "", &mut |key, value| {
            self.entries.insert(key, Entry { default: value, set: None });
        });
    }

    /// Overrides values key by key.
    pub(super) fn overlay(&mut self, table: Table, provenance: &str) {
        flatten(table, "", &mut |key, value| self.set(&key, value, provenance));
    }

    /// Overrides one value with text from the environment.
    pub(super) fn set_text(&mut self, key: &str, text: &str, provenance: &str) {
        let default = self.entries.get(key).map(|entry| &entry.default);
        let value = default.map_or_else(|| text.into(), |default| parse(default, text.trim()));
        self.set(key, value, provenance);
    }

    /// Takes over the values of a section as defaults. Those that were refused are not, because they
    /// are reported already.
    pub(super) fn inherit(&mut self, section: &str, parent: &Self) {
        for (key, entry) in &mut self.entries {
            if let Some(inherited) = parent.entries.get(key)
                && key.starts_with(section)
                && parent.is_fine(key)
            {
                entry.default = inherited.value().clone();
            }
        }
    }

    fn set(&mut self, key: &str, value: Value, provenance: &str) {
        let Some(entry) = self.entries.get_mut(key) else {
            return self.report(key, provenance, self.unknown(key));
        };
        match mismatch(&entry.default, &value) {
            None => entry.set = Some((value, provenance.to_owned())),
            Some(expected) => self.report(key, provenance, format!("must be {expected}")),
        }
    }

    fn unknown(&self, key: &str) -> String {
        // Half-way between "some letters in common" and "the same word".
        const ALIKE: f64 = 0.8;
        let last = key.rsplit('.').next().unwrap_or(key);
        if TOP_LEVEL.contains(&last) {
            return format!(
                "unknown key; {last} stands at the top of the file, before the first section"
            );
        }
        let alike = self.entries.keys().map(|known| (strsim::jaro_winkler(known, key), known));
        match alike.filter(|(likeness, _)| *likeness > ALIKE).max_by(|a, b| a.0.total_cmp(&b.0)) {
            Some((_, known)) => format!("unknown key; did you mean {}?", self.name(known)),
            None => "unknown key".to_owned(),
        }
    }

    /// Notes a problem with a value from this file or variable.
    pub(super) fn report(&mut self, key: &str, provenance: &str, message: impl Into<String>) {
        let (key, provenance) = (self.name(key), Some(provenance.to_owned()));
        self.problems.push(ConfigProblem { key, provenance, message: message.into() });
    }
}

/// Reading. The keys must be among the defaults.
impl Settings {
    /// Notes that the value of a key cannot be used. `key` may be a section as well.
    pub(super) fn refuse(&mut self, key: &str, message: impl Into<String>) {
        let provenance = self.provenance(key).map(str::to_owned);
        let key = self.name(key);
        self.problems.push(ConfigProblem { key, provenance, message: message.into() });
    }

    /// Whether the key has another value than its default.
    pub(super) fn is_set(&self, key: &str) -> bool {
        self.provenance(key).is_some()
    }

    /// The first key beginning with `prefix` that has another value than its default.
    pub(super) fn first_set(&self, prefix: &str) -> Option<String> {
        let entries = self.entries.range(prefix.to_owned()..);
        let mut entries = entries.take_while(|(key, _)| key.starts_with(prefix));
        entries.find(|(_, entry)| entry.set.is_some()).map(|(key, _)| key.clone())
    }

    /// The file or variable that set a key.
    pub(super) fn provenance(&self, key: &str) -> Option<&str> {
        Some(&self.entries.get(key)?.set.as_ref()?.1)
    }

    /// Whether no problem was found with a key, or with any key of a section.
    pub(super) fn is_fine(&self, key: &str) -> bool {
        let name = self.name(key);
        let name = name.trim_end_matches('.');
        let rests = self.problems.iter().filter_map(|problem| problem.key.strip_prefix(name));
        !rests.into_iter().any(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// A value in the Rust type that corresponds to its TOML type.
    pub(super) fn get<T: DeserializeOwned + Default>(&mut self, key: &str) -> T {
        #[cfg(test)]
        self.used.insert(self.name(key));
        let entry =
            self.entries.get(key).expect("only keys of the defaults are read, as tests show");
        entry.value().clone().try_into().unwrap_or_default()
    }

    /// A text, possibly empty.
    pub(super) fn text(&mut self, key: &str) -> String {
        self.get::<String>(key).trim().to_owned()
    }

    /// A text; an empty one counts as not set.
    pub(super) fn optional(&mut self, key: &str) -> Option<String> {
        Some(self.text(key)).filter(|text| !text.is_empty())
    }

    /// A text in a type of its own. `None` if `parse` refuses it.
    pub(super) fn parse<T, M: Into<String>>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, M>,
    ) -> Option<T> {
        let text = self.text(key);
        parse(&text).map_err(|message| self.refuse(key, message)).ok()
    }

    /// As [`Self::parse`]; an empty text counts as not set.
    pub(super) fn parse_optional<T, M: Into<String>>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, M>,
    ) -> Option<T> {
        self.optional(key)?;
        self.parse(key, parse)
    }

    /// A list of texts, each in a type of its own and different from the others. Items are reported
    /// by their number, because they may be secrets.
    pub(super) fn parse_list<T: PartialEq, M: Into<String>>(
        &mut self,
        key: &str,
        mut parse: impl FnMut(&str) -> Result<T, M>,
    ) -> Vec<T> {
        let mut items = Vec::new();
        for (index, text) in self.get::<Vec<String>>(key).iter().enumerate() {
            let message = match parse(text.trim()) {
                Ok(item) if items.contains(&item) => "is listed twice".to_owned(),
                Ok(item) => {
                    items.push(item);
                    continue;
                }
                Err(message) => message.into(),
            };
            self.refuse(key, format!("item {} {message}", index + 1));
        }
        items
    }

    /// A whole number within bounds.
    pub(super) fn number<T>(&mut self, key: &str, bounds: RangeInclusive<T>) -> T
    where
        T: TryFrom<i64> + PartialOrd + Display + Copy,
    {
        let given: i64 = self.get(key);
        let number = T::try_from(given).ok().filter(|number| bounds.contains(number));
        let (low, high) = bounds.into_inner();
        number.unwrap_or_else(|| {
            self.refuse(key, format!("must be from {low} to {high}, not {given}"));
            low
        })
    }

    /// A duration in whole seconds within bounds.
    pub(super) fn seconds(&mut self, key: &str, bounds: RangeInclusive<u64>) -> Duration {
        Duration::from_secs(self.number(key, bounds))
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&mut self, key: &str, words: &[(&str, T)]) -> T {
        let choice = self.parse(key, |text| {
            let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
            let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            found.ok_or(format!("must be one of: {}", known.join(", ")))
        });
        choice.unwrap_or(&words[0]).1
    }

    /// Refuses one of two numbers of seconds if the first is larger than the second: the one that was
    /// set, since the other one may still have its default.
    pub(super) fn refuse_unless_ordered(&mut self, shorter: &str, longer: &str) {
        let (short, long): (i64, i64) = (self.get(shorter), self.get(longer));
        if short <= long || !self.is_fine(shorter) || !self.is_fine(longer) {
            return;
        }
        let (shortest, longest) = (self.name(shorter), self.name(longer));
        if self.is_set(longer) {
            self.refuse(longer, format!("must be at least {shortest}, {short} seconds"));
        } else {
            self.refuse(shorter, format!("must be at most {longest} ({long} seconds); raise both"));
        }
    }

    /// Takes over the problems of a site.
    pub(super) fn absorb(&mut self, site: Self) {
        self.problems.extend(site.problems);
        #[cfg(test)]
        self.used.extend(site.used);
    }

    /// Every key, as reports name it.
    #[cfg(test)]
    pub(super) fn names(&self) -> Vec<String> {
        self.entries.keys().map(|key| self.name(key)).collect()
    }

    fn name(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }
}

/// Calls `found` with the dotted key of every value.
fn flatten(table: Table, prefix: &str, found: &mut impl FnMut(String, Value)) {
    for (name, value) in table {
        let key = format!("{prefix}{name}");
        match value {
            Value::Table(inner) if !MAPS.contains(&&*key) => {
                flatten(inner, &format!("{key}."), found);
            }
            value => found(key, value),
        }
    }
}

/// Text as a value of the default's type, or as a string if it is none; that does not fit then.
fn parse(default: &Value, text: &str) -> Value {
    match default {
        Value::Integer(_) => text.parse().map_or_else(|_| text.into(), Value::Integer),
        Value::Boolean(_) => text.parse().map_or_else(|_| text.into(), Value::Boolean),
        Value::Float(_) => text.parse().map_or_else(|_| text.into(), Value::Float),
        Value::Array(defaults) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            let default = defaults.first();
            let items = items.map(|item| default.map_or_else(|| item.into(), |d| parse(d, item)));
            Value::Array(items.collect())
        }
        _ => text.into(),
    }
}

/// The type that a value must have and does not, in words.
fn mismatch(default: &Value, value: &Value) -> Option<&'static str> {
    let all =
        |fits: fn(&Value) -> bool| value.as_array().is_some_and(|items| items.iter().all(fits));
    let (fits, expected) = match default {
        Value::Integer(_) => (value.is_integer(), "a whole number"),
        Value::Boolean(_) => (value.is_bool(), "true or false"),
        Value::Float(_) => (value.is_float(), "a number with a point or an exponent"),
        Value::Array(items) if items.first().is_some_and(Value::is_integer) => {
            (all(Value::is_integer), "a list of whole numbers")
        }
        Value::Array(_) => (all(Value::is_str), "a list of strings"),
        Value::Table(_) => {
            let table = value.as_table();
            (table.is_some_and(|table| table.values().all(Value::is_str)), "a table of strings")
        }
        _ => (value.is_str(), "a string"),
    };
    (!fits).then_some(expected)
}
