//! Configurations. The input is a file, a part of one behind a secret, and a part of each secret.
#![cfg_attr(fuzzing, no_main)]

use std::fs;

use server::config::{Config, ConfigError, Sources};

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| holds(data));

/// A part of every secret, which no report may quote.
const MARK: &str = "Zq7xW9kP";
/// Variables that hold a secret.
const SECRETS: [&str; 5] = [
    "LATCHKEY_KEYS__SECRETS",
    "LATCHKEY_SMTP__PASSWORD",
    "LATCHKEY_TWILIO__AUTH_TOKEN",
    "SMTP_URL",
    "TWILIO_AUTH_TOKEN",
];

pub(crate) fn holds(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match load(text, &[]) {
        Ok(config) => {
            let again = load(text, &[]).expect("the same file again");
            assert_eq!(config.warnings(), again.warnings());
            assert_eq!(format!("{:?}", config.policy), format!("{:?}", again.policy));
        }
        Err(ConfigError { problems }) => {
            assert!(!problems.is_empty());
            assert!(
                problems
                    .iter()
                    .all(|problem| !problem.key.is_empty() && !problem.message.is_empty())
            );
        }
    }

    let half = (0..=text.len() / 2).rfind(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let (before, after) = text.split_at(half);
    let secret = format!("{before}{MARK}{after}");
    for name in SECRETS {
        tells_nothing(load("", &[(name, &secret)]));
    }
    tells_nothing(load("", &[("SMTP_URL", &format!("smtp://jo:{secret}@mail.example{after}"))]));
    // The text behind the mark may end the secret and the line.
    tells_nothing(load(&format!("[smtp]\npassword = \"{MARK}{text}"), &[]));
    tells_nothing(load(&format!("[twilio]\nauth_token = \"{MARK}{text}"), &[]));
    tells_nothing(load(&format!("[keys]\nsecrets = [\"{MARK}{text}"), &[]));
    let site = format!("[[sites]]\nname = \"shop\"\nsecret_keys = [\"lk_sec_{MARK}{text}");
    tells_nothing(load(&site, &[]));
}

fn load(file: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("latchkey.toml"), file).expect("a file");
    Config::load(&Sources {
        file: None,
        directory: folder.path().to_owned(),
        environment: variables.iter().copied().collect(),
    })
}

/// Neither a report nor the debug form of a configuration quotes a secret.
fn tells_nothing(loaded: Result<Config, ConfigError>) {
    let said = match loaded {
        Ok(config) => format!("{config:?} {:?}", config.warnings()),
        Err(error) => format!("{error} {error:?}"),
    };
    assert!(!said.contains(MARK), "{said}");
}
