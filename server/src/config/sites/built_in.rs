//! Sites that need no configuration.
//!
//! Their keys are public. In production `demo` has none, and the sites for tests exist only if
//! `sites_for_tests` asks for them.

use app::wire::Brand;
use otp::{Channel, policy::Draft};

use super::{site::SiteContext, urls::parse_origin};
use crate::{
    config::{
        policy,
        server::{Mode, is_loopback},
        settings::Settings,
    },
    site::{Site, builtin},
};

/// The site of the hosted start page, unless a site of that name is configured.
pub(super) fn demo(context: &SiteContext<'_>) -> Site {
    let (policy, brand) = (policy::policy(context.policy.clone()), brand(context));
    let site = match context.mode {
        Mode::Development => builtin::demo_for_development(policy, brand),
        Mode::Production => builtin::demo(policy, brand),
    };
    Site {
        channels: context.channels.clone(),
        destinations: context.destinations_of_demo.clone(),
        texts: context.texts_of_demo.clone(),
        ..site
    }
}

/// The sites for test suites of relying parties.
pub(super) fn for_tests(settings: &mut Settings, context: &SiteContext<'_>) -> Vec<Site> {
    let is_production = context.mode == Mode::Production;
    let mut origins = settings.parse_list("test_origins", |text| {
        // Test suites run on their author's machine, so plain HTTP is fine there.
        let origin = parse_origin(text, Mode::Development)?;
        let host = origin.host().trim_matches(['[', ']']);
        if is_production && !origin.is_https() && !is_loopback(host) {
            return Err("must begin with https:// in production, unless it is this machine");
        }
        Ok(origin)
    });
    let is_wanted: bool = settings.get("sites_for_tests");
    if is_production && !is_wanted {
        return Vec::new();
    }
    // In production these public keys send nobody anywhere.
    let mut return_urls = Vec::new();
    if !is_production {
        let demo = demo(context);
        origins.extend(demo.origins);
        return_urls = demo.return_urls;
    }
    // Test suites rely on six zeros, however long the server's own codes are.
    let policy = policy::policy(Draft { code_length: 6, ..context.policy.clone() });
    let sites = builtin::for_tests(&policy, &brand(context), &origins);
    // They send nothing, so e-mail and texts need no provider there.
    let mut channels = context.channels.clone();
    let usual = [Channel::Email, Channel::Sms].into_iter();
    channels.extend(usual.filter(|channel| !context.channels.contains(channel)));
    let site = |site| Site { return_urls: return_urls.clone(), channels: channels.clone(), ..site };
    sites.into_iter().map(site).collect()
}

fn brand(context: &SiteContext<'_>) -> Brand {
    Brand { name: context.page.brand.clone(), ..Brand::default() }
}
