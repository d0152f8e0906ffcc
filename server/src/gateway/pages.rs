//! The door for browsers.

use app::{
    error::ApiError,
    port::{Caller, Embedding, Port},
    wire::{self, EmbedOffer, Embedded, PageView, Place, WayBack},
};
use async_trait::async_trait;
use otp::{Details, verification::State};
use tracing::info;

use super::{
    Gateway,
    convert::{api_error, from_wire, id_of, reading, state, to_wire, wire_outcome},
    state_at,
};
use crate::{
    origin::Origin,
    service::{Checked, Client, Scope, Snapshot, Start},
    store::Store,
};

/// What is verified for where nobody says so.
const ON_OUR_PAGE: &str = "hosted-page";
const IN_A_FRAME: &str = "embedded";

/// Longest state of a page, in characters.
pub(super) const LONGEST_STATE: usize = 256;

/// Whoever holds a verification's id is the person whom its page was given to.
fn holder(caller: &Caller) -> Client {
    Client { scope: Scope::Held, address: Some(caller.address), request: None }
}

/// The origin that a stranger says, for the log, where whoever sets an element up looks for why it is
/// refused: what can be read as one, and no longer than the name of a host may be.
fn shown(origin: &str) -> String {
    const LONGEST: usize = 270;
    let origin = Origin::parse(origin).filter(|origin| origin.as_str().len() <= LONGEST);
    origin.map_or_else(|| "none".to_owned(), |origin| origin.as_str().to_owned())
}

impl<S: Store> Gateway<S> {
    /// What surrounds a verification's page.
    fn place(&self, snapshot: &Snapshot) -> Place {
        let verification = &snapshot.verification;
        let Details { origin, return_url, page_state, .. } = verification.details();
        let page_state = page_state.clone();
        let token = self.token(snapshot);
        let site = self.service.sites().named(verification.site());
        let site_key = site.and_then(|site| site.public_key.clone());
        // What the site has taken off its list meanwhile leads nobody anywhere any more.
        let is_listed = |url: &&String| site.is_some_and(|site| site.return_url(url).is_some());
        match (origin, return_url.as_ref().filter(is_listed)) {
            (Some(origin), _) => Place::Embedded(Embedded {
                site_key: site_key.unwrap_or_default(),
                origin: origin.clone(),
                page_state,
                token,
            }),
            (None, Some(url)) => Place::Visited(WayBack {
                url: url.clone(),
                result: state(state_at(snapshot)),
                page_state,
                token,
            }),
            (None, None) => Place::Alone,
        }
    }
}

#[async_trait]
impl<S: Store> Port for Gateway<S> {
    fn embed_offer(&self, site_key: &str, origin: &str) -> Option<EmbedOffer> {
        let Some(site) = self.service.sites().with_public_key(site_key) else {
            info!("not embedded: no site has the public key that the element names");
            return None;
        };
        let Some(listed) = site.origin(origin) else {
            let origin = shown(origin);
            info!(site = site.name, origin, "not embedded: the site does not list this origin");
            return None;
        };
        Some(EmbedOffer {
            origin: listed.as_str().to_owned(),
            brand: site.brand.clone(),
            channels: self.channels(site).into_iter().map(to_wire).collect(),
        })
    }

    fn knows_origin(&self, origin: &str) -> bool {
        let is_known = self.service.sites().all().any(|site| site.origin(origin).is_some());
        if !is_known {
            info!(origin = shown(origin), "not embedded: no site lists this origin");
        }
        is_known
    }

    async fn start(
        &self,
        caller: &Caller,
        embedding: Option<&Embedding>,
        request: wire::StartRequest,
    ) -> Result<wire::VerificationView, ApiError> {
        let sites = self.service.sites();
        let wire::StartRequest { channel, to, country } = request;
        let (site, purpose, details) = match embedding {
            None => (sites.first(), ON_OUR_PAGE, Details::default()),
            Some(Embedding { site_key, origin, page_state }) => {
                let site = sites.with_public_key(site_key).ok_or(ApiError::CrossSite)?;
                let origin = site.origin(origin).ok_or(ApiError::CrossSite)?.as_str().to_owned();
                let too_long = |state: &String| state.chars().count() > LONGEST_STATE;
                if page_state.as_ref().is_some_and(too_long) {
                    return Err(ApiError::InvalidField { field: app::error::Field::State });
                }
                let (origin, page_state) = (Some(origin), page_state.clone());
                (site, IN_A_FRAME, Details { origin, page_state, ..Details::default() })
            }
        };
        let recipient = match (embedding, &self.offer.fixed_recipient) {
            (None, Some(fixed)) => self.reachable(site, fixed.clone())?,
            _ => self.recipient(site, &to, country.as_deref(), channel)?,
        };
        let start = Start {
            site: site.clone(),
            recipient,
            purpose: purpose.to_owned(),
            locale: caller.locale.clone(),
            details,
        };
        let started = self.service.start(&holder(caller), start).await;
        started.map(|snapshot| self.view_of(&snapshot)).map_err(api_error)
    }

    async fn page(&self, id: &str) -> Result<Option<PageView>, ApiError> {
        let found = self.service.look(&Scope::Held, id_of(id)).await.map_err(api_error)?;
        let Some(snapshot) = found else { return Ok(None) };
        let place = self.place(&snapshot);
        let expired = state_at(&snapshot) == State::Expired;
        if expired && place == Place::Alone {
            return Ok(None);
        }
        let view = (!expired).then(|| self.view_of(&snapshot));
        Ok(Some(PageView { view, brand: self.brand_of(&snapshot), place }))
    }

    async fn view(&self, id: &str) -> Result<Option<wire::VerificationView>, ApiError> {
        let found = self.service.find(&Scope::Held, id_of(id)).await.map_err(api_error)?;
        Ok(found.map(|snapshot| self.view_of(&snapshot)))
    }

    async fn check(
        &self,
        caller: &Caller,
        id: &str,
        guess: &str,
    ) -> Result<wire::CheckAnswer, ApiError> {
        let checked = self.service.check(&holder(caller), id_of(id), reading(guess)).await;
        let Checked { outcome, snapshot, .. } = checked.map_err(api_error)?;
        Ok(wire::CheckAnswer {
            outcome: wire_outcome(outcome),
            verification: snapshot.map(|snapshot| self.view_of(&snapshot)),
        })
    }

    async fn resend(
        &self,
        caller: &Caller,
        id: &str,
        channel: Option<wire::Channel>,
    ) -> Result<wire::VerificationView, ApiError> {
        let channel = channel.map(from_wire);
        let resent = self.service.resend(&holder(caller), id_of(id), channel).await;
        resent.map(|snapshot| self.view_of(&snapshot)).map_err(api_error)
    }

    async fn cancel(&self, caller: &Caller, id: &str) -> Result<(), ApiError> {
        let canceled = self.service.cancel(&holder(caller), id_of(id)).await;
        canceled.map(|_| ()).map_err(api_error)
    }
}
