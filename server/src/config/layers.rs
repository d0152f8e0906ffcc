//! The layers of the configuration, laid over each other key by key: the embedded defaults, then the
//! file, then the environment. Each `[[sites]]` of the file is laid over `site.toml` likewise, and each
//! `[[providers]]` over `provider.toml`, with the preset that it names in between.

use std::{fs, io::ErrorKind, path::PathBuf};

use toml::{Table, Value};

use super::{
    environment::{CONFIG_VARIABLE, Environment, of_provider},
    providers::{apply_preset, provider_name},
    settings::Settings,
    sites::site_name,
};

/// The sources of a configuration.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file named on the command line.
    pub file: Option<PathBuf>,
    /// The start of relative paths; empty for the working directory.
    pub directory: PathBuf,
    /// The environment variables.
    pub environment: Environment,
}

impl Sources {
    /// The environment and working directory of this process, and the file it was told to read.
    pub fn of_process(file: Option<PathBuf>) -> Self {
        Self { file, directory: PathBuf::new(), environment: Environment::of_process() }
    }
}

/// The settings of the server, and those of its sites and providers in the order of the file.
pub(super) struct Layers {
    pub(super) server: Settings,
    pub(super) sites: Vec<Settings>,
    pub(super) providers: Vec<Named>,
}

/// The settings of a provider, with its name as variables write it.
pub(super) struct Named {
    variable: String,
    pub(super) settings: Settings,
}

const DEFAULTS: &str = include_str!("default.toml");

/// Reads all sources.
pub(super) fn read(sources: &Sources) -> Layers {
    let mut settings = Settings::new(String::new(), DEFAULTS);
    let (sites, mut providers) = read_file(sources, &mut settings);
    for (name, key, text) in sources.environment.variables() {
        let provenance = format!("environment variable {name}");
        match text {
            _ if key.starts_with("sites") && !key.starts_with("sites_for") => {
                let message = "can only be set in the configuration file, as [[sites]]";
                settings.report(&key, &provenance, message);
            }
            Ok(text) => match of_provider(&key) {
                Some(of) => set_of_provider(&mut settings, &mut providers, of, &text, &provenance),
                None => settings.set_text(&key, &text, &provenance),
            },
            Err(message) => settings.report(&key, &provenance, message),
        }
    }
    Layers { server: settings, sites, providers }
}

/// Overrides one value of the provider with this name.
fn set_of_provider(
    settings: &mut Settings,
    providers: &mut [Named],
    (name, key): (&str, &str),
    text: &str,
    provenance: &str,
) {
    if let Some(provider) = providers.iter_mut().find(|provider| provider.variable == name) {
        provider.settings.set_text(key, text, provenance);
    } else {
        let message =
            "is for a provider that the configuration file does not name in [[providers]]";
        settings.report(&format!("providers.{name}.{key}"), provenance, message);
    }
}

/// Lays the file over the settings of the server; gives the settings of its sites and providers.
fn read_file(sources: &Sources, settings: &mut Settings) -> (Vec<Settings>, Vec<Named>) {
    const FILE: &str = "configuration file";
    let named = sources.environment.get(CONFIG_VARIABLE).map(PathBuf::from);
    let named = sources.file.clone().or(named);
    let is_optional = named.is_none();
    let path = sources.directory.join(named.unwrap_or_else(|| "latchkey.toml".into()));
    let provenance = path.display().to_string();
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if is_optional && error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => {
            settings.report(FILE, &provenance, format!("cannot be read: {error}"));
            return (Vec::new(), Vec::new());
        }
    };
    let mut file = text.parse::<Table>().unwrap_or_else(|error| {
        // The error's `Display` shows the offending line, which may hold a secret.
        let start = error.span().map_or(0, |span| span.start);
        let line = 1 + text[..start].matches('\n').count();
        let message = format!("is not valid TOML: line {line}: {}", error.message());
        settings.report(FILE, &provenance, message);
        Table::new()
    });
    let mut tables = |name: &str| {
        let tables = file.remove(name).map_or(Ok(Vec::new()), Value::try_into::<Vec<Table>>);
        tables.unwrap_or_else(|_| {
            let message = format!(
                "must be written as [[{name}]], one table for each {}",
                name.trim_end_matches('s')
            );
            settings.report(name, &provenance, message);
            Vec::new()
        })
    };
    let (sites, providers) = (tables("sites"), tables("providers"));
    settings.overlay(file, &provenance);
    let site = |(index, table)| site_settings(index, table, &provenance);
    let provider = |(index, table)| provider_settings(index, table, &provenance);
    (
        sites.into_iter().enumerate().map(site).collect(),
        providers.into_iter().enumerate().map(provider).collect(),
    )
}

/// The settings of the provider at this place in the file, likewise.
fn provider_settings(index: usize, table: Table, provenance: &str) -> Named {
    let name = table.get("name").and_then(Value::as_str).unwrap_or_default().trim();
    let (prefix, variable) = match provider_name(name) {
        Ok(name) => (format!("providers.{name}."), name.replace('-', "_")),
        Err(_) => (format!("providers[{}].", index + 1), String::new()),
    };
    let mut settings = Settings::new(prefix, include_str!("provider.toml"));
    let mut sections: Table = DEFAULTS.parse().expect("the embedded defaults are valid");
    sections.retain(|section, _| ["smtp", "twilio"].contains(&section));
    settings.redefine(sections);
    apply_preset(&mut settings, &table);
    settings.overlay(table, provenance);
    Named { variable, settings }
}

/// The settings of the site at this place in the file, reported by its name if it has a valid one.
fn site_settings(index: usize, table: Table, provenance: &str) -> Settings {
    let name = table.get("name").and_then(Value::as_str).unwrap_or_default().trim();
    let prefix = match site_name(name) {
        Ok(name) => format!("sites.{name}."),
        Err(_) => format!("sites[{}].", index + 1),
    };
    let mut settings = Settings::new(prefix, include_str!("site.toml"));
    settings.overlay(table, provenance);
    settings
}
