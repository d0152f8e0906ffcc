//! `[store]`: the database.

use std::path::{Path, PathBuf};

use super::settings::Settings;
use crate::store::PostgresSettings;

/// The place of the database.
#[derive(Clone, Debug)]
pub struct StoreSettings {
    /// The file of the embedded database.
    pub path: PathBuf,
    /// The database that many servers share, which is used instead of the file.
    pub postgres: Option<PostgresSettings>,
}

impl StoreSettings {
    pub(super) fn read(settings: &mut Settings, directory: &Path) -> Self {
        let path = settings.text("store.path");
        if path.is_empty() {
            settings.refuse("store.path", "must name a file");
        }
        let writers = settings.number("store.writers", 1..=16);
        let parse = |url: &str| PostgresSettings::parse(url, directory, writers);
        let postgres = settings.parse_optional("store.url", parse);
        if postgres.is_some() && settings.is_set("store.path") {
            settings.refuse("store.path", "is set, and so is store.url; remove one of them");
        }
        Self { path: directory.join(path), postgres }
    }

    /// Whether there is certainly no database yet.
    pub fn is_new(&self) -> bool {
        self.postgres.is_none() && !self.path.exists() && !self.path.is_symlink()
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Sources};

    fn load(variables: &[(&str, &str)]) -> Result<Config, String> {
        let directory = tempfile::tempdir().unwrap();
        let environment = variables.iter().copied().collect();
        let directory = directory.path().to_owned();
        let config = Config::load(&Sources { file: None, directory, environment });
        config.map_err(|error| error.problems[0].to_string())
    }

    #[test]
    fn the_database_is_a_file_unless_a_url_names_a_server() {
        assert!(load(&[]).unwrap().store.postgres.is_none());
        for name in ["LATCHKEY_STORE__URL", "DATABASE_URL"] {
            let config = load(&[(name, "postgres://jo:hunter2@localhost/otp")]).unwrap();
            assert_eq!(config.store.postgres.as_ref().unwrap().writers, 1);
            assert!(!format!("{config:?}").contains("hunter2"));
        }
    }

    #[test]
    fn the_url_can_stand_in_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "postgres://jo@localhost/otp\n").unwrap();
        for name in ["LATCHKEY_STORE__URL_FILE", "DATABASE_URL_FILE"] {
            let config = load(&[(name, file.path().to_str().unwrap())]).unwrap();
            assert!(config.store.postgres.is_some(), "{name}");
        }
    }

    #[test]
    fn s14_a_url_that_cannot_be_used_is_reported_by_its_variable_and_not_quoted() {
        let problem = load(&[("DATABASE_URL", "mysql://jo:hunter2@db/otp")]).unwrap_err();
        assert!(problem.contains("DATABASE_URL") && problem.contains("postgres://"), "{problem}");
        assert!(!problem.contains("hunter2"), "{problem}");
        let both =
            [("DATABASE_URL", "postgres:///otp?host=/run"), ("LATCHKEY_STORE__PATH", "x.db")];
        assert!(load(&both).unwrap_err().contains("remove one of them"));
    }

    #[test]
    fn s23_a_database_that_is_reached_in_clear_is_warned_of() {
        let warned = |url| {
            let warnings = load(&[("DATABASE_URL", url)]).unwrap().warnings();
            warnings.iter().any(|warning| warning.contains("store.url"))
        };
        assert!(warned("postgres://jo@db.example.com/otp?sslmode=disable"));
        assert!(!warned("postgres://jo@db.example.com/otp"));
        assert!(!warned("postgres://jo@localhost/otp"));
    }
}
