//! Settings that are valid and still unlikely to be meant.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use otp::{
    Channel, Timestamp,
    destinations::Countries,
    policy::Draft,
    recipient::Country,
    risk::{Reservations, Risk},
};

use super::{
    delivery::DeliverySettings,
    server::{Mode, ServerSettings, is_loopback},
};
use crate::{
    delivery::{RouteSettings, template},
    i18n::Catalogue,
    origin::Origin,
    site::{Site, Sites},
};

/// The longest lifetime of a code for signing in: NIST SP 800-63B-4, 3.1.3.2 (S2).
const LONGEST_LIFETIME: Duration = Duration::from_secs(600);

/// The shortest lifetime of a code that a call can well be answered and heard in.
const SHORTEST_FOR_CALLS: Duration = Duration::from_secs(60);

/// Whether not even the first code of a day has as few digits as the policy says.
fn is_too_short(length: u8, checks: u32, daily: Risk) -> bool {
    Reservations::default().next_length(length, checks, daily, Timestamp::default()) > length
}

/// One sentence each: first of the server, then of its sites by name.
pub(super) fn warnings(server: &ServerSettings, policy: &Draft, sites: &Sites) -> Vec<String> {
    let production = server.mode == Mode::Production;
    let (for_tests, mut sites): (Vec<&Site>, Vec<&Site>) =
        sites.all().map(AsRef::as_ref).partition(|site| site.test_mode.is_some());
    sites.sort_by(|a, b| a.name.cmp(&b.name));
    let of_server = [
        (
            !production && !server.bind.ip().is_loopback(),
            format!(
                "development mode listens on {}, which other machines can reach; it answers them at \
                 the hosts of server.development_hosts alone",
                server.bind
            ),
        ),
        (
            !production && is_unanswered(server),
            "development mode does not answer requests to the host of server.public_origin; list it in \
             server.development_hosts, or set server.mode to production"
                .to_owned(),
        ),
        (
            !server.development_hosts.is_empty(),
            "server.development_hosts is set: whoever can reach this server there can read every \
             code in the development inbox, and use the well-known keys"
                .to_owned(),
        ),
        (
            production && server.bind.ip().is_loopback() && server.trusted_proxies.is_empty(),
            format!(
                "server.trusted_proxies is empty, and on {} every request comes from a proxy on this \
                 machine: all callers share the limits of one address",
                server.bind
            ),
        ),
        (
            policy.lifetime > LONGEST_LIFETIME,
            "policy.lifetime is above 600 seconds, the longest that NIST SP 800-63B accepts"
                .to_owned(),
        ),
        (
            is_too_short(policy.code_length, policy.checks, policy.daily_risk),
            format!(
                "policy.code_length is {}, but policy.daily_risk allows no code as short as that, so \
                 codes are longer",
                policy.code_length
            ),
        ),
        (
            policy.daily_risk > Risk::DEFAULT,
            "policy.daily_risk is above 0.00002, so codes are guessed more often than promised"
                .to_owned(),
        ),
        (
            production && !for_tests.is_empty(),
            "sites_for_tests is on: the keys of those sites are public, and their approvals prove \
             nothing"
                .to_owned(),
        ),
    ];
    let of_sites = sites.into_iter().flat_map(|site| {
        let (embedded, named) = (!site.origins.is_empty(), site.public_key.is_some());
        let returning = !site.return_urls.is_empty();
        let keyless = site.secrets.is_empty();
        let testing = !site.test_recipients.is_empty();
        let lifetime = site.policy.lifetime();
        let has_long_codes = lifetime > LONGEST_LIFETIME && lifetime != policy.lifetime;
        let risk = site.policy.daily_risk();
        let (length, checks) = (site.policy.code_length(), site.policy.checks());
        let of_server = (policy.code_length, policy.checks, policy.daily_risk);
        let has_short_codes =
            (length, checks, risk) != of_server && is_too_short(length, checks, risk);
        let is_anywhere = site.channels.iter().any(|channel| channel.is_of_phones())
            && site.destinations.countries == Countries::All;
        let is_risky = risk > Risk::DEFAULT && risk != policy.daily_risk;
        [
            (embedded && !named, "origins and no public_key, so no page can embed it"),
            (!embedded && named, "a public_key and no origins, so no page can embed it"),
            (embedded && keyless, "origins and no secret_keys, so no back end can redeem a result"),
            (returning && keyless, "return_urls and no secret_keys, so no back end can use them"),
            (
                production && testing,
                "test_recipients: whoever knows their codes can sign in as them",
            ),
            (
                has_long_codes,
                "a policy.lifetime above 600 seconds, the longest that NIST SP 800-63B accepts",
            ),
            (is_risky, "a policy.daily_risk above 0.00002"),
            (
                production && is_anywhere,
                "\"*\" in sms.countries, so fraudsters can have texts sent to the dearest countries",
            ),
            (
                has_short_codes,
                "a policy.code_length that its policy.daily_risk does not allow, so codes are longer",
            ),
        ]
        .map(|(applies, problem)| (applies, format!("site {} has {problem}", site.name)))
    });
    let all = of_server.into_iter().chain(of_sites);
    all.filter(|(applies, _)| *applies).map(|(_, warning)| warning).collect()
}

