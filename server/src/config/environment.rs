//! The environment as a value, so that tests bring their own, and how its names map to keys.

use std::{collections::BTreeMap, fmt};

/// What every variable of ours begins with.
const PREFIX: &str = "LATCHKEY_";
/// Names the configuration file; the one variable that is no key.
pub const CONFIG_VARIABLE: &str = "LATCHKEY_CONFIG";

/// Variables that other programs and older scripts use for the same things.
const CLASSIC: [(&str, &str); 5] = [
    ("SMTP_URL", "smtp.url"),
    ("TWILIO_SID", "twilio.account_sid"),
    ("TWILIO_AUTH_TOKEN", "twilio.auth_token"),
    ("SENDER_NUMBER", "twilio.sender_number"),
    ("RECIPIENT_NUMBER", "page.fixed_recipient"),
];

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

    /// Variables that say the same as a key but under a name of their own, with that key.
    pub(super) fn classic(&self) -> impl Iterator<Item = Variable<'_>> {
        CLASSIC.into_iter().flat_map(|(name, key)| {
            let direct = self.variable(name.to_owned(), key, false);
            direct.into_iter().chain(self.variable(format!("{name}_FILE"), key, true))
        })
    }

    /// Our own variables, with the key that each name spells. Whether there is such a key, and
    /// whether `_FILE` makes sense for it, is for the caller to say.
    pub(super) fn own(&self) -> impl Iterator<Item = Variable<'_>> {
        self.0.iter().filter_map(|(name, value)| {
            let rest = name.strip_prefix(PREFIX)?;
            if name == CONFIG_VARIABLE || value.is_empty() || is_service_link(rest) {
                return None;
            }
            let key = rest.to_ascii_lowercase().replace("__", ".");
            Some(Variable { name: name.clone(), key, value, names_a_file: false })
        })
    }

    fn variable(&self, name: String, key: &str, names_a_file: bool) -> Option<Variable<'_>> {
        let value = self.get(&name)?;
        Some(Variable { name, key: key.to_owned(), value, names_a_file })
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// Values may be secrets, so only the names are shown.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A variable that sets a key.
pub(super) struct Variable<'a> {
    pub(super) name: String,
    pub(super) key: String,
    pub(super) value: &'a str,
    /// The value is the path of a file that holds the real one.
    pub(super) names_a_file: bool,
}

/// Kubernetes gives every container the addresses of the services around it. One that is called
/// `latchkey` would otherwise look like a heap of misspelt keys.
fn is_service_link(rest: &str) -> bool {
    rest.starts_with("SERVICE_HOST")
        || rest.starts_with("SERVICE_PORT")
        || rest == "PORT"
        || rest.starts_with("PORT_")
}
