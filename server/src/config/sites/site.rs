//! One `[[sites]]` of the file.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use app::wire::Brand;
use otp::{
    Channel, Code, Destinations, Policy,
    policy::Draft,
    texts::{Prices, SiteTexts},
};

use super::{
    brand, messages,
    urls::{parse_origin, parse_url},
};
use crate::{
    config::{
        channels::read_channels,
        page::{PageSettings, display_name, recipient},
        policy,
        server::Mode,
        settings::Settings,
        sms,
    },
    site::{SecretDigest, Site, builtin},
};

/// The start of a public key.
pub const PUBLIC_KEY_PREFIX: &str = "lk_pub_";
/// The start of a secret key.
pub const SECRET_KEY_PREFIX: &str = "lk_sec_";

/// The name of a site that is configured.
///
/// # Errors
/// The reason why the text cannot be one.
pub fn site_name(text: &str) -> Result<String, &'static str> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !(1..=32).contains(&text.len()) || !text.chars().all(fits) {
        Err("must be 1 to 32 characters of a-z, 0-9 and \"-\"")
    } else if text.starts_with("test-") {
        Err("must not begin with \"test-\", which is reserved for the sites for tests")
    } else {
        Ok(text.to_owned())
    }
}

/// The rest of the configuration that sites depend on.
pub(in crate::config) struct SiteContext<'a> {
    pub(in crate::config) mode: Mode,
    pub(in crate::config) directory: &'a Path,
    pub(in crate::config) page: &'a PageSettings,
    pub(in crate::config) policy: &'a Draft,
    /// The destinations of the built-in site of the start page.
    pub(in crate::config) destinations_of_demo: Destinations,
    /// The limits on texts of that site.
    pub(in crate::config) texts_of_demo: SiteTexts,
    /// Prices of texts.
    pub(in crate::config) prices: &'a Prices,
    /// The channels that have a provider.
    pub(in crate::config) carried: Vec<Channel>,
    /// The channels of sites that list none.
    pub(in crate::config) channels: Vec<Channel>,
}

pub(super) fn read(settings: &mut Settings, context: &SiteContext<'_>) -> Site {
    let mode = context.mode;
    let name = settings.parse("name", site_name).unwrap_or_default();
    let draft = policy::read_policy(settings);
    let brand = brand::read(settings, context.directory, &context.page.brand);
    let country = &context.page.default_country;
    let channels = read_channels(settings, "channels", &context.carried, &context.channels);
    Site {
        public_key: settings.parse_optional("public_key", parse_public_key),
        secrets: settings.parse_list("secret_keys", parse_secret),
        origins: settings.parse_list("origins", |text| parse_origin(text, mode)),
        return_urls: settings.parse_list("return_urls", |text| parse_url(text, mode)),
        channels: channels.clone(),
        sender: settings.parse_optional("brand.sender", display_name),
        overlay: messages::read(settings, context.directory, &channels),
        android_app_hash: settings.parse_optional("android_app_hash", messages::parse_app_hash),
        test_recipients: read_test_recipients(settings, draft.code_length, country),
        webhook: settings.parse_optional("webhook.url", |text| parse_url(text, mode)),
        destinations: sms::read(settings, country),
        texts: sms::read_site_texts(settings, context.prices),
        ..Site::named(&name, policy::policy(draft), brand)
    }
}

fn parse_public_key(text: &str) -> Result<String, &'static str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match text.strip_prefix(PUBLIC_KEY_PREFIX) {
        _ if text.starts_with(SECRET_KEY_PREFIX) => {
            Err("is a secret key; never expose it in a page or an app")
        }
        Some(rest) if rest.starts_with("test_") => Err("must not begin with \"lk_pub_test_\""),
        Some(rest) if (16..=64).contains(&rest.len()) && rest.chars().all(fits) => {
            Ok(text.to_owned())
        }
        _ => {
            Err("must be \"lk_pub_\" and 16 to 64 letters, digits, \"-\" or \"_\"; `latchkey keys \
                  site` prints one")
        }
    }
}

fn parse_secret(text: &str) -> Result<SecretDigest, &'static str> {
    if text.starts_with(SECRET_KEY_PREFIX) {
        return Err("is a secret key itself, readable by anyone who can read this file. Make \
                    another one (`latchkey keys secret`) and write its digest, sha256:...");
    }
    match text.parse() {
        Ok(digest) if is_public(&digest) => {
            Err("is of a key that is public; `latchkey keys secret` prints another one")
        }
        Ok(digest) => Ok(digest),
        Err(_) => {
            Err("must be \"sha256:\" and 64 hexadecimal digits; `latchkey keys secret` prints \
                       a key and its digest")
        }
    }
}

/// Whether a digest is of a key in this source.
fn is_public(digest: &SecretDigest) -> bool {
    let (policy, brand) = (Policy::default(), Brand::default());
    let mut sites = builtin::for_tests(&policy, &brand, &[]);
    sites.push(builtin::demo_for_development(policy, brand));
    sites.iter().flat_map(|site| &site.secrets).any(|known| known.matches(digest))
}

/// Never quotes a code, which lets people in.
fn read_test_recipients(
    settings: &mut Settings,
    code_length: u8,
    country: &str,
) -> HashMap<String, Code> {
    let mut recipients = HashMap::new();
    for (text, digits) in settings.get::<BTreeMap<String, String>>("test_recipients") {
        let code = Code::parse(digits.trim()).ok().filter(|code| code.length() == code_length);
        let message = match (recipient(text.trim(), country), code) {
            (Err(problem), _) => format!("\"{text}\" {problem}"),
            (Ok(recipient), None) => format!(
                "the code of {recipient} must have {code_length} digits, by policy.code_length"
            ),
            (Ok(recipient), Some(code)) => match recipients.insert(recipient.canonical(), code) {
                None => continue,
                Some(_) => format!("{recipient} is listed twice, in two spellings"),
            },
        };
        settings.refuse("test_recipients", message);
    }
    recipients
}
