//! Settings that are valid and still unlikely to be meant.

use std::time::Duration;

use otp::policy::Draft;

use super::server::{Mode, ServerSettings};
use crate::site::{Site, Sites};

/// NIST SP 800-63B-4, 3.1.3.2 (S2).
const LONGEST_FOR_SIGNING_IN: Duration = Duration::from_secs(600);

/// One sentence each: first of the server, then of its sites by name.
pub(super) fn of(server: &ServerSettings, policy: &Draft, sites: &Sites) -> Vec<String> {
    let mut warnings = Vec::new();
    if server.mode == Mode::Development && !server.bind.ip().is_loopback() {
        warnings.push(format!(
            "development mode listens on {}, which other machines can reach; the development \
             inbox shows every code to anyone who opens it",
            server.bind
        ));
    }
    if policy.lifetime > LONGEST_FOR_SIGNING_IN {
        warnings.push(
            "policy.lifetime is above 600 seconds, the longest that NIST SP 800-63B accepts for \
             signing in"
                .to_owned(),
        );
    }
    let (for_tests, mut sites): (Vec<&Site>, Vec<&Site>) =
        sites.all().map(AsRef::as_ref).partition(|site| site.rehearsal.is_some());
    if server.mode == Mode::Production && !for_tests.is_empty() {
        warnings.push(
            "sites_for_tests is on: the keys of those sites are public, and their approvals prove \
             nothing"
                .to_owned(),
        );
    }
    sites.sort_by(|a, b| a.name.cmp(&b.name));
    for site in sites {
        let of_site = of_site(site, server.mode, policy.lifetime).into_iter();
        warnings.extend(of_site.map(|warning| format!("site {} {warning}", site.name)));
    }
    warnings
}

fn of_site(site: &Site, mode: Mode, lifetime_of_server: Duration) -> Vec<&'static str> {
    let lifetime = site.policy.lifetime();
    let (embedded, named) = (!site.origins.is_empty(), site.public_key.is_some());
    let warnings = [
        (embedded && !named, "has origins and no public_key, without which no page can embed it"),
        (!embedded && named, "has a public_key and no origins, without which no page can embed it"),
        (
            embedded && site.secrets.is_empty(),
            "has origins and no secret_keys, without which no back end can redeem a result",
        ),
        (
            !site.return_urls.is_empty() && site.secrets.is_empty(),
            "has return_urls and no secret_keys, without which no back end can send anybody here",
        ),
        (
            mode == Mode::Production && !site.test_recipients.is_empty(),
            "has test_recipients: anyone who knows one of their codes can sign in as them",
        ),
        (
            lifetime > LONGEST_FOR_SIGNING_IN && lifetime != lifetime_of_server,
            "has a policy.lifetime above 600 seconds, the longest that NIST SP 800-63B accepts for \
             signing in",
        ),
    ];
    warnings.into_iter().filter(|(applies, _)| *applies).map(|(_, warning)| warning).collect()
}
