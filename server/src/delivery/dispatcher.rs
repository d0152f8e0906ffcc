//! Selection of the provider for a message.
//!
//! Each try asks one provider, and what came of it is stored before the next one is asked:
//! - A provider that refuses the message is not asked again, and the next one is asked at once.
//! - One that fails for now is asked three times; then the others have their turn, and then it again.
//! - One that refuses our account, or leaves a try without an answer, ends its turn at once. One that leaves
//!   a second try without an answer is not asked again.
//! - One that asks to be tried later than a retry would come ends its turn at once, and comes after all others until
//!   then.
//! - One whose circuit breaker is open comes after all others.
//! - One that took an earlier message of the same verification comes after the others of the same turn.
//!
//! A message is undelivered when no provider is left, or when its code expires.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use otp::{Channel, Recipient, Timestamp, recipient::Country};

use super::{OutgoingMessage, Route, tried::Tried};

/// The providers of each channel, in order of preference.
#[derive(Clone, Debug)]
pub struct Dispatcher(BTreeMap<Channel, Vec<Arc<Route>>>);

impl Dispatcher {
    /// Takes the providers of each channel, the preferred one first. One provider may be in several lists.
    pub fn new(routes: impl IntoIterator<Item = (Channel, Vec<Arc<Route>>)>) -> Self {
        let routes = routes.into_iter().filter(|(_, routes)| !routes.is_empty());
        Self(routes.collect())
    }

    /// Channels that have a provider, with the countries that those are for; `None` for all.
    pub fn channels(&self) -> impl Iterator<Item = (Channel, Option<Vec<Country>>)> {
        self.0.iter().map(|(channel, routes)| {
            let is_for_all = routes.iter().any(|route| route.countries().is_empty());
            let countries = || routes.iter().flat_map(|route| route.countries()).copied();
            (*channel, (!is_for_all).then(|| countries().collect()))
        })
    }

    /// All providers, each once.
    pub fn all(&self) -> Vec<&Arc<Route>> {
        let mut all: Vec<&Arc<Route>> = Vec::new();
        for route in self.0.values().flatten() {
            if !all.iter().any(|known| Arc::ptr_eq(known, route)) {
                all.push(route);
            }
        }
        all
    }

    /// The provider of this name.
    pub fn named(&self, name: &str) -> Option<&Arc<Route>> {
        self.all().into_iter().find(|route| route.name() == name)
    }

    /// Whether a message to this recipient can go by a provider besides these.
    pub fn reaches_without(&self, channel: Channel, to: &Recipient, names: &[String]) -> bool {
        let is_another = |route: &Arc<Route>| !names.iter().any(|name| name == route.name());
        self.routes(channel).iter().any(|route| route.reaches(to) && is_another(route))
    }

    /// Whether every channel has a provider besides these.
    pub fn works_without(&self, names: &[String]) -> bool {
        let works = |route: &Arc<Route>| !names.iter().any(|name| name == route.name());
        self.0.values().all(|routes| routes.iter().any(works))
    }

    /// The provider to ask next for a message, after these tries; `None` if none is left for good.
    ///
    /// `avoided` are the names of the providers that took earlier messages of the verification.
    pub fn next(
        &self,
        message: &OutgoingMessage,
        avoided: &[String],
        tried: &Tried,
        now: Timestamp,
    ) -> Option<&Route> {
        let routes = self.routes(message.channel).iter().map(Arc::as_ref);
        let left =
            routes.filter(|route| route.reaches(&message.to) && !tried.is_over(route.name()));
        // `min_by_key` keeps the first of equals, so the configured order decides.
        left.min_by_key(|route| {
            let name = route.name();
            let is_avoided = avoided.iter().any(|avoided| avoided == name);
            let waits_until = tried.not_before(name).filter(|until| now < *until);
            let is_left_alone = waits_until.is_some() || route.is_left_alone(now);
            (is_left_alone, waits_until, tried.turns(name), is_avoided)
        })
    }

    /// Longest duration of a try by `asked` while `left` is left of the code's life. Some servers take minutes for
    /// an answer, so it is all of it if nobody else can be asked, and otherwise a third.
    pub fn patience(
        &self,
        message: &OutgoingMessage,
        asked: &Route,
        tried: &Tried,
        left: Duration,
    ) -> Duration {
        // One that is left alone now can be asked later in the code's life.
        let has_another = self.routes(message.channel).iter().any(|route| {
            let is_other = route.name() != asked.name() && route.reaches(&message.to);
            is_other && !tried.is_over(route.name())
        });
        if has_another { left / 3 } else { left }
    }

