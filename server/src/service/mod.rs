//! The use cases: start, look up, check, resend, cancel, redeem.
//!
//! Each works the same way. The time and fresh random digits are fetched first; one pure `Command`
//! decides inside the store's transaction; once its decision is durable, the caller is answered and
//! the delivery worker is woken for a new message.

mod channels;
mod client;
mod commands;
mod done;
mod idempotency;
mod network;
mod new_code;
mod person;
mod refused;
mod sending;
mod snapshot;
mod standing;
#[cfg(test)]
pub(crate) mod tests;
mod work;

use std::{net::IpAddr, sync::Arc, time::Duration};

use otp::{
    Channel, Claim, ClaimDigest, Code, Details, Outcome, Recipient, Timestamp, Verification,
    VerificationId, code, limits::Limits, texts::ServerTexts, verification::Opening,
    work::Thresholds,
};
use rand::rngs::SysRng;
use tokio::sync::mpsc;

pub use self::{
    channels::Carried,
    client::{Client, IdempotencyKey, Scope},
    person::{Person, Told},
    refused::Refused,
    snapshot::{Checked, Snapshot},
};
use self::{
    commands::{Action, Command},
    done::Done,
};
use crate::{
    clock::Clock,
    derived_keys::DerivedKeys,
    error_chain::log_error,
    site::{Site, Sites},
    store::{AnyStore, Message, Pseudonyms, Store},
    tokens::Tokens,
};

/// Rules that a service runs under.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The relying parties, each with its policy.
    pub sites: Arc<Sites>,
    /// Channels that have a provider.
    pub carried: Carried,
    /// ISO 3166-1 alpha-2 region in which a phone number is read that names none.
    pub default_country: String,
    /// Limits across verifications.
    pub limits: Limits,
    /// Limits on texts of all sites together.
    pub texts: ServerTexts,
    /// Rates from which on a message takes work, if it ever does.
    pub work: Option<Thresholds>,
    /// The one recipient that anything is sent to, if it is fixed.
    pub fixed_recipient: Option<Recipient>,
    /// Whether callers with the keys of sites for test suites are counted like others. Everybody knows these
    /// keys, so they are where strangers reach the server.
    pub count_test_suites: bool,
    /// Lease of a message that is handed to the worker, who renews it during a try.
    pub lease: Duration,
}

/// The use cases over one store.
#[derive(Clone, Debug)]
pub struct Service {
    store: AnyStore,
    shared: Arc<Shared>,
    clock: Clock,
    /// Wakes the delivery worker with a message that has just been committed.
    worker: mpsc::Sender<Message>,
}

/// Everything that commands decide with.
#[derive(Debug)]
struct Shared {
    keys: DerivedKeys,
    pseudonyms: Arc<Pseudonyms>,
    tokens: Tokens,
    rules: Rules,
}

/// Input of a new verification.
#[derive(Clone, Debug)]
pub struct Start {
    /// The relying party.
    pub site: Arc<Site>,
    /// The person who is to prove control.
    pub recipient: Recipient,
    /// The channel of the first message.
    pub channel: Channel,
    /// Purpose in the relying party's words.
    pub purpose: String,
    /// Language of the messages, a BCP 47 tag.
    pub locale: String,
    /// Values that the relying party gets back with the result.
    pub details: Details,
}

impl Service {
    /// A service over `store`, which wakes `worker` with each message that it commits.
    pub fn new(
        store: AnyStore,
        keys: DerivedKeys,
        tokens: Tokens,
        rules: Rules,
        clock: Clock,
        worker: mpsc::Sender<Message>,
    ) -> Self {
        let pseudonyms = store.pseudonyms();
        let shared = Arc::new(Shared { keys, pseudonyms, tokens, rules });
        Self { store, shared, clock, worker }
    }

    /// The relying parties.
    pub fn sites(&self) -> &Sites {
        &self.shared.rules.sites
    }

    /// Whether requests with a secret key of `site` count for the address that they come from: everybody
    /// knows the key.
    pub fn counts_callers_of(&self, site: &Site) -> bool {
        self.shared.rules.count_test_suites && site.test_mode.is_some()
    }

    /// A person whose browser sends a request itself.
    pub fn person_here(&self, address: IpAddr, user_agent: &str) -> Person {
        Person::here(&self.shared.pseudonyms, address, user_agent)
    }

    /// A person of whom the back end of `site` tells.
    pub fn person_told(&self, site: &Site, told: &Told) -> Person {
        Person::told(&self.shared.pseudonyms, &site.name, told)
    }

    /// The public keys of result tokens, as a JWK Set in JSON.
    pub fn jwks(&self) -> &str {
        self.shared.tokens.jwks()
    }

    /// Channels that a site can send by, in the order to offer them. A site for test suites sends
    /// nothing and needs no provider.
    pub fn channels(&self, site: &Site) -> Vec<Channel> {
        self.shared.rules.channels(site)
    }

