//! `latchkey keys`: fresh secrets, and the configuration for them.
//!
//! Standard output can be redirected to a file. A site's secret key, which belongs in its back end
//! and in no file of ours, goes to standard error.

use std::io::Write;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::Subcommand;
use rand::{TryRng, rngs::SysRng};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::CommandError;
use crate::{
    config::{Config, PUBLIC_KEY_PREFIX, SECRET_KEY_PREFIX, site_name},
    delivery::KindSettings,
    keyring,
    site::SecretDigest,
    startup, webhook,
};

/// The keys to print instead of a master secret.
#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// Print a site's block of the configuration, with fresh keys
    ///
    /// The block goes to standard output and holds no secret:
    /// `latchkey keys site shop >> latchkey.toml`. The secret key goes to standard error, once; it
    /// belongs to the site's back end and cannot be recovered.
    Site {
        /// The site's name: 1 to 32 of a-z, 0-9 and "-"
        name: String,
    },
    /// Print another secret key for a site, to rotate
    ///
    /// The digest goes to standard output: put it into the site's `secret_keys` beside the old one.
    /// The secret key itself goes to standard error, once. When the back end uses it, take the old
    /// digest away.
    Secret,
    /// Print the secret with which a site verifies the signatures of webhooks
    ///
    /// It is derived from the newest master secret and the site's name, so it is the same each
    /// time until the master secrets are rotated.
    Webhook {
        /// The site's name
        site: String,
    },
    /// Print the secret of a provider of kind `webhook` or `smtp`
    ///
    /// A gateway verifies the signatures of messages with it, and signs its receipts. A mail server sends it with
    /// bounces. Like that of a site it is the same each time until the master secrets are rotated.
    Provider {
        /// The provider's name
        name: String,
    },
    /// Print the secret with which the operator's receiver verifies the signatures of alerts
    ///
    /// It is derived from the newest master secret, so it is the same each time until the master
    /// secrets are rotated.
    Alerts,
}

/// Prints keys: to `out` the parts for a file, to `aside` the rest.
pub(super) fn print(
    keys: Option<Keys>,
    config: impl FnOnce() -> Result<Config, CommandError>,
    out: &mut impl Write,
    aside: &mut impl Write,
) -> Result<(), CommandError> {
    match keys {
        None => print_master(out, aside),
        Some(Keys::Site { name }) => print_site(&name, out, aside),
        Some(Keys::Secret) => print_secret(out, aside),
        Some(Keys::Webhook { site }) => print_webhook(&config()?, &site, out, aside),
        Some(Keys::Provider { name }) => print_provider(&config()?, &name, out, aside),
        Some(Keys::Alerts) => print_alerts(&config()?, out, aside),
    }
}

/// The secret goes to `out` alone, so that `latchkey keys >> file` works.
fn print_master(out: &mut impl Write, aside: &mut impl Write) -> Result<(), CommandError> {
    let secret = keyring::fresh_secret(&mut SysRng)?;
    writeln!(
        aside,
        "A fresh master secret. Keep it in LATCHKEY_KEYS__SECRETS, in a file that\n\
         LATCHKEY_KEYS__SECRETS_FILE names, or as `keys.secrets` in latchkey.toml.\n\n\
         To rotate, put it in front of the secrets you have: the first one writes, all are read.\n\
         Restart, and remove the last one a day later (three with webhooks), when nothing depends on it.\n"
    )?;
    writeln!(out, "{}", secret.expose_secret())?;
    Ok(())
}

fn print_site(
    name: &str,
    out: &mut impl Write,
    aside: &mut impl Write,
) -> Result<(), CommandError> {
    site_name(name)
        .map_err(|problem| CommandError::Other(format!("the name of a site {problem}").into()))?;
    let public = fresh_key::<24>(PUBLIC_KEY_PREFIX)?;
    let secret = fresh_key::<32>(SECRET_KEY_PREFIX)?;
    let digest = SecretDigest::of(secret.expose_secret());
    writeln!(
        out,
        "\n[[sites]]\n\
         name = \"{name}\"\n\
         public_key = \"{}\"\n\
         secret_keys = [\"{digest}\"]\n\
         # Origins of the pages that embed it, for example \"https://{name}.example\".\n\
         origins = []\n\
         # URLs that people are sent back to, for example \"https://{name}.example/verified\".\n\
         return_urls = []",
        public.expose_secret()
    )?;
    writeln!(
        aside,
        "The secret key of {name}, shown this once. Keep it where its back end finds its secrets;\n\
         latchkey.toml has its digest alone.\n\n\
         {}",
        secret.expose_secret()
    )?;
    Ok(())
}

fn print_secret(out: &mut impl Write, aside: &mut impl Write) -> Result<(), CommandError> {
    let secret = fresh_key::<32>(SECRET_KEY_PREFIX)?;
    writeln!(out, "{}", SecretDigest::of(secret.expose_secret()))?;
    writeln!(
        aside,
        "\nAbove, the digest: put it into the site's `secret_keys` beside the old one and restart.\n\
         Below, the secret key, shown this once: give it to the site's back end, and when that uses\n\
         it, take the old digest away and restart again.\n\n\
         {}",
        secret.expose_secret()
    )?;
    Ok(())
}

