//! The use cases: start, look up, check, resend, cancel, redeem.
//!
//! Each is the same three moves. What needs the outside world, a fresh code or the time, is fetched
//! first; then one pure step (`steps.rs`) decides, inside the store's transaction; then, and only when
//! its decision is durable, somebody is told: the caller, and for a new message the outbox worker.

mod client;
mod commands;
mod idempotency;

use std::{sync::Arc, time::Duration};

use otp::{
    Channel, Code, Details, Policy, Recipient, Timestamp, Verification, VerificationId,
    send::Delivery,
    verification::{Opening, Outcome, RedeemRefused, ResendRefused, State},
};
use rand::rngs::SysRng;
use tokio::sync::mpsc;

pub use self::client::{Client, Request, Scope};
use self::idempotency::{Done, Once};
use crate::{
    clock::Clock,
    derived_keys::DerivedKeys,
    limits::{Exceeded, Limit, Limits},
    site::{Script, Site, Sites},
    store::{Message, Step, Store, StoreError},
    webhook::EventRecorder,
};

/// The rules that a service runs under.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The relying parties, each with its policy.
    pub sites: Arc<Sites>,
    /// What is allowed across verifications.
    pub limits: Limits,
    /// How long a message belongs to the worker that it is handed to; longer than any try takes.
    pub lease: Duration,
}

/// The use cases over one store.
#[derive(Clone, Debug)]
pub struct Service<S> {
    store: S,
    secrets: DerivedKeys,
    rules: Rules,
    clock: Clock,
    /// Wakes the outbox worker with what has just been committed.
    worker: mpsc::Sender<Message>,
    /// Tells relying parties what becomes of their verifications.
    recorder: EventRecorder,
}

/// What a verification is begun with.
#[derive(Clone, Debug)]
pub struct Start {
    /// The relying party.
    pub site: Arc<Site>,
    /// Who is to prove control.
    pub recipient: Recipient,
    /// What for, in the relying party's words.
    pub purpose: String,
    /// The language of the messages, a BCP 47 tag.
    pub locale: String,
    /// What the relying party gets back with the result.
    pub details: Details,
}

/// A verification as it stood at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The verification.
    pub verification: Verification,
    /// The instant.
    pub now: Timestamp,
    /// The client was told so before: the same request was sent again, and nothing was done.
    pub replayed: bool,
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The outcome.
    pub outcome: Outcome,
    /// The verification after it; `None` where it has expired or never was.
    pub snapshot: Option<Snapshot>,
    /// The client was told so before.
    pub replayed: bool,
}

/// Why a use case was refused. A wrong code is no refusal but an outcome.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// A limit across verifications is reached.
    #[error("a limit is reached")]
    Exceeded {
        /// Which, and until when.
        exceeded: Exceeded,
        /// The time of the refusal.
        now: Timestamp,
    },
    /// The next code may be sent at a later time.
    #[error("another code cannot be sent yet")]
    TooEarly {
        /// When.
        at: Timestamp,
        /// The time of the refusal.
        now: Timestamp,
    },
    /// The verification has sent as many messages as it may.
    #[error("no sends are left")]
    NoSendsLeft,
    /// The channel does not reach the recipient.
    #[error("the channel does not reach the recipient")]
    WrongChannel,
    /// The verification is over.
    #[error("the verification is over")]
    Finished,
    /// It has expired or never was.
    #[error("no such verification, or it has expired")]
    NotFound,
    /// The proof of its result is past its time.
    #[error("the token has expired")]
    TokenExpired,
    /// Its result was redeemed before.
    #[error("the result was redeemed before")]
    AlreadyRedeemed,
    /// The request has the name of another one.
    #[error("the name of the request belongs to another one")]
    RequestReused,
    /// The store did not do it.
    #[error("keeping the verification")]
    Store(#[from] StoreError),
    /// The operating system's generator failed, or encryption did: nothing is made without them.
    #[error("making a code")]
    Generator,
}