/// Sites that offer calls for codes that expire before most people have heard them.
pub(super) fn short_calls(sites: &Sites) -> Option<String> {
    let is_short = |site: &&Site| {
        let calls = site.test_mode.is_none() && site.channels.contains(&Channel::Voice);
        calls && site.policy.lifetime() < SHORTEST_FOR_CALLS
    };
    let mut names: Vec<_> =
        sites.all().map(AsRef::as_ref).filter(is_short).map(|site| &*site.name).collect();
    names.sort_unstable();
    (!names.is_empty()).then(|| {
        format!(
            "policy.lifetime is under 60 seconds, in which few calls are answered and heard, at sites that offer \
             calls: {}",
            names.join(", ")
        )
    })
}

/// Countries of sites that none of the site's channels for phones has a provider for.
pub(super) fn unreached(
    delivery: &DeliverySettings,
    providers: &[RouteSettings],
    sites: &Sites,
) -> Option<String> {
    let named = |name: &String| providers.iter().find(|provider| provider.name == *name);
    // The inbox of development has no settings.
    let reaches = |channel: &Channel, country: Option<&Country>| {
        delivery.of(*channel).iter().map(named).any(|provider| {
            provider.is_none_or(|RouteSettings { countries, .. }| {
                countries.is_empty() || country.is_some_and(|country| countries.contains(country))
            })
        })
    };
    let mut missing = BTreeSet::new();
    // The sites for test suites send nothing.
    for site in sites.all().filter(|site| site.test_mode.is_none()) {
        let by_phone: Vec<_> = site.channels.iter().filter(|c| c.is_of_phones()).collect();
        let is_missing = |country| {
            !by_phone.is_empty() && !by_phone.iter().any(|channel| reaches(channel, country))
        };
        match &site.destinations.countries {
            Countries::Listed(listed) => {
                let listed = listed.iter().filter(|country| is_missing(Some(country)));
                missing.extend(listed.map(ToString::to_string));
            }
            Countries::All if is_missing(None) => {
                missing.insert("*".to_owned());
            }
            Countries::All => {}
        }
    }
    let missing = missing.into_iter().collect::<Vec<_>>().join(", ");
    (!missing.is_empty()).then(|| {
        format!(
            "sms.countries lists countries that no provider is for, so numbers there are refused: \
             {missing}"
        )
    })
}

/// Own texts of sites that do not fit into one text message.
pub(super) fn overlong(sites: &Sites, origin: &Origin) -> Vec<String> {
    // A catalogue that does not load is told by the start itself.
    let Ok(catalogue) = Catalogue::load() else { return Vec::new() };
    let mut sites: Vec<_> = sites.all().collect();
    sites.sort_by(|a, b| a.name.cmp(&b.name));
    let of_site = |site: &Arc<Site>| template::overlong(&catalogue, site, origin.host());
    sites.into_iter().flat_map(of_site).collect()
}

/// Whether development mode does not answer requests to the host of the public origin.
fn is_unanswered(server: &ServerSettings) -> bool {
    let host = server.public_origin.as_ref().map(Origin::host);
    let host = host.map(|host| host.trim_start_matches('[').trim_end_matches(']'));
    host.is_some_and(|host| {
        let is_own = is_loopback(host) || host.ends_with(".localhost");
        !is_own && !server.development_hosts.iter().any(|listed| listed == host)
    })
}