/// Unlike the other keys this one is derived from the master secrets, so it can be printed again and
/// is not stored.
fn print_webhook(
    config: &Config,
    site: &str,
    out: &mut impl Write,
    aside: &mut impl Write,
) -> Result<(), CommandError> {
    let Some(site) = config.sites.named(site) else {
        return Err(CommandError::Other(format!("no site is called \"{site}\"").into()));
    };
    if site.webhook.is_none() {
        writeln!(aside, "{} has no webhook yet: set its `webhook.url`.\n", site.name)?;
    }
    let keyring = startup::keyring(&config.keys, &config.store)?;
    print_derived(&site.name, webhook::Secret::of_site(&keyring, &site.name), out, aside)
}

/// Like the secret of a site.
fn print_provider(
    config: &Config,
    name: &str,
    out: &mut impl Write,
    aside: &mut impl Write,
) -> Result<(), CommandError> {
    let has_secret =
        |kind: &KindSettings| matches!(kind, KindSettings::Webhook(_) | KindSettings::Smtp(_));
    let mut providers = config.providers.iter();
    if !providers.any(|provider| provider.name == name && has_secret(&provider.kind)) {
        let message = format!("no provider of kind webhook or smtp is called \"{name}\"");
        return Err(CommandError::Other(message.into()));
    }
    let keyring = startup::keyring(&config.keys, &config.store)?;
    print_derived(name, webhook::Secret::of_provider(&keyring, name), out, aside)
}

/// Like the secret of a site.
fn print_alerts(
    config: &Config,
    out: &mut impl Write,
    aside: &mut impl Write,
) -> Result<(), CommandError> {
    if config.alerts.is_none() {
        writeln!(aside, "There is no receiver of alerts yet: set `alerts.webhook`.\n")?;
    }
    let keyring = startup::keyring(&config.keys, &config.store)?;
    print_derived("the receiver of alerts", webhook::Secret::of_operator(&keyring), out, aside)
}

/// The newest of the secrets of a receiver.
fn print_derived<E>(
    receiver: &str,
    secrets: Result<Vec<webhook::Secret>, E>,
    out: &mut impl Write,
    aside: &mut impl Write,
) -> Result<(), CommandError> {
    let secrets = secrets.map_err(|_| CommandError::Other("deriving the secret failed".into()))?;
    if let Some(secret) = secrets.first() {
        writeln!(
            aside,
            "The secret with which {receiver} verifies signatures, until a newer master secret is added:\n",
        )?;
        writeln!(out, "{}", secret.to_text().expose_secret())?;
    }
    Ok(())
}

/// A prefix and `N` random bytes in base64url.
fn fresh_key<const N: usize>(prefix: &str) -> Result<SecretString, CommandError> {
    let mut bytes = Zeroizing::new([0; N]);
    SysRng.try_fill_bytes(bytes.as_mut_slice())?;
    let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice()));
    Ok(format!("{prefix}{}", text.as_str()).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::Keyring;

    /// The texts printed to standard output and to standard error.
    fn printed(keys: Option<Keys>) -> (String, String) {
        let (mut out, mut aside) = (Vec::new(), Vec::new());
        assert!(print(keys, no_config, &mut out, &mut aside).is_ok());
        (String::from_utf8(out).unwrap(), String::from_utf8(aside).unwrap())
    }

    fn no_config() -> Result<Config, CommandError> {
        unreachable!("these keys need no configuration")
    }

    fn last_line(text: &str) -> &str {
        text.lines().last().unwrap()
    }

    #[test]
    fn the_master_secret_goes_where_output_goes_and_is_a_secret() {
        let (out, aside) = printed(None);

        assert_eq!(out.lines().count(), 1);
        assert!(Keyring::parse([out.as_str()]).is_ok());
        assert!(!aside.contains(out.trim()));
    }

    #[test]
    fn s21_a_sites_block_holds_the_digest_of_its_secret_key_and_never_the_key() {
        let (out, aside) = printed(Some(Keys::Site { name: "shop".into() }));

        let secret = last_line(&aside);
        assert!(secret.len() == 50 && secret.starts_with("lk_sec_"), "{secret}");
        assert!(out.contains(&SecretDigest::of(secret).to_string()), "{out}");
        assert!(!out.contains("lk_sec_"), "{out}");
    }

    #[test]
    fn s21_another_secret_key_is_printed_apart_from_its_digest() {
        let (out, aside) = printed(Some(Keys::Secret));

        assert_eq!(out.trim(), SecretDigest::of(last_line(&aside)).to_string());
    }

    #[test]
    fn names_that_could_not_be_configured_get_no_keys() {
        for name in ["", "Shop", "a.b", "test-approve", "a\"b"] {
            let keys = Some(Keys::Site { name: name.into() });
            let printed = print(keys, no_config, &mut Vec::new(), &mut Vec::new());
            assert!(printed.is_err(), "{name}");
        }
    }
}
