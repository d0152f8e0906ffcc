//! Relying parties: each `[[sites]]` of the file as a [`Site`], and those that are built in.
//!
//! What one site says is read by the ordinary reader over layers of its own. What makes a site
//! unmistakable (its name and keys) is compared with all others.

mod brand;
mod built_in;
mod logo;
#[cfg(test)]
mod tests;
mod urls;

use std::{collections::HashMap, path::Path, time::Duration};

use otp::{Channel, Code, Policy, Recipient};

use super::{
    delivery::DeliverySettings, page::PageSettings, policy::PolicySettings, reader::Reader,
    server::Mode,
};
use crate::{
    origin::Origin,
    site::{SecretDigest, Site, Sites, builtin},
};

/// What a public key begins with.
pub const PUBLIC_KEY_PREFIX: &str = "lk_pub_";
/// What a secret key begins with.
pub const SECRET_KEY_PREFIX: &str = "lk_sec_";

/// NIST SP 800-63B-4, 3.1.3.2 (S2).
pub(super) const LONGEST_FOR_SIGNING_IN: Duration = Duration::from_secs(600);

/// Why something cannot be the name of a site that is configured.
pub fn site_name_problem(name: &str) -> Option<&'static str> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !(1..=32).contains(&name.len()) || !name.chars().all(fits) {
        Some("must be 1 to 32 characters of a-z, 0-9 and \"-\"")
    } else if name.starts_with(built_in::RESERVED) {
        Some("must not begin with \"test-\", which the sites for tests do")
    } else {
        None
    }
}

/// What the rest of the configuration says that sites rest on.
pub(super) struct Surroundings<'a> {
    pub(super) mode: Mode,
    pub(super) directory: &'a Path,
    pub(super) page: &'a PageSettings,
    pub(super) policy: &'a PolicySettings,
    pub(super) delivery: &'a DeliverySettings,
}

impl Surroundings<'_> {
    /// The channels that have a provider, in the order to offer them.
    fn channels(&self) -> Vec<Channel> {
        let carried = [
            (Channel::Email, !self.delivery.email.is_empty()),
            (Channel::Sms, !self.delivery.sms.is_empty()),
        ];
        carried.into_iter().filter(|(_, carried)| *carried).map(|(channel, _)| channel).collect()
    }
}

/// All sites, the built-in ones included, and what the operator should know of the others although
/// they make sense.
pub(super) fn read(reader: &mut Reader, server: &Surroundings<'_>) -> (Sites, Vec<String>) {
    let mut sites = Vec::new();
    let mut warnings = Vec::new();
    for mut own in reader.sites() {
        let site = read_site(&mut own, server);
        refuse_likeness(&mut own, &site, &sites);
        reader.absorb(own);
        warn_of(&site, server.mode, &mut warnings);
        sites.push(site);
    }
    let first = match sites.iter().position(|site| site.name == builtin::DEMO) {
        Some(index) => sites.remove(index),
        None => built_in::demo(server),
    };
    let tests = built_in::for_tests(reader, server);
    if server.mode == Mode::Production && !tests.is_empty() {
        warnings.push(
            "sites_for_tests is on: the keys of those sites are known to everybody, and what they \
             approve proves nothing"
                .to_owned(),
        );
    }
    sites.extend(tests);
    (Sites::new(first, sites), warnings)
}

/// What makes sense and is still unlikely to be meant, one sentence each.
fn warn_of(site: &Site, mode: Mode, warnings: &mut Vec<String>) {
    let embedded = !site.origins.is_empty();
    let mut warn = |is_so: bool, what: &str| {
        if is_so {
            warnings.push(format!("site {} {what}", site.name));
        }
    };
    warn(
        embedded && site.public_key.is_none(),
        "has origins and no public_key, without which no page can embed it",
    );
    warn(
        !embedded && site.public_key.is_some(),
        "has a public_key and no origins, without which no page can embed it",
    );
    warn(
        embedded && site.secrets.is_empty(),
        "has origins and no secret_keys, without which no back end can redeem a result",
    );
    warn(
        !site.return_urls.is_empty() && site.secrets.is_empty(),
        "has return_urls and no secret_keys, without which no back end can send anybody here",
    );
    warn(
        mode == Mode::Production && !site.test_recipients.is_empty(),
        "has test_recipients: whoever knows one of their codes can sign in as them",
    );
    warn(
        site.policy.lifetime() > LONGEST_FOR_SIGNING_IN,
        "has a policy.lifetime above 600 seconds, the longest that NIST SP 800-63B accepts for \
         signing in",
    );
}

fn read_site(reader: &mut Reader, server: &Surroundings<'_>) -> Site {
    let name = reader.text("name");
    if let Some(problem) = site_name_problem(&name) {
        reader.refuse("name", problem);
    }
    // What is out of bounds has been reported, and nobody uses the stand-in.
    let policy = PolicySettings::read(reader).policy(reader).unwrap_or_default();
    let brand = brand::read(reader, server);
    Site {
        public_key: read_public_key(reader),
        secrets: read_secrets(reader),
        origins: read_origins(reader, "origins", server.mode),
        return_urls: urls::read_list(reader, "return_urls", server.mode),
        channels: read_channels(reader, server),
        sender: brand::read_sender(reader),
        test_recipients: read_test_recipients(reader, &policy, &server.page.default_country),
        webhook: urls::read_optional(reader, "webhook.url", server.mode),
        ..Site::named(&name, policy, brand)
    }
}

