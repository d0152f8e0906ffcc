//! The use cases: start, look up, check, resend, cancel.
//!
//! Each is the same three moves. What needs the outside world, a fresh code or the time, is fetched
//! first; then one pure step (`steps.rs`) decides, inside the store's transaction; then, and only when
//! its decision is durable, somebody is told: the caller, and for a new message the outbox worker.

mod steps;

use std::{net::IpAddr, time::Duration};

use otp::{
    Channel, Code, Policy, Recipient, Timestamp, Verification, VerificationId,
    verification::{Opening, Outcome, ResendRefused, State},
};
use rand::rngs::SysRng;
use tokio::sync::mpsc;

use crate::{
    clock::Clock,
    limit::{Exceeded, Limits},
    secrets::Secrets,
    store::{Message, Store, StoreError},
};

/// The rules that a service runs under.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The relying party whose verifications these are.
    pub site: String,
    /// Length, lifetime and budgets of one verification.
    pub policy: Policy,
    /// What is allowed across verifications.
    pub limits: Limits,
    /// How long a message belongs to the worker that it is handed to; longer than any try takes.
    pub lease: Duration,
}

/// The use cases over one store.
#[derive(Clone, Debug)]
pub struct Service<S> {
    store: S,
    secrets: Secrets,
    rules: Rules,
    clock: Clock,
    /// Wakes the outbox worker with what has just been committed.
    worker: mpsc::Sender<Message>,
}

/// A verification as it stood at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The verification.
    pub verification: Verification,
    /// The instant.
    pub now: Timestamp,
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The outcome.
    pub outcome: Outcome,
    /// The verification after it; `None` where it has expired or never was.
    pub snapshot: Option<Snapshot>,
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
        secrets: Secrets,
        rules: Rules,
        clock: Clock,
        worker: mpsc::Sender<Message>,
    ) -> Self {
        Self { store, secrets, rules, clock, worker }
    }

    /// The policy of a new verification.
    pub fn policy(&self) -> &Policy {
        &self.rules.policy
    }

    /// Opens a verification and accepts its first message.
    pub async fn start(
        &self,
        caller: IpAddr,
        recipient: Recipient,
        purpose: &str,
        locale: &str,
    ) -> Result<Snapshot, Refused> {
        let now = self.clock.now();
        let opening = Opening {
            id: VerificationId::generate(now, &mut SysRng).map_err(|_| Refused::Generator)?,
            site: self.rules.site.clone(),
            recipient,
            purpose: purpose.to_owned(),
            locale: locale.to_owned(),
            policy: self.rules.policy.clone(),
            details: otp::Details::default(),
        };
        let code = draw_code(&self.rules.policy)?;
        let step = steps::Open { context: self.context(caller, now), opening, code };
        let (verification, message) = self.store.apply(step).await??;
        self.wake(message);
        Ok(Snapshot { verification, now })
    }

    /// Looks a verification up; `None` where it has expired or never was. Changes nothing.
    pub async fn find(&self, id: VerificationId) -> Result<Option<Snapshot>, Refused> {
        let found = self.store.read(id).await?;
        Ok(self.visible(found, self.clock.now()))
    }

    /// Checks one guess. `read` gives the code that was typed, if it can be read as one of so many
    /// digits.
    pub async fn check(
        &self,
        caller: IpAddr,
        id: VerificationId,
        read: impl Fn(u8) -> Option<Code> + Send + 'static,
    ) -> Result<Checked, Refused> {
        let now = self.clock.now();
        let step = steps::Check { context: self.context(caller, now), id, read };
        let (outcome, verification) = self.store.apply(step).await??;
        Ok(Checked { outcome, snapshot: self.visible(verification, now) })
    }

    /// Sends a new code, by `channel` or by the one used last.
    pub async fn resend(
        &self,
        caller: IpAddr,
        id: VerificationId,
        channel: Option<Channel>,
    ) -> Result<Snapshot, Refused> {
        let now = self.clock.now();
        // The length is fixed when a verification is opened, so it can be read ahead of the step.
        let found = self.store.read(id).await?.ok_or(Refused::NotFound)?;
        let code = draw_code(found.policy())?;
        let step = steps::Resend { context: self.context(caller, now), id, channel, code };
        let (verification, message) = self.store.apply(step).await??;
        self.wake(message);
        Ok(Snapshot { verification, now })
    }

    /// Calls a verification off. One that is over stays as it is.
    pub async fn cancel(&self, id: VerificationId) -> Result<(), Refused> {
        let step = steps::Cancel { site: self.rules.site.clone(), id, now: self.clock.now() };
        Ok(self.store.apply(step).await?)
    }

    /// Hides what has expired and what is another site's: all three look the same (S9).
    fn visible(&self, found: Option<Verification>, now: Timestamp) -> Option<Snapshot> {
        found
            .filter(|verification| verification.site() == self.rules.site)
            .filter(|verification| verification.state(now) != State::Expired)
            .map(|verification| Snapshot { verification, now })
    }

    fn context(&self, caller: IpAddr, now: Timestamp) -> steps::Context {
        steps::Context {
            secrets: self.secrets.clone(),
            limits: self.rules.limits.clone(),
            site: self.rules.site.clone(),
            lease: self.rules.lease,
            caller,
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

fn draw_code(policy: &Policy) -> Result<Code, Refused> {
    Code::generate(policy.code_length(), &mut SysRng).map_err(|_| Refused::Generator)
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