impl<S: Store> Service<S> {
    /// A service over `store`; what it commits to the outbox it also sends to `worker`.
    pub fn new(
        store: S,
        secrets: DerivedKeys,
        rules: Rules,
        clock: Clock,
        worker: mpsc::Sender<Message>,
    ) -> Self {
        let told = rules.sites.all().filter(|site| site.webhook.is_some());
        let told = told.map(|site| site.name.clone());
        let recorder = EventRecorder::new(told, secrets.sealer.clone());
        Self { store, secrets, rules, clock, worker, recorder }
    }

    /// Who tells relying parties what becomes of their verifications.
    pub fn recorder(&self) -> &EventRecorder {
        &self.recorder
    }

    /// The relying parties.
    pub fn sites(&self) -> &Sites {
        &self.rules.sites
    }

    /// The name of a request, in which nothing is left of what the client calls it.
    pub fn request(&self, site: &str, key: &str, fingerprint: [u8; 32]) -> Request {
        Request { name: self.secrets.pseudonyms.request(site, key), fingerprint }
    }

    /// Opens a verification and accepts its first message.
    pub async fn start(&self, client: &Client, start: Start) -> Result<Snapshot, Refused> {
        let now = self.clock.now();
        let Start { site, recipient, purpose, locale, mut details } = start;
        let policy = site.policy.clone();
        let coded = match site.script(&recipient) {
            Some(script) => Coded::rehearsed(&script, now)?,
            None => Coded::drawn(&policy)?,
        };
        details.rehearsal = coded.rehearsed.is_some();
        let id = VerificationId::generate(now, &mut SysRng).map_err(|_| Refused::Generator)?;
        let site = site.name.clone();
        let opening = Opening { id, site, recipient, purpose, locale, policy, details };
        let step = commands::Open { context: self.context(client, now), opening, coded };
        self.apply(client, now, step).await?.snapshot()
    }

    /// Looks a verification up; `None` where it has expired or never was. Changes nothing.
    pub async fn find(
        &self,
        scope: &Scope,
        id: VerificationId,
    ) -> Result<Option<Snapshot>, Refused> {
        let found = self.look(scope, id).await?;
        Ok(found.filter(Snapshot::is_visible))
    }

    /// Looks a verification up, expired or not; `None` where it never was. Changes nothing.
    pub async fn look(
        &self,
        scope: &Scope,
        id: VerificationId,
    ) -> Result<Option<Snapshot>, Refused> {
        let found = self.store.read(id).await?.filter(|found| scope.covers(found));
        let now = self.clock.now();
        Ok(found.map(|verification| Snapshot { verification, now, replayed: false }))
    }

    /// Checks one guess. `read` gives the code that was typed, if it can be read as one of so many
    /// digits.
    pub async fn check(
        &self,
        client: &Client,
        id: VerificationId,
        read: impl Fn(u8) -> Option<Code> + Send + 'static,
    ) -> Result<Checked, Refused> {
        let now = self.clock.now();
        let step = commands::Check { context: self.context(client, now), id, read };
        let done = self.apply(client, now, step).await?;
        Ok(Checked {
            outcome: done.outcome.unwrap_or(Outcome::Expired),
            replayed: done.replayed,
            snapshot: done.snapshot().ok().filter(Snapshot::is_visible),
        })
    }

    /// Sends a new code, by `channel` or by the one used last.
    pub async fn resend(
        &self,
        client: &Client,
        id: VerificationId,
        channel: Option<Channel>,
    ) -> Result<Snapshot, Refused> {
        let now = self.clock.now();
        // The length is fixed when a verification is opened, so it can be read ahead of the step.
        let found = self.store.read(id).await?.filter(|found| client.scope.covers(found));
        let coded = match found {
            Some(found) if found.details().rehearsal => {
                let site = self.rules.sites.named(found.site()).ok_or(Refused::NotFound)?;
                let script = site.script(found.recipient()).ok_or(Refused::NotFound)?;
                Coded::rehearsed(&script, now)?
            }
            Some(found) => Coded::drawn(found.policy())?,
            // The step refuses it, as slowly as any (S9), unless the request was answered before.
            None => Coded::drawn(&Policy::default())?,
        };
        let step = commands::Resend { context: self.context(client, now), id, channel, coded };
        self.apply(client, now, step).await?.snapshot()
    }

