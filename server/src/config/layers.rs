//! The layers of the configuration, laid over each other key by key.
//!
//! `default.toml` decides which keys there are and of which kind each is. That makes it complete
//! by construction, and lets text from the environment be read by the kind of its key: a token
//! made of digits stays text. Every value remembers where it came from.
//!
//! Each `[[sites]]` of the file has layers of its own, laid over `site.toml` likewise. Their keys are
//! asked for by what stands in that file and reported by their whole name, as `sites.shop.origins`.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use toml::{Table, Value};

use super::{
    Sources, environment::CONFIG_VARIABLE, environment::Variable, problem::Problem,
    sites::site_name_problem,
};

const DEFAULTS: &str = include_str!("default.toml");
const SITE_DEFAULTS: &str = include_str!("site.toml");
const DEFAULT_FILE: &str = "latchkey.toml";

/// The keys that stand in no section, so that they are easily written into the one before them.
const ABOVE_SECTIONS: [&str; 2] = ["sites_for_tests", "test_origins"];

/// The keys of whose table the operator chooses the names within.
const PAIRS: [&str; 1] = ["test_recipients"];

/// Keys whose values no message, log or `Debug` shows, and which `..._FILE` variables can set.
const SECRETS: [&str; 4] = ["keys.secrets", "smtp.url", "smtp.password", "twilio.auth_token"];

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The embedded `default.toml`.
    Default,
    /// A configuration file.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the defaults"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
        }
    }
}

/// All keys with the value that won.
pub(super) struct Layers {
    /// What the keys are called in reports begins with this.
    prefix: String,
    entries: BTreeMap<String, (Value, Source)>,
    sites: Vec<Table>,
    /// Where the sites stand.
    file: Option<Source>,
    pub(super) problems: Vec<Problem>,
}

impl Layers {
    /// Reads every layer. What cannot be read is a problem, and the layer below stands in.
    pub(super) fn read(sources: &Sources) -> Self {
        let mut layers = Self::of_defaults(String::new(), DEFAULTS);
        layers.read_file(sources);
        for variable in sources.environment.classic() {
            layers.set_from(variable);
        }
        for mut variable in sources.environment.own() {
            if let Some(key) = variable.key.strip_suffix("_file").filter(|key| is_secret(key)) {
                variable = Variable { key: key.to_owned(), names_a_file: true, ..variable };
            }
            layers.set_from(variable);
        }
        layers
    }

    /// The layers of each site, in the order of the file. Of the policy, what `inherits` says is
    /// taken over from here.
    pub(super) fn sites(&self, inherits: impl Fn(&str) -> bool) -> Vec<Self> {
        let file = self.file.clone().unwrap_or(Source::Default);
        let layers = |(index, table): (usize, &Table)| {
            let name = table.get("name").and_then(Value::as_str).unwrap_or_default().trim();
            let prefix = match site_name_problem(name) {
                None => format!("sites.{name}."),
                Some(_) => format!("sites[{}].", index + 1),
            };
            let mut layers = Self::of_defaults(prefix, SITE_DEFAULTS);
            for (key, (value, _)) in &self.entries {
                if key.starts_with("policy.") && inherits(key) {
                    layers.entries.insert(key.clone(), (value.clone(), Source::Default));
                }
            }
            flatten(table.clone(), "", &mut |key, value| layers.set(&key, value, &file));
            layers
        };
        self.sites.iter().enumerate().map(layers).collect()
    }

    /// What a key is called in reports.
    pub(super) fn name(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// The value of a key that `default.toml` has.
    pub(super) fn value(&self, key: &str) -> &Value {
        &self.entries.get(key).expect("only keys of default.toml are asked for, as tests show").0
    }

    /// Where the value of a key came from.
    pub(super) fn source(&self, key: &str) -> Option<&Source> {
        self.entries.get(key).map(|(_, source)| source)
    }

    /// Every key there is.
    #[cfg(test)]
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    fn of_defaults(prefix: String, defaults: &str) -> Self {
        let defaults = defaults.parse().expect("the embedded defaults are valid, as tests show");
        let mut entries = BTreeMap::new();
        flatten(defaults, "", &mut |key, value| {
            entries.insert(key, (value, Source::Default));
        });
        Self { prefix, entries, sites: Vec::new(), file: None, problems: Vec::new() }
    }

    fn read_file(&mut self, sources: &Sources) {
        let named = sources.file.clone();
        let named = named.or_else(|| sources.environment.get(CONFIG_VARIABLE).map(PathBuf::from));
        let required = named.is_some();
        let path = sources.directory.join(named.unwrap_or_else(|| DEFAULT_FILE.into()));
        let source = Source::File(path.clone());
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if !required && error.kind() == std::io::ErrorKind::NotFound => return,
            Err(error) => {
                return self.refuse(
                    "configuration file",
                    &source,
                    format!("cannot be read: {error}"),
                );
            }
        };
        match text.parse::<Table>() {
            Ok(mut table) => {
                if let Some(sites) = table.remove("sites") {
                    self.take_sites(sites, &source);
                }
                flatten(table, "", &mut |key, value| self.set(&key, value, &source));
            }
            // The library's own words show the offending line, which may hold a secret.
            Err(error) => {
                let line =
                    error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
                let message = format!("is no TOML: line {line}: {}", error.message());
                self.refuse("configuration file", &source, message);
            }
        }
    }