    /// Channels by which a verification can send another code, in the order to offer them.
    pub fn channels_of(&self, verification: &Verification) -> Vec<Channel> {
        let Some(site) = self.sites().named(verification.site()) else { return Vec::new() };
        let is_test = verification.details().test_mode;
        self.shared.rules.channels_to(site, verification.recipient(), is_test)
    }

    /// The keyed digest of an `Idempotency-Key`, which tells nothing of the key itself.
    pub fn idempotency_key(&self, site: &str, key: &str, fingerprint: [u8; 32]) -> IdempotencyKey {
        IdempotencyKey { digest: self.shared.pseudonyms.request(site, key), fingerprint }
    }

    /// Reads a recipient that `site` can reach, and says by which channel: that of `channel`, or the first that reaches
    /// it.
    ///
    /// # Errors
    /// [`Refused::Recipient`], [`Refused::ChannelUnavailable`] and [`Refused::DestinationNotServed`].
    pub fn recipient(
        &self,
        site: &Site,
        to: &str,
        country: Option<&str>,
        channel: Option<Channel>,
    ) -> Result<(Recipient, Channel), Refused> {
        let country = country.filter(|country| !country.is_empty());
        let country = country.unwrap_or(&self.shared.rules.default_country);
        let recipient = Recipient::parse(to, Some(country), channel)?;
        let is_test = site.test_code(&recipient).is_some();
        let fixed = self.shared.rules.fixed_recipient.as_ref().filter(|_| !is_test);
        if fixed.is_some_and(|fixed| fixed.canonical() != recipient.canonical()) {
            return Err(Refused::ChannelUnavailable);
        }
        let channel = self.shared.rules.first_channel(site, &recipient, channel)?;
        Ok((recipient, channel))
    }

    /// The one recipient that anything is sent to, with the first channel by which `site` reaches it; `None` if it is
    /// not fixed.
    ///
    /// # Errors
    /// As [`Service::recipient`].
    pub fn fixed_recipient(&self, site: &Site) -> Result<Option<(Recipient, Channel)>, Refused> {
        let Some(fixed) = &self.shared.rules.fixed_recipient else { return Ok(None) };
        let channel = self.shared.rules.first_channel(site, fixed, None)?;
        Ok(Some((fixed.clone(), channel)))
    }

    /// Opens a verification and accepts its first message.
    ///
    /// # Errors
    /// [`Refused::Exceeded`], [`Refused::WorkNeeded`], [`Refused::Crypto`] and [`Refused::Store`].
    pub async fn start(&self, client: &Client, start: Start) -> Result<Snapshot, Refused> {
        let Start { site, recipient, channel, purpose, locale, mut details } = start;
        details.country = recipient.phone().map(|phone| phone.country().to_string());
        let now = self.clock.now();
        let id = VerificationId::generate(now, &mut SysRng).map_err(|_| Refused::Crypto)?;
        let (policy, site) = (site.policy.clone(), site.name.clone());
        let opening = Opening { id, site, recipient, purpose, locale, policy, details };
        let action = Action::Open { opening: Box::new(opening), channel, drawn: draw()? };
        self.apply(client, id, now, action).await?.snapshot()
    }

    /// Looks a verification up; `None` if it has expired or never was. Changes nothing.
    ///
    /// # Errors
    /// [`Refused::Store`].
    pub async fn find(
        &self,
        scope: &Scope,
        id: VerificationId,
    ) -> Result<Option<Snapshot>, Refused> {
        let found = self.find_any(scope, id).await?;
        Ok(found.filter(Snapshot::is_visible))
    }

    /// Looks a verification up, expired or not; `None` if it never was. Changes nothing.
    ///
    /// # Errors
    /// [`Refused::Store`].
    pub async fn find_any(
        &self,
        scope: &Scope,
        id: VerificationId,
    ) -> Result<Option<Snapshot>, Refused> {
        let found = self.store.read(id).await?.filter(|found| scope.covers(found));
        let now = self.clock.now();
        Ok(found.map(|found| Snapshot { verification: found.into(), now, repeated: false }))
    }

    /// A fresh claim, for a page that asks for a code.
    ///
    /// # Errors
    /// [`Refused::Crypto`].
    pub fn claim(&self) -> Result<Claim, Refused> {
        Claim::generate(&mut SysRng).map_err(|_| Refused::Crypto)
    }

    /// Checks one guess, as it was typed. A wrong code is an outcome, not an error. If the check is
    /// approved, a later one with the same `claim` is answered like it.
    ///
    /// # Errors
    /// [`Refused::Exceeded`], [`Refused::KeyReused`], [`Refused::Crypto`] and [`Refused::Store`].
    pub async fn check(
        &self,
        client: &Client,
        id: VerificationId,
        typed: &str,
        claim: Option<ClaimDigest>,
    ) -> Result<Checked, Refused> {
        let action = Action::Check { typed: typed.to_owned().into(), claim };
        let done = self.apply(client, id, self.clock.now(), action).await?;
        Ok(Checked {
            outcome: done.outcome.unwrap_or(Outcome::Expired),
            is_own: done.is_own,
            repeated: done.repeated,
            snapshot: done.snapshot().ok().filter(Snapshot::is_visible),
        })
    }