    /// Calls a verification off. One that is over stays as it is.
    pub async fn cancel(&self, client: &Client, id: VerificationId) -> Result<Snapshot, Refused> {
        let now = self.clock.now();
        let step = commands::Cancel { context: self.context(client, now), id };
        self.apply(client, now, step).await?.snapshot()
    }

    /// Takes the result of an approved verification out, once, by a proof that is good until
    /// `expires_at`.
    pub async fn redeem(
        &self,
        client: &Client,
        id: VerificationId,
        expires_at: Timestamp,
    ) -> Result<Snapshot, Refused> {
        let now = self.clock.now();
        let step = commands::Redeem { context: self.context(client, now), id, expires_at };
        self.apply(client, now, step).await?.snapshot()
    }

    /// Runs a step, once for each request, together with what it is announced by, and wakes the
    /// workers.
    async fn apply<T>(&self, client: &Client, now: Timestamp, step: T) -> Result<Done, Refused>
    where
        T: Step<Output = Result<Done, Refused>>,
    {
        let (request, sealer) = (client.request, self.secrets.sealer.clone());
        let step = self.recorder.announcing(Once { step, request, sealer, now }, now);
        let mut done = self.store.apply(step).await??;
        self.recorder.wake();
        if let Some(message) = done.message.take() {
            self.wake(message);
        }
        Ok(done)
    }

    fn context(&self, client: &Client, now: Timestamp) -> commands::Context {
        commands::Context {
            secrets: self.secrets.clone(),
            limits: self.rules.limits.clone(),
            sites: self.rules.sites.clone(),
            scope: client.scope.clone(),
            lease: self.rules.lease,
            caller: client.address,
            now,
        }
    }

    /// Hands a committed message to the worker. Where that is too busy, the message waits in the
    /// outbox for its lease to end; it is never lost.
    fn wake(&self, message: Message) {
        if self.worker.try_send(message).is_err() {
            tracing::debug!("the outbox worker is busy: the message waits for its lease to end");
        }
    }
}

impl Snapshot {
    /// What has expired looks like what never was (S9).
    fn is_visible(&self) -> bool {
        self.verification.state(self.now) != State::Expired
    }
}

impl Done {
    fn snapshot(self) -> Result<Snapshot, Refused> {
        let Self { verification, at: now, replayed, .. } = self;
        let verification = verification.ok_or(Refused::NotFound)?;
        Ok(Snapshot { verification, now, replayed })
    }
}

/// A code for a new message.
struct Coded {
    code: Code,
    /// Nothing is sent; this is recorded instead.
    rehearsed: Option<Delivery>,
}

impl Coded {
    fn drawn(policy: &Policy) -> Result<Self, Refused> {
        let code = Code::generate(policy.code_length(), &mut SysRng);
        Ok(Self { code: code.map_err(|_| Refused::Generator)?, rehearsed: None })
    }

    fn rehearsed(script: &Script, now: Timestamp) -> Result<Self, Refused> {
        let Some((code, delivery)) = script.code() else {
            let retry_at = now + Duration::from_secs(60);
            let exceeded = Exceeded { limit: Limit::RecipientSends, retry_at };
            return Err(Refused::Exceeded { exceeded, now });
        };
        Ok(Self { code: code.clone(), rehearsed: Some(delivery) })
    }
}

impl Refused {
    fn resend(refused: ResendRefused, now: Timestamp) -> Self {
        match refused {
            ResendRefused::TooEarly { at } => Self::TooEarly { at, now },
            ResendRefused::NoSendsLeft => Self::NoSendsLeft,
            ResendRefused::WrongChannel => Self::WrongChannel,
            ResendRefused::Finished(State::Expired) => Self::NotFound,
            ResendRefused::Finished(_) => Self::Finished,
        }
    }
}

impl From<RedeemRefused> for Refused {
    fn from(refused: RedeemRefused) -> Self {
        match refused {
            RedeemRefused::NotApproved => Self::NotFound,
            RedeemRefused::AlreadyRedeemed => Self::AlreadyRedeemed,
        }
    }
}

#[cfg(test)]
mod tests;
