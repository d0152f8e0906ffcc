//! The use cases as browsers see them: [`Port`] over the [`Service`].
//!
//! Domain values become the wire's here, which hold masked recipients and no code, and refusals
//! become the closed set of errors that a client may know.

use app::{
    error::ApiError,
    port::{Caller, Port},
    wire::{self, EmbedOffer, Embedding, PageView, Place, WayBack},
};
use async_trait::async_trait;
use otp::{Channel, Details, Recipient, State, VerificationId};
use tracing::info;

use crate::{
    origin::Origin,
    service::{Checked, Client, Scope, Service, Snapshot, Start},
};

/// Purpose of verifications that begin on the start page.
const HOSTED: &str = "hosted-page";
/// Purpose of verifications that begin in a frame.
const EMBEDDED: &str = "embedded";

/// The port of the pages.
#[derive(Debug)]
pub struct BrowserPort {
    /// The use cases.
    pub service: Service,
    /// The one recipient of the start page, if it is fixed.
    pub fixed_recipient: Option<Recipient>,
}

/// A person who holds a verification's id.
fn holder(caller: &Caller) -> Client {
    Client { scope: Scope::Holder, address: Some(caller.address), idempotency_key: None }
}

/// An origin that a stranger sent, for the log in which developers look for the reason of a refusal:
/// only if it can be read as one, and no longer than a host name may be.
fn shown(origin: &str) -> String {
    const LONGEST: usize = 270;
    let origin = Origin::parse(origin).filter(|origin| origin.as_str().len() <= LONGEST);
    origin.map_or_else(|| "none".to_owned(), |origin| origin.as_str().to_owned())
}

impl BrowserPort {
    /// The surroundings of a verification's page.
    fn place(&self, snapshot: &Snapshot) -> Place {
        let verification = &snapshot.verification;
        let Details { origin, return_url, page_state, .. } = verification.details();
        let page_state = page_state.clone();
        let token = self.service.token(snapshot);
        let site = self.service.sites().named(verification.site());
        let site_key = site.and_then(|site| site.public_key.clone());
        // A URL that the site has taken off its list since is not used any more.
        let is_listed = |url: &&String| site.is_some_and(|site| site.return_url(url).is_some());
        match (origin, return_url.as_ref().filter(is_listed)) {
            (Some(origin), _) => {
                let (site_key, origin) = (site_key.unwrap_or_default(), origin.clone());
                Place::Embedded { page: Embedding { site_key, origin, page_state }, token }
            }
            (None, Some(url)) => Place::Visited(WayBack {
                url: url.clone(),
                result: snapshot.state(),
                page_state,
                token,
            }),
            (None, None) => Place::Alone,
        }
    }

    /// A verification as its page and the island see it.
    fn view_of(&self, snapshot: &Snapshot) -> wire::VerificationView {
        let Snapshot { verification, now, .. } = snapshot;
        let send = verification.last_send();
        let details = verification.details();
        wire::VerificationView {
            id: verification.id().to_string(),
            state: snapshot.state(),
            recipient: verification.recipient().masked(),
            code_length: verification.code_length(),
            attempts_left: verification.attempts_left(),
            sends_left: verification.sends_left(),
            delivery: wire::Delivery {
                channel: send.channel,
                state: send.delivery,
                tries: send.tries,
                number: verification.send_count(),
            },
            channels: self.service.channels_of(verification),
            now: now.as_millis(),
            code_expires_at: verification.code_expires_at().as_millis(),
            resend_at: verification.resend_at().as_millis(),
            expires_at: verification.expires_at().as_millis(),
            leads_on: details.origin.is_some() || details.return_url.is_some(),
        }
    }

    /// The brand of a verification's site, or of the first site if that is no longer configured.
    fn brand(&self, snapshot: &Snapshot) -> wire::Brand {
        let sites = self.service.sites();
        let site = sites.named(snapshot.verification.site()).unwrap_or(sites.first());
        site.brand.clone()
    }
}

#[async_trait]
impl Port for BrowserPort {
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
            channels: self.service.channels(site),
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
            None => (sites.first(), HOSTED, Details::default()),
            Some(Embedding { site_key, origin, page_state }) => {
                let site = sites.with_public_key(site_key).ok_or(ApiError::CrossSite)?;
                let origin = site.origin(origin).ok_or(ApiError::CrossSite)?.as_str().to_owned();
                let (origin, page_state) = (Some(origin), page_state.clone());
                (site, EMBEDDED, Details { origin, page_state, ..Details::default() })
            }
        };
        let recipient = match (embedding, &self.fixed_recipient) {
            (None, Some(fixed)) => self.service.reachable(site, fixed.clone())?,
            _ => self.service.recipient(site, &to, country.as_deref(), channel)?,
        };
        let start = Start {
            site: site.clone(),
            recipient,
            purpose: purpose.to_owned(),
            locale: caller.locale.clone(),
            details,
        };
        Ok(self.view_of(&self.service.start(&holder(caller), start).await?))
    }

    async fn page(&self, id: &str) -> Result<Option<PageView>, ApiError> {
        let id = VerificationId::parse_or_unknown(id);
        let Some(snapshot) = self.service.find_any(&Scope::Holder, id).await? else {
            return Ok(None);
        };
        let place = self.place(&snapshot);
        let expired = snapshot.state() == State::Expired;
        if expired && place == Place::Alone {
            return Ok(None);
        }
        let view = (!expired).then(|| self.view_of(&snapshot));
        Ok(Some(PageView { view, brand: self.brand(&snapshot), place }))
    }

    async fn view(&self, id: &str) -> Result<Option<wire::VerificationView>, ApiError> {
        let id = VerificationId::parse_or_unknown(id);
        let found = self.service.find(&Scope::Holder, id).await?;
        Ok(found.map(|snapshot| self.view_of(&snapshot)))
    }

    async fn check(
        &self,
        caller: &Caller,
        id: &str,
        guess: &str,
    ) -> Result<wire::CheckAnswer, ApiError> {
        let id = VerificationId::parse_or_unknown(id);
        let Checked { outcome, snapshot, .. } =
            self.service.check(&holder(caller), id, guess).await?;
        let verification = snapshot.map(|snapshot| self.view_of(&snapshot));
        Ok(wire::CheckAnswer { outcome, verification })
    }

    async fn resend(
        &self,
        caller: &Caller,
        id: &str,
        channel: Option<Channel>,
    ) -> Result<wire::VerificationView, ApiError> {
        let id = VerificationId::parse_or_unknown(id);
        Ok(self.view_of(&self.service.resend(&holder(caller), id, channel).await?))
    }

    async fn cancel(&self, caller: &Caller, id: &str) -> Result<(), ApiError> {
        let id = VerificationId::parse_or_unknown(id);
        self.service.cancel(&holder(caller), id).await?;
        Ok(())
    }
}
