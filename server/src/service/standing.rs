//! Callers and their standing towards a recipient.

use otp::{
    Timestamp, Verification,
    counters::RecipientCounters,
    known::Mark,
    limits::{Limits, Standing},
};

use super::{Scope, commands::Command};
use crate::store::CounterKeys;

impl Command {
    /// Keys of the counters of the caller, for a verification of `site` if it reaches one.
    pub(super) fn of_callers(&self, site: Option<&str>) -> CounterKeys {
        let site = match &self.client.scope {
            Scope::Site(site) => site,
            // Unknown verifications take the way of known ones (S9).
            Scope::Holder | Scope::Hosted | Scope::Framed { .. } => site.unwrap_or_default(),
        };
        // Counters are kept for twice the span that they are counted over.
        let kept_for = self.limits().caller_span() * 2;
        let callers = self.client.person.keys(&self.shared.pseudonyms, site, kept_for);
        CounterKeys { callers, ..CounterKeys::default() }
    }

    /// Standing of the client towards the recipient of `verification` (S35).
    ///
    /// A secret key is enough where the back end tells no address: it vouches for the person. Where it tells
    /// one, the address is judged like that of a browser, so strangers who use the site's own form
    /// cannot spend what is kept.
    pub(super) fn standing(
        &self,
        verification: &Verification,
        recipient: &RecipientCounters,
        now: Timestamp,
    ) -> Standing {
        let is_known = match self.mark(verification) {
            Some(mark) => recipient.known.contains(mark, now),
            None => self.is_back_end(),
        };
        if is_known { Standing::Known } else { Standing::Stranger }
    }

    /// Mark of the client at the recipient of `verification`, if its address is known.
    pub(super) fn mark(&self, verification: &Verification) -> Option<Mark> {
        let pseudonyms = &self.shared.pseudonyms;
        let browser = self.client.person.browser()?;
        let recipient = pseudonyms.recipient(verification.site(), verification.recipient());
        Some(pseudonyms.mark(&recipient, browser))
    }

    /// Whether the client has a secret key that not everybody knows.
    fn is_back_end(&self) -> bool {
        let Scope::Site(site) = &self.client.scope else { return false };
        let site = self.shared.rules.sites.named(site);
        site.is_some_and(|site| site.test_mode.is_none())
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.shared.rules.limits
    }
}
