//! Where the master secrets are.

use std::path::{Path, PathBuf};

use super::{reader::Reader, server::Mode};
use crate::keyring::Keyring;

/// Where the master secrets are.
#[derive(Clone, Debug)]
pub struct KeySettings {
    /// Given in the configuration itself.
    pub given: Option<Keyring>,
    /// The file that holds them otherwise.
    pub file: PathBuf,
    /// Whether the file may be made when it is missing.
    pub may_generate: bool,
}

impl KeySettings {
    pub(super) fn read(reader: &mut Reader, mode: Mode, directory: &Path, store: &Path) -> Self {
        let texts = reader.texts("keys.secrets");
        let given = match Keyring::parse(texts.iter().map(String::as_str)) {
            Ok(keyring) => Some(keyring),
            Err(_) if texts.is_empty() => None,
            Err(error) => {
                reader.refuse("keys.secrets", error.to_string());
                None
            }
        };
        let file = match reader.optional("keys.file") {
            Some(file) => directory.join(file),
            None => store.with_file_name("latchkey.keys"),
        };
        let may_generate = mode == Mode::Development;
        if texts.is_empty() && !may_generate && !file.exists() {
            reader.refuse(
                "keys.secrets",
                format!(
                    "is missing, and there is no key file {}; `latchkey keys` prints a fresh secret",
                    file.display()
                ),
            );
        }
        Self { given, file, may_generate }
    }
}