fn read_public_key(reader: &mut Reader) -> Option<String> {
    let key = reader.optional("public_key")?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match key.strip_prefix(PUBLIC_KEY_PREFIX) {
        // It belongs into no page, so it is not repeated here either.
        _ if key.starts_with(SECRET_KEY_PREFIX) => {
            reader.refuse("public_key", "is a secret key; never show that to a browser");
        }
        Some(rest) if rest.starts_with(built_in::RESERVED_KEY) => {
            reader.refuse("public_key", "must not begin with \"lk_pub_test_\"");
        }
        Some(rest) if (16..=64).contains(&rest.len()) && rest.chars().all(fits) => {}
        _ => reader.refuse(
            "public_key",
            "must be \"lk_pub_\" and 16 to 64 letters, digits, \"-\" or \"_\"; `latchkey keys site` \
             prints one",
        ),
    }
    Some(key)
}

/// Never repeats what was written: it may be the key itself.
fn read_secrets(reader: &mut Reader) -> Vec<SecretDigest> {
    let mut secrets: Vec<SecretDigest> = Vec::new();
    for (index, text) in reader.texts("secret_keys").into_iter().enumerate() {
        let number = index + 1;
        let problem = match text.parse::<SecretDigest>() {
            _ if text.starts_with(SECRET_KEY_PREFIX) => {
                "is a secret key itself, which must not stand here: whoever reads this file could \
                 use it. Take another one (`latchkey keys secret`) and write its digest, sha256:..."
            }
            Err(_) => {
                "must be \"sha256:\" and 64 hexadecimal digits; `latchkey keys secret` prints a key \
                 and its digest"
            }
            Ok(digest) if secrets.contains(&digest) => "is listed before",
            Ok(digest) if built_in::is_well_known(&digest) => {
                "is of a key that is known to everybody; `latchkey keys secret` prints another one"
            }
            Ok(digest) => {
                secrets.push(digest);
                continue;
            }
        };
        reader.refuse("secret_keys", format!("number {number} {problem}"));
    }
    secrets
}

fn read_origins(reader: &mut Reader, key: &str, mode: Mode) -> Vec<Origin> {
    let mut origins = Vec::new();
    for text in reader.texts(key) {
        let problem = match Origin::parse(&text) {
            _ if text.contains('*') => {
                "has a \"*\", which stands for nothing here: list each origin"
            }
            None => {
                "is no origin; write scheme and host without a path, for example \
                 \"https://shop.example\""
            }
            Some(origin) if mode == Mode::Production && !origin.is_https() => {
                "must begin with https:// in production"
            }
            Some(origin) if origins.contains(&origin) => "is listed twice",
            Some(origin) => {
                origins.push(origin);
                continue;
            }
        };
        reader.refuse(key, format!("\"{text}\" {problem}"));
    }
    origins
}

fn read_channels(reader: &mut Reader, server: &Surroundings<'_>) -> Vec<Channel> {
    let carried = server.channels();
    let words = reader.texts("channels");
    if words.is_empty() {
        return carried;
    }
    let mut channels = Vec::new();
    for word in words {
        let known = [Channel::Email, Channel::Sms].into_iter();
        let problem = match known.into_iter().find(|channel| channel.as_str() == word) {
            None => "is no channel; \"email\" and \"sms\" are",
            Some(channel) if channels.contains(&channel) => "is listed twice",
            Some(channel) if !carried.contains(&channel) => {
                "is listed, but no provider carries it; see [delivery]"
            }
            Some(channel) => {
                channels.push(channel);
                continue;
            }
        };
        reader.refuse("channels", format!("\"{word}\" {problem}"));
    }
    channels
}

/// Never repeats a code: it lets people in.
fn read_test_recipients(
    reader: &mut Reader,
    policy: &Policy,
    country: &str,
) -> HashMap<String, Code> {
    let mut recipients = HashMap::new();
    let length = policy.code_length();
    for (text, digits) in reader.pairs("test_recipients") {
        let recipient = Recipient::parse(&text, Some(country), None);
        let code = Code::parse(&digits).ok().filter(|code| code.length() == length);
        let message = match (recipient, code) {
            (Err(problem), _) => {
                format!(
                    "\"{text}\" must be an e-mail address or a phone number as +44...: {problem}"
                )
            }
            (Ok(recipient), None) => {
                format!("the code of {recipient} must have {length} digits, by policy.code_length")
            }
            (Ok(recipient), Some(code)) => {
                if recipients.insert(recipient.canonical(), code).is_none() {
                    continue;
                }
                format!("{recipient} is listed twice, in two spellings")
            }
        };
        reader.refuse("test_recipients", message);
    }
    recipients
}

/// Names and keys find a site, so no two have one in common.
fn refuse_likeness(reader: &mut Reader, site: &Site, others: &[Site]) {
    for other in others {
        if !site.name.is_empty() && site.name == other.name {
            reader.refuse("name", "is the name of another site as well");
        }
        let (name, key) = (&other.name, &site.public_key);
        if key.is_some() && *key == other.public_key {
            reader.refuse("public_key", format!("is that of site {name} as well"));
        }
        if site.secrets.iter().any(|secret| other.secrets.contains(secret)) {
            let message = format!("has a key of site {name}; a secret is one site's alone");
            reader.refuse("secret_keys", message);
        }
    }
}
