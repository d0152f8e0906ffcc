//! The door for back ends.

use std::sync::Arc;

use app::{
    error::{ApiError, Field},
    wire,
};
use async_trait::async_trait;
use otp::{Details, token::Assurance};

use super::{
    Gateway,
    convert::{api_error, from_wire, id_of, reading, wire_outcome},
    pages::LONGEST_STATE,
};
use crate::{
    api::{self, Answer, Api, Backend, Create},
    service::{Checked, Client, Scope, Snapshot, Start},
    site::Site,
    store::Store,
};

/// What is verified for where the site does not say.
const PURPOSE: &str = "verification";
/// Longest purpose, in characters.
const LONGEST_PURPOSE: usize = 64;
/// Most pairs of metadata, and the longest key and value in characters.
const METADATA: (usize, usize, usize) = (10, 40, 500);

impl<S: Store> Gateway<S> {
    fn site_of_backend(&self, backend: &Backend) -> Result<Arc<Site>, ApiError> {
        self.service.sites().named(&backend.site).cloned().ok_or(ApiError::Unauthorized)
    }

    fn client(&self, backend: &Backend) -> Client {
        let request = backend
            .request
            .as_ref()
            .map(|request| self.service.request(&backend.site, &request.key, request.fingerprint));
        Client { scope: Scope::Site(backend.site.clone()), address: None, request }
    }

    fn verification_of(&self, snapshot: &Snapshot) -> api::Verification {
        let verification = &snapshot.verification;
        let details = verification.details();
        let view = self.view_of(snapshot);
        let url = format!("{}/v/{}", self.origin, view.id);
        api::Verification {
            view,
            purpose: verification.purpose().to_owned(),
            created_at: verification.created_at().as_millis(),
            finished_at: verification.finished_at().map(otp::Timestamp::as_millis),
            redeemed_at: verification.redeemed_at().map(otp::Timestamp::as_millis),
            return_url: details.return_url.clone(),
            state: details.page_state.clone(),
            metadata: details.metadata.clone(),
            url,
            test: details.rehearsal,
        }
    }

    fn answer(&self, snapshot: &Snapshot) -> Answer<api::Verification> {
        Answer { value: self.verification_of(snapshot), replayed: snapshot.replayed }
    }
}

#[async_trait]
impl<S: Store> Api for Gateway<S> {
    fn site_of(&self, secret: &str) -> Option<String> {
        self.service.sites().with_secret(secret).map(|site| site.name.clone())
    }

    async fn create(&self, backend: &Backend, request: Create) -> api::Result<api::Verification> {
        let site = self.site_of_backend(backend)?;
        let Create { to, channel, country, locale, purpose, return_url, state, metadata } = request;
        let purpose = purpose.unwrap_or_else(|| PURPOSE.to_owned());
        demand(is_line(&purpose, LONGEST_PURPOSE) && !purpose.is_empty(), Field::Purpose)?;
        demand(
            state.as_ref().is_none_or(|state| state.chars().count() <= LONGEST_STATE),
            Field::State,
        )?;
        let (pairs, key, value) = METADATA;
        let fits = |(name, text): (&String, &String)| {
            !name.is_empty() && is_line(name, key) && text.chars().count() <= value
        };
        demand(metadata.len() <= pairs && metadata.iter().all(fits), Field::Metadata)?;
        let country = country.as_deref();
        let is_region =
            |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic());
        demand(country.is_none_or(is_region), Field::Country)?;
        let return_url = return_url
            .map(|url| {
                site.return_url(&url).ok_or(ApiError::InvalidReturnUrl).map(ToString::to_string)
            })
            .transpose()?;
        let recipient = self.recipient(&site, &to, country, channel)?;
        let start = Start {
            site,
            recipient,
            purpose,
            // The configured catalogue answers for what it has; the door in front has seen to that.
            locale: locale.unwrap_or_default(),
            details: Details { return_url, page_state: state, metadata, ..Details::default() },
        };
        let started = self.service.start(&self.client(backend), start).await;
        started.map(|snapshot| self.answer(&snapshot)).map_err(api_error)
    }

    async fn get(&self, backend: &Backend, id: &str) -> Result<api::Verification, ApiError> {
        let scope = Scope::Site(backend.site.clone());
        let found = self.service.find(&scope, id_of(id)).await.map_err(api_error)?;
        found.map(|snapshot| self.verification_of(&snapshot)).ok_or(ApiError::NotFound)
    }

    async fn cancel(&self, backend: &Backend, id: &str) -> api::Result<api::Verification> {
        let canceled = self.service.cancel(&self.client(backend), id_of(id)).await;
        canceled.map(|snapshot| self.answer(&snapshot)).map_err(api_error)
    }

    async fn check(&self, backend: &Backend, id: &str, guess: &str) -> api::Result<api::Checked> {
        let checked = self.service.check(&self.client(backend), id_of(id), reading(guess)).await;
        let Checked { outcome, snapshot, replayed } = checked.map_err(api_error)?;
        let verification = snapshot.map(|snapshot| self.verification_of(&snapshot));
        let value = api::Checked { outcome: wire_outcome(outcome), verification };
        Ok(Answer { value, replayed })
    }

    async fn resend(
        &self,
        backend: &Backend,
        id: &str,
        channel: Option<wire::Channel>,
    ) -> api::Result<api::Verification> {
        let channel = channel.map(from_wire);
        let resent = self.service.resend(&self.client(backend), id_of(id), channel).await;
        resent.map(|snapshot| self.answer(&snapshot)).map_err(api_error)
    }

    async fn redeem(&self, backend: &Backend, token: &str) -> api::Result<api::Redeemed> {
        let read = self.tokens.read(token, &backend.site);
        let (id, expires_at) = read.map_err(|_| ApiError::InvalidToken)?;
        let redeemed = self.service.redeem(&self.client(backend), id, expires_at).await;
        let snapshot = redeemed.map_err(api_error).map_err(|error| match error {
            // Whose verification is gone, or was never approved, has no proof either.
            ApiError::NotFound => ApiError::InvalidToken,
            error => error,
        })?;
        let verification = &snapshot.verification;
        let value = api::Redeemed {
            verification: self.verification_of(&snapshot),
            recipient: verification.recipient().address().to_owned(),
            assurance: Assurance::of(verification.last_send().channel),
            origin: verification.details().origin.clone(),
        };
        Ok(Answer { value, replayed: snapshot.replayed })
    }

    fn jwks(&self) -> &str {
        self.tokens.jwks()
    }
}

fn demand(fine: bool, field: Field) -> Result<(), ApiError> {
    if fine { Ok(()) } else { Err(ApiError::InvalidField { field }) }
}

/// Up to so many characters, none of which breaks a line or hides.
fn is_line(text: &str, longest: usize) -> bool {
    text.chars().count() <= longest && !text.chars().any(char::is_control)
}