    fn routes(&self, channel: Channel) -> &[Arc<Route>] {
        self.0.get(&channel).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use app::wire::Brand;
    use otp::{Code, Policy};

    use super::*;
    use crate::{
        delivery::{Failure, Inbox, Provider},
        i18n::Catalogue,
        site::Site,
    };

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    /// Providers of these names, each for these countries.
    fn dispatcher(routes: &[(&str, &[&str])]) -> Dispatcher {
        let inbox = Arc::new(Inbox::new(Arc::new(Catalogue::load().unwrap())));
        let route = |(name, countries): &(&str, &[&str])| {
            let countries =
                countries.iter().map(|code| otp::recipient::Country::parse(code).unwrap());
            let provider = Provider::Inbox(inbox.clone());
            Arc::new(Route::new((*name).to_owned(), countries.collect(), provider))
        };
        let routes: Vec<_> = routes.iter().map(route).collect();
        Dispatcher::new(Channel::ALL.iter().map(|channel| (*channel, routes.clone())))
    }

    fn message(to: &str) -> OutgoingMessage {
        let to = Recipient::parse(to, None, None).unwrap();
        let site = Arc::new(Site::named("demo", Policy::default(), Brand::default()));
        let (code, expires_at) = (Code::zeros(6), NOW + Duration::from_secs(300));
        OutgoingMessage::detached(site, to, code, "login.example.com", expires_at)
    }

    fn next<'a>(of: &'a Dispatcher, to: &str, avoided: &[&str], tried: &Tried) -> Option<&'a str> {
        let avoided: Vec<_> = avoided.iter().map(|name| (*name).to_owned()).collect();
        of.next(&message(to), &avoided, tried, NOW).map(Route::name)
    }

    #[test]
    fn phone_numbers_go_by_the_first_provider_of_their_country_and_mail_by_any() {
        let of = dispatcher(&[("island", &["IE", "IS"]), ("british", &["GB"]), ("us", &["US"])]);
        let none = Tried::default();
        for (to, name) in [
            ("+447400123456", Some("british")),
            ("+353850123456", Some("island")),
            ("+12025550123", Some("us")),
            ("+33612345678", None),
            ("jo@example.com", Some("island")),
        ] {
            assert_eq!(next(&of, to, &[], &none), name, "{to}");
        }
    }

    #[test]
    fn s25_failures_lead_to_the_next_provider_until_none_is_left() {
        let of = dispatcher(&[("a", &[]), ("b", &[]), ("c", &[])]);
        let mut tried = Tried::default();
        for (failed, failure, after) in [
            ("a", Failure::Transient, Some("a")),
            ("a", Failure::Transient, Some("a")),
            ("a", Failure::Transient, Some("b")),
            ("b", Failure::Account, Some("c")),
            ("c", Failure::Permanent, Some("a")),
            ("a", Failure::Permanent, Some("b")),
            ("b", Failure::Account, Some("b")),
            ("b", Failure::Ambiguous, Some("b")),
            ("b", Failure::Ambiguous, None),
        ] {
            tried.add(failed, failure, None);
            assert_eq!(next(&of, "jo@example.com", &[], &tried), after, "{failed} {failure}");
        }
    }

    #[test]
    fn s25_a_try_leaves_time_for_the_providers_that_can_still_be_asked() {
        let of = dispatcher(&[("a", &[]), ("b", &["GB"]), ("c", &["US"])]);
        let life = Duration::from_secs(300);
        let patience = |to: &str, tried: &Tried| {
            of.patience(&message(to), of.next(&message(to), &[], tried, NOW).unwrap(), tried, life)
        };
        let mut tried = Tried::default();
        assert_eq!(patience("+447400123456", &tried), life / 3);
        assert_eq!(patience("+33612345678", &tried), life, "no other is for France");
        of.all()[1].breaker.refused(NOW);
        assert_eq!(patience("+447400123456", &tried), life / 3, "it is left alone for a moment");
        tried.add("b", Failure::Permanent, None);
        assert_eq!(patience("+447400123456", &tried), life, "the other has refused it");
        assert_eq!(patience("+12025550123", &tried), life / 3);
    }

    #[test]
    fn s25_a_provider_that_is_avoided_or_left_alone_comes_after_the_others() {
        let of = dispatcher(&[("a", &[]), ("b", &[])]);
        let mut tried = Tried::default();
        let to = "jo@example.com";
        assert_eq!(next(&of, to, &["a"], &tried), Some("b"));
        assert_eq!(next(&of, to, &["a", "b"], &tried), Some("a"));
        tried.add("b", Failure::Permanent, None);
        assert_eq!(next(&of, to, &["a"], &tried), Some("a"), "the only one that is left");
    }

    #[test]
    fn s25_a_provider_that_asks_to_wait_comes_after_the_others_until_then() {
        let of = dispatcher(&[("a", &[]), ("b", &[]), ("c", &["GB"])]);
        let (to, mut tried) = ("+447400123456", Tried::default());
        let after = |seconds| Some(NOW + Duration::from_secs(seconds));
        tried.add("a", Failure::Transient, after(9));
        assert_eq!(next(&of, to, &[], &tried), Some("b"));
        tried.add("b", Failure::Transient, after(8));
        tried.add("c", Failure::Account, None);
        assert_eq!(next(&of, to, &[], &tried), Some("c"), "it can be asked now");
        tried.add("c", Failure::Permanent, None);
        assert_eq!(next(&of, to, &[], &tried), Some("b"), "it can be asked first");
        let later = NOW + Duration::from_secs(9);
        assert_eq!(of.next(&message(to), &[], &tried, later).map(Route::name), Some("a"));
    }
}
