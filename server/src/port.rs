//! The use cases as browsers see them: [`Port`] over the [`Service`].
//!
//! Domain values become the wire's here, which hold masked recipients and no code, and refusals
//! become the closed set of errors that a client may know.

use app::{
    error::ApiError,
    port::{Caller, Door, Port},
    wire::{self, EmbedOffer, Embedding, NotMeView, PageView, Place, Proof, Token, WayBack},
};
use async_trait::async_trait;
use otp::{Channel, Claim, Details, State, Timestamp, VerificationId};
use tracing::debug;

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
}

/// An origin that a stranger sent, for the log at `debug`, in which developers look for the reason of a
/// refusal: only if it can be read as one, and no longer than a host name may be.
fn shown(origin: &str) -> String {
    const LONGEST: usize = 270;
    let origin = Origin::parse(origin).filter(|origin| origin.as_str().len() <= LONGEST);
    origin.map_or_else(|| "none".to_owned(), |origin| origin.as_str().to_owned())
}

impl BrowserPort {
    /// A person who holds a verification's id, at a door.
    fn holder(&self, caller: &Caller) -> Client {
        let scope = match &caller.door {
            Door::Island => Scope::Holder,
            Door::Page => Scope::Hosted,
            Door::Frame(page) => {
                let site = self.service.sites().with_public_key(&page.site_key);
                let site = site.map(|site| site.name.clone()).unwrap_or_default();
                Scope::Framed { site, origin: page.origin.clone() }
            }
        };
        let person = self.service.person_here(caller.address, &caller.user_agent);
        let work = Some(caller.work.clone()).filter(|work| !work.is_empty());
        Client { scope, person, idempotency_key: None, work }
    }

    /// The surroundings of a verification's page.
    fn place(&self, snapshot: &Snapshot) -> Place {
        let verification = &snapshot.verification;
        let Details { origin, return_url, page_state, .. } = verification.details();
        let page_state = page_state.clone();
        let site = self.service.sites().named(verification.site());
        let site_key = site.and_then(|site| site.public_key.clone());
        // A URL that the site has taken off its list since is not used any more.
        let is_listed = |url: &&String| site.is_some_and(|site| site.return_url(url).is_some());
        match (origin, return_url.as_ref().filter(is_listed)) {
            (Some(origin), _) => {
                let (site_key, origin) = (site_key.unwrap_or_default(), origin.clone());
                Place::Embedded(Embedding { site_key, origin, page_state })
            }
            (None, Some(url)) => {
                Place::Visited(WayBack { url: url.clone(), result: snapshot.state(), page_state })
            }
            (None, None) => Place::Alone,
        }
    }

    /// The page of a verification with the proof of `is_own`, the client whose check was approved (S31).
    fn page_of(&self, snapshot: &Snapshot, is_own: bool) -> Result<PageView, ApiError> {
        let state = snapshot.state();
        let until = snapshot.redeemable_until().map(Timestamp::as_millis);
        let token = || {
            let signed = self.service.token(snapshot)?;
            Some(Token { signed, expires_at: until? })
        };
        let proof = (state == State::Approved)
            .then(|| if is_own { Proof::Own(token()) } else { Proof::Elsewhere(until) });
        let claim = (state == State::Pending).then(|| self.service.claim()).transpose()?;
        let site = self.service.sites().named_or_first(snapshot.verification.site());
        Ok(PageView {
            view: (state != State::Expired).then(|| self.view_of(snapshot)),
            brand: site.brand.clone(),
            place: self.place(snapshot),
            proof,
            claim: claim.map(|claim| claim.encode()),
        })
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
}

#[async_trait]
impl Port for BrowserPort {
    fn embed_offer(&self, site_key: &str, origin: &str) -> Option<EmbedOffer> {
        let Some(site) = self.service.sites().with_public_key(site_key) else {
            debug!("not embedded: no site has the public key that the element names");
            return None;
        };
        let Some(listed) = site.origin(origin) else {
            let origin = shown(origin);
            debug!(site = site.name, origin, "not embedded: the site does not list this origin");
            return None;
        };
        Some(EmbedOffer {
            origin: listed.as_str().to_owned(),
            brand: site.brand.clone(),
            channels: self.service.channels(site),
            regions: site.destinations.regions(),
        })
    }

