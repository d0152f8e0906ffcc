//! Relying parties: each `[[sites]]` of the file as a [`Site`], and those that are built in.

mod brand;
mod built_in;
mod logo;
mod messages;
mod site;
#[cfg(test)]
mod tests;
mod urls;

pub(super) use self::site::SiteContext;
pub use self::site::{PUBLIC_KEY_PREFIX, SECRET_KEY_PREFIX, site_name};
pub(super) use self::urls::parse_url;
use super::settings::Settings;
use crate::site::{Site, Sites, builtin};

/// All sites, the built-in ones included. `configured` holds the settings of the others.
pub(super) fn read(
    server: &mut Settings,
    configured: Vec<Settings>,
    context: &SiteContext<'_>,
) -> Sites {
    let mut sites = Vec::new();
    for mut settings in configured {
        settings.inherit("policy.", server);
        settings.inherit("sms.", server);
        let site = site::read(&mut settings, context);
        refuse_duplicates(&mut settings, &site, &sites);
        server.absorb(settings);
        sites.push(site);
    }
    let first = match sites.iter().position(|site| site.name == builtin::DEMO) {
        Some(index) => sites.remove(index),
        None => built_in::demo(context),
    };
    sites.extend(built_in::for_tests(server, context));
    Sites::new(first, sites)
}

/// Names and keys identify a site, so no two sites share one.
fn refuse_duplicates(settings: &mut Settings, site: &Site, others: &[Site]) {
    for other in others {
        let name = &other.name;
        if !site.name.is_empty() && site.name == *name {
            settings.refuse("name", "is the name of another site as well");
        }
        if site.public_key.is_some() && site.public_key == other.public_key {
            settings.refuse("public_key", format!("is that of site {name} as well"));
        }
        if site.secrets.iter().any(|secret| other.secrets.contains(secret)) {
            let message = format!("has a key of site {name}; a secret key belongs to one site");
            settings.refuse("secret_keys", message);
        }
    }
}
