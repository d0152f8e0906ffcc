//! Selection of the provider for a message.
//!
//! Each try asks one provider, and what came of it is stored before the next one is asked:
//! - A provider that refuses the message is not asked again, and the next one is asked at once.
//! - One that fails for now is asked three times; then the others have their turn, and then it again.
//! - One that refuses our account, or leaves a try without an answer, ends its turn at once. One that leaves
//!   a second try without an answer is not asked again.
//! - One whose circuit breaker is open comes after all others.
//! - One that took an earlier message of the same verification comes after the others of the same turn.
//!
//! A message is undelivered when no provider is left, or when its code expires.

use std::sync::Arc;

use otp::{Channel, Timestamp};

use super::{OutgoingMessage, Route, tried::Tried};

/// The providers of each channel, in order of preference.
#[derive(Debug)]
pub struct Dispatcher {
    email: Vec<Arc<Route>>,
    sms: Vec<Arc<Route>>,
}

impl Dispatcher {
    /// Takes the providers of each channel, the preferred one first. One provider may be in several lists.
    pub fn new(email: Vec<Arc<Route>>, sms: Vec<Arc<Route>>) -> Self {
        Self { email, sms }
    }

    /// Channels that have a provider.
    pub fn channels(&self) -> Vec<Channel> {
        let channels = [Channel::Email, Channel::Sms];
        channels.into_iter().filter(|channel| !self.routes(*channel).is_empty()).collect()
    }

    /// All providers, each once.
    pub fn all(&self) -> Vec<&Arc<Route>> {
        let mut all: Vec<&Arc<Route>> = Vec::new();
        for route in self.email.iter().chain(&self.sms) {
            if !all.iter().any(|known| Arc::ptr_eq(known, route)) {
                all.push(route);
            }
        }
        all
    }

    /// Whether every channel has a provider besides these.
    pub fn works_without(&self, names: &[String]) -> bool {
        let works = |route: &Arc<Route>| !names.iter().any(|name| name == route.name());
        self.channels().into_iter().all(|channel| self.routes(channel).iter().any(works))
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
        // The first one of the smallest.
        left.min_by_key(|route| {
            let is_avoided = avoided.iter().any(|name| name == route.name());
            (route.is_left_alone(now), tried.turns(route.name()), is_avoided)
        })
    }

    fn routes(&self, channel: Channel) -> &[Arc<Route>] {
        match channel {
            Channel::Email => &self.email,
            Channel::Sms => &self.sms,
        }
    }
}
