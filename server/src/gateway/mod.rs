//! The doors to the service: [`app::port::Port`] for browsers (`pages`), [`crate::api::Api`] for
//! back ends with a secret key (`backends`).
//!
//! This is the one place where the domain's values become the wire's, which hold masked recipients
//! and no code, and where reasons for a refusal become the closed set that a client may know.

mod backends;
mod convert;
mod pages;

use app::{error::ApiError, wire};
use otp::{Channel, Recipient, ResultToken, token::MAX_LIFETIME, verification::State};

pub use self::convert::to_wire;
use self::convert::{delivery, from_wire, recipient_problem, state};
use crate::{
    error_chain::log_error,
    origin::Origin,
    service::{Service, Snapshot},
    site::Site,
    store::Store,
    tokens::Tokens,
};

/// What can be offered.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The channels that have a provider.
    pub channels: Vec<Channel>,
    /// The region in which a phone number without one is read.
    pub default_country: String,
    /// The one recipient that codes go to, where nothing is asked for.
    pub fixed_recipient: Option<Recipient>,
}

/// The doors over a service.
#[derive(Debug)]
pub struct Gateway<S> {
    service: Service<S>,
    tokens: Tokens,
    offer: Offer,
    origin: Origin,
}

impl<S: Store> Gateway<S> {
    /// Opens the doors to `service`, for a server that browsers find at `origin`.
    pub fn new(service: Service<S>, tokens: Tokens, offer: Offer, origin: Origin) -> Self {
        Self { service, tokens, offer, origin }
    }

    /// The channels of a site that have a provider, in the order to offer them. What is only
    /// rehearsed needs none.
    fn channels(&self, site: &Site) -> Vec<Channel> {
        let has_provider =
            |channel: &Channel| site.rehearsal.is_some() || self.offer.channels.contains(channel);
        site.channels.iter().copied().filter(has_provider).collect()
    }

    /// Reads whom a code is to go to, and sees that `site` can reach them.
    fn recipient(
        &self,
        site: &Site,
        to: &str,
        country: Option<&str>,
        channel: Option<wire::Channel>,
    ) -> Result<Recipient, ApiError> {
        let country = country.filter(|country| !country.is_empty());
        let country = country.unwrap_or(&self.offer.default_country);
        let recipient = Recipient::parse(to, Some(country), channel.map(from_wire));
        let recipient = recipient.map_err(|problem| ApiError::InvalidRecipient {
            problem: recipient_problem(problem),
        })?;
        self.reachable(site, recipient)
    }

    fn reachable(&self, site: &Site, recipient: Recipient) -> Result<Recipient, ApiError> {
        if self.channels(site).contains(&recipient.channel()) || site.script(&recipient).is_some() {
            Ok(recipient)
        } else {
            Err(ApiError::ChannelUnavailable)
        }
    }

    /// The signed result of an approved verification, while there is one to be had.
    fn token(&self, snapshot: &Snapshot) -> Option<String> {
        let Snapshot { verification, now, .. } = snapshot;
        let token = ResultToken::issue(verification, MAX_LIFETIME, *now)?;
        // Without one the relying party learns nothing, which is the safe side to fail on.
        let signed = self.tokens.sign(&token);
        signed.inspect_err(|error| log_error(error, "a result token could not be signed")).ok()
    }

    fn view_of(&self, snapshot: &Snapshot) -> wire::VerificationView {
        let Snapshot { verification, now, .. } = snapshot;
        let send = verification.last_send();
        let details = verification.details();
        let reaching = verification.recipient().channel();
        let offered = details.rehearsal || self.offer.channels.contains(&reaching);
        wire::VerificationView {
            id: verification.id().to_string(),
            state: state(verification.state(*now)),
            recipient: verification.recipient().masked(),
            code_length: verification.policy().code_length(),
            attempts_left: verification.attempts_left(),
            sends_left: verification.sends_left(),
            delivery: wire::Delivery {
                channel: to_wire(send.channel),
                state: delivery(send.delivery),
                tries: send.tries,
                number: verification.send_count(),
            },
            channels: offered.then(|| to_wire(reaching)).into_iter().collect(),
            now: now.as_millis(),
            code_expires_at: verification.code_expires_at().as_millis(),
            resend_at: verification.resend_at().as_millis(),
            expires_at: verification.expires_at().as_millis(),
            leads_on: details.origin.is_some() || details.return_url.is_some(),
        }
    }

    /// The brand of the site that a verification belongs to; of the first one where that site is no
    /// longer configured.
    fn brand_of(&self, snapshot: &Snapshot) -> wire::Brand {
        let sites = self.service.sites();
        let site = sites.named(snapshot.verification.site()).unwrap_or(sites.first());
        site.brand.clone()
    }
}

/// Where a verification stands at the time of a snapshot.
fn state_at(snapshot: &Snapshot) -> State {
    snapshot.verification.state(snapshot.now)
}