    /// Sends a new code, by `channel` or by the one used last.
    ///
    /// # Errors
    /// Every refusal of a send, [`Refused::NotFound`] and [`Refused::Finished`] among them.
    pub async fn resend(
        &self,
        client: &Client,
        id: VerificationId,
        channel: Option<Channel>,
    ) -> Result<Snapshot, Refused> {
        let action = Action::Resend { channel, drawn: draw()? };
        self.apply(client, id, self.clock.now(), action).await?.snapshot()
    }

    /// Cancels a verification. One that is over stays as it is.
    ///
    /// # Errors
    /// [`Refused::NotFound`], [`Refused::KeyReused`] and [`Refused::Store`].
    pub async fn cancel(&self, client: &Client, id: VerificationId) -> Result<Snapshot, Refused> {
        self.apply(client, id, self.clock.now(), Action::Cancel).await?.snapshot()
    }

    /// The verification that a mail's link "this wasn't me" names, expired or not; `None` if the link is none of
    /// ours or the verification has been deleted. Changes nothing.
    ///
    /// # Errors
    /// [`Refused::Store`].
    pub async fn find_by_link(&self, link: &str) -> Result<Option<Snapshot>, Refused> {
        let Some(id) = self.shared.keys.links.read(link) else { return Ok(None) };
        self.find_any(&Scope::Holder, id).await
    }

    /// Ends the verification that such a link names, if it is pending, and lets its recipient cool down. `None`
    /// as for [`Service::find_by_link`].
    ///
    /// # Errors
    /// [`Refused::Store`].
    pub async fn disown(&self, link: &str) -> Result<Option<Snapshot>, Refused> {
        let Some(id) = self.shared.keys.links.read(link) else { return Ok(None) };
        let person = Person::default();
        let client = Client { scope: Scope::Holder, person, idempotency_key: None, work: None };
        match self.apply(&client, id, self.clock.now(), Action::Disown).await {
            Ok(done) => done.snapshot().map(Some),
            Err(Refused::NotFound) => Ok(None),
            Err(refused) => Err(refused),
        }
    }

    /// Time for which a recipient cools down; zero if none does.
    pub fn cool_down(&self) -> Duration {
        self.shared.rules.limits.cool_down
    }

    /// The signed result of an approved verification, until it is redeemed or its time is over.
    pub fn token(&self, snapshot: &Snapshot) -> Option<String> {
        let token = snapshot.result()?;
        // Without a token the relying party learns nothing, which is the safe side to fail on.
        let signed = self.shared.tokens.sign(&token);
        signed.inspect_err(|error| log_error(error, "a result token could not be signed")).ok()
    }

    /// Redeems a result token of the client's site, once.
    ///
    /// # Errors
    /// [`Refused::InvalidToken`], [`Refused::TokenExpired`], [`Refused::AlreadyRedeemed`],
    /// [`Refused::KeyReused`] and [`Refused::Store`].
    pub async fn redeem(&self, client: &Client, token: &str) -> Result<Snapshot, Refused> {
        let Scope::Site(site) = &client.scope else { return Err(Refused::InvalidToken) };
        let read = self.shared.tokens.read(token, site);
        let (id, expires_at) = read.map_err(|_| Refused::InvalidToken)?;
        let action = Action::Redeem { expires_at };
        let done = self.apply(client, id, self.clock.now(), action).await;
        done.and_then(Done::snapshot).map_err(|refused| match refused {
            // A verification that is gone or was never approved has no valid token.
            Refused::NotFound => Refused::InvalidToken,
            refused => refused,
        })
    }

    async fn apply(
        &self,
        client: &Client,
        id: VerificationId,
        now: Timestamp,
        action: Action,
    ) -> Result<Done, Refused> {
        let (shared, client) = (self.shared.clone(), client.clone());
        let mut command = Command { shared, client, id, now, action, answer: None };
        command.answer = command.read_answer();
        let mut done = self.store.apply(command).await??;
        if let Some(message) = done.message.take()
            && self.worker.try_send(message).is_err()
        {
            // It is committed, so it is never lost.
            tracing::debug!("the delivery worker is busy: the message waits for its lease to end");
        }
        Ok(done)
    }
}

/// Draws digits for a code of any length: a part of uniform digits is uniform as well.
fn draw() -> Result<Code, Refused> {
    Code::generate(code::MAX_LENGTH, &mut SysRng).map_err(|_| Refused::Crypto)
}