    fn take_sites(&mut self, sites: Value, source: &Source) {
        self.file = Some(source.clone());
        let table = |site| match site {
            Value::Table(table) => Some(table),
            _ => None,
        };
        let tables = match sites {
            Value::Array(sites) => sites.into_iter().map(table).collect(),
            _ => None,
        };
        match tables {
            Some(tables) => self.sites = tables,
            None => self.refuse("sites", source, "is written as [[sites]], once a site".to_owned()),
        }
    }

    fn set_from(&mut self, variable: Variable<'_>) {
        let Variable { name, key, value, names_a_file } = variable;
        let source = Source::Variable(name);
        let Some((known, _)) = self.entries.get(&key) else {
            if key.starts_with("sites") && !key.starts_with("sites_for") {
                let message = "stands in the configuration file alone, as [[sites]]; no variable \
                               sets anything of a site";
                return self.refuse(&key, &source, message.to_owned());
            }
            return self.refuse_unknown(&key, &source);
        };
        let kind = Kind::of(known);
        let value = if names_a_file { read_secret(Path::new(value)) } else { Ok(value.to_owned()) };
        match value.and_then(|text| kind.parse(text.trim())) {
            Ok(value) => self.set(&key, value, &source),
            Err(message) => self.refuse(&key, &source, message),
        }
    }

    fn set(&mut self, key: &str, value: Value, source: &Source) {
        let Some((known, _)) = self.entries.get(key) else {
            return self.refuse_unknown(key, source);
        };
        let kind = Kind::of(known);
        if kind.fits(&value) {
            self.entries.insert(key.to_owned(), (value, source.clone()));
        } else {
            self.refuse(key, source, kind.expectation());
        }
    }

    fn refuse(&mut self, key: &str, source: &Source, message: String) {
        let key = self.name(key);
        self.problems.push(Problem { key, source: Some(source.clone()), message });
    }

    fn refuse_unknown(&mut self, key: &str, source: &Source) {
        // Half-way between "some letters in common" and "the same word".
        const ALIKE: f64 = 0.8;
        let last = key.rsplit('.').next().unwrap_or(key);
        if ABOVE_SECTIONS.contains(&last) {
            let message = format!(
                "there is no such key; {last} belongs to no section, so it stands above the first"
            );
            return self.refuse(key, source, message);
        }
        let nearest = self
            .entries
            .keys()
            .map(|known| (strsim::jaro_winkler(known, key), known))
            .filter(|(likeness, _)| *likeness > ALIKE)
            .max_by(|(a, _), (b, _)| a.total_cmp(b));
        let message = match nearest {
            Some((_, known)) => {
                format!("there is no such key; did you mean {}?", self.name(known))
            }
            None => "there is no such key".to_owned(),
        };
        self.refuse(key, source, message);
    }
}

/// Whether a key's value is a secret.
pub(super) fn is_secret(key: &str) -> bool {
    SECRETS.contains(&key)
}

fn read_secret(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path)
        .map(|text| text.trim().lines().collect::<Vec<_>>().join(","))
        .map_err(|error| format!("the file {} cannot be read: {error}", path.display()))
}

/// Calls `found` with the dotted key of every leaf.
fn flatten(table: Table, prefix: &str, found: &mut impl FnMut(String, Value)) {
    for (name, value) in table {
        let key = format!("{prefix}{name}");
        match value {
            Value::Table(inner) if !PAIRS.contains(&&*key) => {
                flatten(inner, &format!("{key}."), found);
            }
            leaf => found(key, leaf),
        }
    }
}

/// What a value looks like; lists hold numbers or texts.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    Flag,
    Texts,
    Numbers,
    Pairs,
}

impl Kind {
    fn of(default: &Value) -> Self {
        match default {
            Value::Integer(_) => Self::Number,
            Value::Boolean(_) => Self::Flag,
            Value::Array(items) if items.first().is_some_and(Value::is_integer) => Self::Numbers,
            Value::Array(_) => Self::Texts,
            Value::Table(_) => Self::Pairs,
            _ => Self::Text,
        }
    }

    fn fits(self, value: &Value) -> bool {
        let list = |fits: fn(&Value) -> bool| value.as_array().is_some_and(|l| l.iter().all(fits));
        match self {
            Self::Text => value.is_str(),
            Self::Number => value.is_integer(),
            Self::Flag => value.is_bool(),
            Self::Texts => list(Value::is_str),
            Self::Numbers => list(Value::is_integer),
            Self::Pairs => value.as_table().is_some_and(|table| table.values().all(Value::is_str)),
        }
    }

    fn parse(self, text: &str) -> Result<Value, String> {
        let number = |text: &str| text.parse().map(Value::Integer).map_err(|_| self.expectation());
        let items = || text.split(',').map(str::trim).filter(|item| !item.is_empty());
        match self {
            Self::Text => Ok(Value::String(text.to_owned())),
            Self::Number => number(text),
            Self::Flag => text.parse().map(Value::Boolean).map_err(|_| self.expectation()),
            Self::Texts => Ok(Value::Array(items().map(Value::from).collect())),
            Self::Numbers => items().map(number).collect::<Result<_, _>>().map(Value::Array),
            Self::Pairs => Err(self.expectation()),
        }
    }

    fn expectation(self) -> String {
        let what = match self {
            Self::Text => "a text in quotes",
            Self::Number => "a whole number",
            Self::Flag => "true or false",
            Self::Texts => "a list of texts",
            Self::Numbers => "a list of whole numbers",
            Self::Pairs => "a table of texts in quotes",
        };
        format!("must be {what}")
    }
}
