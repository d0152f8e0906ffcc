//! The environment as a value, so that tests bring their own, and the keys that its names stand for.

use std::{collections::BTreeMap, fmt, fs};

/// Names the configuration file; the one variable with our prefix that is not a key.
pub const CONFIG_VARIABLE: &str = "LATCHKEY_CONFIG";

/// Variables that other programs and older scripts use, with their keys.
const CLASSIC: [(&str, &str); 6] = [
    ("DATABASE_URL", "store.url"),
    ("SMTP_URL", "smtp.url"),
    ("TWILIO_SID", "twilio.account_sid"),
    ("TWILIO_AUTH_TOKEN", "twilio.auth_token"),
    ("SENDER_NUMBER", "twilio.sender_number"),
    ("RECIPIENT_NUMBER", "page.fixed_recipient"),
];

/// Keys that have a `LATCHKEY_..._FILE` variable.
const SECRETS: [&str; 5] =
    ["keys.secrets", "smtp.url", "smtp.password", "store.url", "twilio.auth_token"];

/// Keys of a provider that have such a variable, in addition to those of the sections above.
const SECRETS_OF_PROVIDERS: [&str; 2] = ["http.password", "http.token"];

/// A snapshot of environment variables.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The variables of this process. Those that are not Unicode are left out.
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// One variable. An empty one counts as not set, since that is how compose files clear them.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The variables that set keys, with rising precedence: name, key and text, or the reason why the
    /// file that holds the text cannot be read. Not every key needs to exist.
    pub(super) fn variables(&self) -> Vec<(String, String, Result<String, String>)> {
        let mut variables = Vec::new();
        let mut add = |name: String, key: &str, is_file| {
            let Some(value) = self.get(&name) else { return };
            let text = if is_file { read_secret(value) } else { Ok(value.to_owned()) };
            variables.push((name, key.to_owned(), text));
        };
        for (name, key) in CLASSIC {
            add(name.to_owned(), key, false);
            add(format!("{name}_FILE"), key, true);
        }
        for name in self.0.keys().filter(|name| *name != CONFIG_VARIABLE) {
            let Some(rest) = name.strip_prefix("LATCHKEY_") else { continue };
            // Kubernetes gives every container the addresses of the services around it. Those of a
            // service called `latchkey` would otherwise look like misspelt keys.
            if ["SERVICE_HOST", "SERVICE_PORT", "PORT"].iter().any(|link| rest.starts_with(link)) {
                continue;
            }
            let key = rest.to_ascii_lowercase().replace("__", ".");
            let secret = key.strip_suffix("_file").filter(|key| is_secret(key));
            add(name.clone(), secret.unwrap_or(&key), secret.is_some());
        }
        variables
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// Shows the names only, since values may be secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The name of a provider, as variables write it, and its key.
pub(super) fn of_provider(key: &str) -> Option<(&str, &str)> {
    key.strip_prefix("providers.")?.split_once('.')
}

fn is_secret(key: &str) -> bool {
    match of_provider(key) {
        Some((_, key)) => SECRETS.contains(&key) || SECRETS_OF_PROVIDERS.contains(&key),
        None => SECRETS.contains(&key),
    }
}

/// A secret in a file; one of several lines is a list.
fn read_secret(path: &str) -> Result<String, String> {
    fs::read_to_string(path)
        .map(|text| text.trim().lines().collect::<Vec<_>>().join(","))
        .map_err(|error| format!("the file {path} cannot be read: {error}"))
}