    fn knows_origin(&self, origin: &str) -> bool {
        let is_known = self.service.sites().all().any(|site| site.origin(origin).is_some());
        if !is_known {
            debug!(origin = shown(origin), "not embedded: no site lists this origin");
        }
        is_known
    }

    async fn start(
        &self,
        caller: &Caller,
        request: wire::StartRequest,
    ) -> Result<wire::VerificationView, ApiError> {
        let sites = self.service.sites();
        let embedding = match &caller.door {
            Door::Frame(page) => Some(page),
            Door::Page | Door::Island => None,
        };
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
        // The start page asks for nothing then.
        let fixed = match embedding {
            None => self.service.fixed_recipient(site)?,
            Some(_) => None,
        };
        let (recipient, channel) = match fixed {
            Some(fixed) => fixed,
            None => self.service.recipient(site, &to, country.as_deref(), channel)?,
        };
        let start = Start {
            site: site.clone(),
            recipient,
            channel,
            purpose: purpose.to_owned(),
            locale: caller.locale.clone(),
            details,
        };
        Ok(self.view_of(&self.service.start(&self.holder(caller), start).await?))
    }

    async fn page(&self, caller: &Caller, id: &str) -> Result<Option<PageView>, ApiError> {
        let id = VerificationId::parse_or_unknown(id);
        let Some(snapshot) = self.service.find_any(&self.holder(caller).scope, id).await? else {
            return Ok(None);
        };
        let page = self.page_of(&snapshot, false)?;
        Ok(Some(page).filter(|page| page.view.is_some() || page.place != Place::Alone))
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
        claim: &str,
    ) -> Result<wire::CheckAnswer, ApiError> {
        let id = VerificationId::parse_or_unknown(id);
        let claim = Claim::parse(claim).map(|claim| claim.digest());
        let Checked { outcome, is_own, snapshot, .. } =
            self.service.check(&self.holder(caller), id, guess, claim).await?;
        let proven = snapshot.as_ref().filter(|_| is_own && caller.door != Door::Island);
        let page = proven.map(|snapshot| self.page_of(snapshot, true)).transpose()?;
        let page = page.filter(|page| page.place != Place::Alone);
        let verification = snapshot.map(|snapshot| self.view_of(&snapshot));
        Ok(wire::CheckAnswer { outcome, verification, page })
    }

    async fn resend(
        &self,
        caller: &Caller,
        id: &str,
        channel: Option<Channel>,
    ) -> Result<wire::VerificationView, ApiError> {
        let id = VerificationId::parse_or_unknown(id);
        Ok(self.view_of(&self.service.resend(&self.holder(caller), id, channel).await?))
    }

    async fn cancel(&self, caller: &Caller, id: &str) -> Result<(), ApiError> {
        let id = VerificationId::parse_or_unknown(id);
        self.service.cancel(&self.holder(caller), id).await?;
        Ok(())
    }

    async fn not_me(&self, link: &str) -> Result<Option<NotMeView>, ApiError> {
        let cool_down = self.service.cool_down();
        let Some(snapshot) = self.service.find_by_link(link).await? else { return Ok(None) };
        let (verification, state) = (&snapshot.verification, snapshot.state());
        let is_done = verification.is_disowned();
        let is_useful = is_done || !cool_down.is_zero();
        if !is_useful && !matches!(state, State::Pending | State::Approved) {
            return Ok(None);
        }
        let site = self.service.sites().named_or_first(verification.site());
        Ok(Some(NotMeView {
            recipient: verification.recipient().masked(),
            brand: site.brand.clone(),
            state,
            is_done,
            cool_down_hours: cool_down.as_secs().div_ceil(3600).try_into().unwrap_or(u32::MAX),
        }))
    }

    async fn disown(&self, link: &str) -> Result<bool, ApiError> {
        Ok(self.service.disown(link).await?.is_some())
    }
}
