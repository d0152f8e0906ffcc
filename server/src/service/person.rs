//! The person behind a request, as keyed digests.
//!
//! An address, a browser and an account are hashed as soon as they are known; nothing keeps them in clear.

use std::{fmt, net::IpAddr, time::Duration};

use super::network::{Network, networks};
use crate::store::{CallerKey, CounterKey, Pseudonyms};

/// Characters of a user agent that are looked at, as many as a back end may send.
const USER_AGENT: usize = 512;

/// The person behind a request, as far as the client shows or tells it.
#[derive(Clone, Default)]
pub struct Person {
    /// Networks of the address, narrowest first, with their share of the limits on one address.
    networks: Vec<([u8; 16], u32)>,
    /// The widest network with the kind of the browser.
    browser: Option<[u8; 16]>,
    /// The account at the site whose back end tells of the person.
    account: Option<[u8; 16]>,
    /// A back end tells of the person, so only its own site has to believe it.
    is_told: bool,
}

/// A person as a back end describes them.
#[derive(Default)]
pub struct Told {
    /// Address.
    pub address: Option<IpAddr>,
    /// User agent of the browser or app.
    pub user_agent: Option<String>,
    /// The site's own id of the account.
    pub account: Option<String>,
}

impl Person {
    /// A person whose browser sends the request itself.
    pub(super) fn here(pseudonyms: &Pseudonyms, address: IpAddr, user_agent: &str) -> Self {
        let networks = networks(address);
        let widest = networks.last().map_or(&[][..], |network| &network.octets);
        let browser = Some(pseudonyms.browser(widest, &kind_of(user_agent)));
        let digest = |network: &Network| (pseudonyms.network(&network.octets), network.times);
        let networks = networks.iter().map(digest).collect();
        Self { networks, browser, ..Self::default() }
    }

    /// A person of whom the back end of `site` tells.
    pub(super) fn told(pseudonyms: &Pseudonyms, site: &str, told: &Told) -> Self {
        let user_agent = told.user_agent.as_deref().unwrap_or_default();
        let here = told.address.map(|address| Self::here(pseudonyms, address, user_agent));
        let account = told.account.as_deref().map(|account| pseudonyms.account(site, account));
        Self { account, is_told: true, ..here.unwrap_or_default() }
    }

    /// Keyed digest of the narrowest network, if the address is known.
    pub(super) fn network(&self) -> Option<[u8; 16]> {
        self.networks.first().map(|(digest, _)| *digest)
    }

    /// Keyed digest of the widest network and the kind of the browser, if the address is known.
    pub(super) fn browser(&self) -> Option<&[u8; 16]> {
        self.browser.as_ref()
    }

    /// Keys that the person is counted under for a verification of `site`.
    ///
    /// An address that a back end tells is counted for its site alone, or one hostile site could use up the
    /// limits of anybody at all others. The limits of a site hold for both sums together.
    pub(super) fn keys(
        &self,
        pseudonyms: &Pseudonyms,
        site: &str,
        kept_for: Duration,
    ) -> Vec<CallerKey> {
        let key = |digest| CounterKey { digest, kept_for };
        let network = |(network, times): &([u8; 16], u32)| {
            let (here, told) = (key(*network), key(pseudonyms.told(site, network)));
            let (counted, elsewhere) = if self.is_told { (told, here) } else { (here, told) };
            CallerKey { key: counted, elsewhere: Some(elsewhere), times: *times }
        };
        let account = |digest| CallerKey { key: key(digest), elsewhere: None, times: 1 };
        self.networks.iter().map(network).chain(self.account.map(account)).collect()
    }
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person").finish_non_exhaustive()
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Told").finish_non_exhaustive()
    }
}

/// A user agent without the numbers of its versions, so that an update leaves it the same.
fn kind_of(user_agent: &str) -> String {
    let is_kept = |letter: &char| !letter.is_ascii_digit() && !matches!(letter, '.' | '_');
    user_agent.chars().take(USER_AGENT).filter(is_kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s35_an_update_of_a_browser_changes_nothing_and_another_browser_does() {
        let safari = |version: &str| {
            let system = version.replace('.', "_");
            kind_of(&format!(
                "Mozilla/5.0 (iPhone; CPU iPhone OS {system} like Mac OS X) Version/{version} Safari/604.1"
            ))
        };
        assert_eq!(safari("17.5"), safari("18.0.1"));
        assert_ne!(
            safari("17.5"),
            kind_of("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0")
        );
        assert_eq!(kind_of(&"é".repeat(600)).chars().count(), USER_AGENT);
    }

    #[test]
    fn s8_nothing_of_a_person_is_in_its_debug_output() {
        let told = Told {
            address: Some([192, 0, 2, 7].into()),
            user_agent: Some("Firefox".to_owned()),
            account: Some("jane-4711".to_owned()),
        };
        assert_eq!(format!("{told:?}"), "Told { .. }");
        assert_eq!(format!("{:?}", Person::default()), "Person { .. }");
    }
}
