//! `[keys]`: the master secrets.

use std::path::{Path, PathBuf};

use super::{server::Mode, settings::Settings};
use crate::keyring::Keyring;

/// The place of the master secrets.
#[derive(Clone, Debug)]
pub struct KeySettings {
    /// Secrets in the configuration itself.
    pub given: Option<Keyring>,
    /// The file that holds them otherwise.
    pub file: PathBuf,
    /// Whether the file may be made when it is missing.
    pub may_generate: bool,
}

impl KeySettings {
    pub(super) fn read(
        settings: &mut Settings,
        mode: Mode,
        directory: &Path,
        store: &Path,
    ) -> Self {
        let texts: Vec<String> = settings.get("keys.secrets");
        let file = match settings.optional("keys.file") {
            Some(file) => directory.join(file),
            None => store.with_file_name("latchkey.keys"),
        };
        let may_generate = mode == Mode::Development;
        let mut given = None;
        if !texts.is_empty() {
            match Keyring::parse(texts.iter().map(String::as_str)) {
                Ok(keyring) => given = Some(keyring),
                Err(error) => settings.refuse("keys.secrets", error.to_string()),
            }
        } else if !may_generate && !file.exists() {
            let file = file.display();
            let message = format!("is missing, as is the file {file}; `latchkey keys` prints one");
            settings.refuse("keys.secrets", message);
        }
        Self { given, file, may_generate }
    }
}
