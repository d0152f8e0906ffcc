//! The decisions, as pure steps over stored records. A store runs each atomically, and possibly
//! more than once, so nothing here looks outside its arguments.

use std::{net::IpAddr, sync::Arc, time::Duration};

use otp::{
    Channel, Code, Recipient, Timestamp, Verification, VerificationId,
    quota::Counters,
    send::Delivery,
    verification::{Opening, Outcome, State},
};

use super::{Coded, Refused, Scope, idempotency::Done};
use crate::{
    delivery::envelope::Envelope,
    derived_keys::DerivedKeys,
    limits::{Exceeded, Limits},
    site::Sites,
    store::{CounterKey, Message, MessageKey, OutboxChange, Queue, Records, Step},
};

/// What every step is decided under.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) secrets: DerivedKeys,
    pub(super) limits: Limits,
    pub(super) sites: Arc<Sites>,
    pub(super) scope: Scope,
    pub(super) lease: Duration,
    pub(super) caller: Option<IpAddr>,
    pub(super) now: Timestamp,
}

/// The counters of a step, taken apart.
struct Accounts<'a> {
    caller: Option<&'a mut Counters>,
    recipient: Option<&'a mut Counters>,
}

impl Context {
    /// The keys of the caller's account and of the recipient's, each where there is one: always in
    /// this order.
    fn counters(&self, site: &str, recipient: Option<&Recipient>) -> Vec<CounterKey> {
        let names = &self.secrets.pseudonyms;
        let caller = self.caller.map(|caller| self.limits.caller_key(names, caller, self.now));
        let recipient =
            recipient.map(|recipient| self.limits.recipient_key(names, site, recipient, self.now));
        caller.into_iter().chain(recipient).collect()
    }

    /// Those of a stored verification and its recipient, if the client can reach it.
    fn accounts_of(&self, verification: Option<&Verification>) -> Vec<CounterKey> {
        match verification.filter(|found| self.scope.covers(found)) {
            Some(found) => self.counters(found.site(), Some(found.recipient())),
            None => self.counters("", None),
        }
    }

    /// What [`Context::counters`] named, as the store gives it.
    fn split<'a>(&self, counters: &'a mut [Counters]) -> Accounts<'a> {
        let mut counters = counters.iter_mut();
        let caller = self.caller.and_then(|_| counters.next());
        Accounts { caller, recipient: counters.next() }
    }

    fn exceeded(&self, exceeded: Exceeded) -> Refused {
        Refused::Exceeded { exceeded, now: self.now }
    }

    /// The stored verification, if the client can reach it.
    fn reached(&self, records: &Records) -> Result<Verification, Refused> {
        let found = records.verification.clone().filter(|found| self.scope.covers(found));
        found.ok_or(Refused::NotFound)
    }

    /// Whether it belongs to a site for test suites. Everybody knows its code and nothing is sent, so
    /// nothing is counted. The code of a test recipient of any other site lets people in.
    fn is_for_everybody(&self, verification: &Verification) -> bool {
        let site = self.sites.named(verification.site());
        verification.details().rehearsal && site.is_some_and(|site| site.rehearsal.is_some())
    }

    /// Takes the messages of a verification that is over out of the outbox, as far as no provider has
    /// them yet: their codes are of no use to anybody.
    fn withdraw(&self, verification: &Verification, records: &mut Records) {
        if verification.state(self.now) == State::Pending {
            return;
        }
        let verification_id = verification.id();
        let key =
            |number| MessageKey { queue: Queue::Codes, verification: verification_id, number };
        let withdrawn =
            verification.waiting_sends().map(|number| OutboxChange::Remove { key: key(number) });
        records.outbox.extend(withdrawn);
    }

    /// Counts the newest message of `verification` and puts it into the outbox, leased to whom the
    /// service wakes. One that is only rehearsed is not sent, and counts for the caller alone.
    fn send(
        &self,
        verification: &mut Verification,
        coded: &Coded,
        records: &mut Records,
    ) -> Result<Option<Message>, Refused> {
        let Accounts { caller, recipient } = self.split(&mut records.counters);
        if let Some(delivery) = coded.rehearsed {
            if let Some(caller) = caller.filter(|_| !self.is_for_everybody(verification)) {
                self.limits.take_call(caller, self.now).map_err(|e| self.exceeded(e))?;
            }
            verification.record_delivery(verification.send_count(), delivery, 0);
            if delivery == Delivery::Undelivered {
                verification.record_refusal(self.now);
            }
            return Ok(None);
        }
        let recipient = recipient.ok_or(Refused::NotFound)?;
        self.limits.take_send(recipient, caller, self.now).map_err(|e| self.exceeded(e))?;

        let key = MessageKey {
            queue: Queue::Codes,
            verification: verification.id(),
            number: verification.send_count(),
        };
        let envelope = Envelope::of_newest(verification, &coded.code);
        let sealed = envelope.seal(&key, &self.secrets.sealer).map_err(|_| Refused::Generator)?;
        let message = Message {
            key,
            expires_at: verification.code_expires_at(),
            tries: 0,
            unanswered: 0,
            leased_until: self.now + self.lease,
            sealed,
        };
        records.outbox.push(OutboxChange::Enqueue { message: message.clone() });
        Ok(Some(message))
    }
}

/// Opens a verification with its first message.
pub(super) struct Open {
    pub(super) context: Context,
    pub(super) opening: Opening,
    pub(super) coded: Coded,
}

impl Step for Open {
    type Output = Result<Done, Refused>;

    fn verification(&self) -> VerificationId {
        self.opening.id
    }

    fn counters(&self, _verification: Option<&Verification>) -> Vec<CounterKey> {
        self.context.counters(&self.opening.site, Some(&self.opening.recipient))
    }

    fn run(&mut self, records: &mut Records) -> Self::Output {
        let Context { secrets, now, .. } = &self.context;
        let (channel, code) = (self.opening.recipient.channel(), &self.coded.code);
        let mut verification =
            Verification::open(self.opening.clone(), channel, code, &secrets.peppers, *now);
        let message = self.context.send(&mut verification, &self.coded, records)?;
        records.verification = Some(verification.clone());
        Ok(Done { message, ..Done::to(verification, *now) })
    }
}

/// Checks one guess.
pub(super) struct Check<F> {
    pub(super) context: Context,
    pub(super) id: VerificationId,
    pub(super) read: F,
}

impl<F: Fn(u8) -> Option<Code> + Send + 'static> Step for Check<F> {
    type Output = Result<Done, Refused>;

    fn verification(&self) -> VerificationId {
        self.id
    }

    fn counters(&self, verification: Option<&Verification>) -> Vec<CounterKey> {
        self.context.accounts_of(verification)
    }

    fn run(&mut self, records: &mut Records) -> Self::Output {
        let Context { secrets, limits, scope, now, .. } = &self.context;
        let Accounts { caller, recipient } = self.context.split(&mut records.counters);
        if let Some(caller) = caller {
            limits.take_check(caller, *now).map_err(|exceeded| self.context.exceeded(exceeded))?;
        }
        let reached = records.verification.as_mut().filter(|found| scope.covers(found));
        let (Some(verification), Some(recipient)) = (reached, recipient) else {
            return Ok(Done {
                outcome: Some(Outcome::Expired),
                verification: None,
                message: None,
                at: *now,
                replayed: false,
            });
        };
        if verification.state(*now) == State::Pending {
            // A recipient whose wrong checks are spent is not compared any more: not even the right
            // code passes, or the limit would only slow a guesser down (S5).
            let allowed = limits.allow_check(recipient, *now);
            allowed.map_err(|exceeded| self.context.exceeded(exceeded))?;
        }
        let guess = (self.read)(verification.policy().code_length());
        let outcome = verification.check(guess.as_ref(), &secrets.peppers, *now);
        match outcome {
            _ if self.context.is_for_everybody(verification) => {}
            Outcome::Incorrect { .. } => limits.count_wrong_check(recipient, *now),
            Outcome::Approved => limits.clear_wrong_checks(recipient),
            _ => {}
        }
        let verification = verification.clone();
        self.context.withdraw(&verification, records);
        Ok(Done { outcome: Some(outcome), ..Done::to(verification, *now) })
    }
}

/// Sends a new code.
pub(super) struct Resend {
    pub(super) context: Context,
    pub(super) id: VerificationId,
    pub(super) channel: Option<Channel>,
    pub(super) coded: Coded,
}

impl Step for Resend {
    type Output = Result<Done, Refused>;

    fn verification(&self) -> VerificationId {
        self.id
    }

    fn counters(&self, verification: Option<&Verification>) -> Vec<CounterKey> {
        self.context.accounts_of(verification)
    }

    fn run(&mut self, records: &mut Records) -> Self::Output {
        let Context { secrets, now, .. } = &self.context;
        let mut verification = self.context.reached(records)?;
        let channel = self.channel.unwrap_or(verification.last_send().channel);
        verification
            .resend(channel, &self.coded.code, &secrets.peppers, *now)
            .map_err(|refused| Refused::resend(refused, *now))?;
        let message = self.context.send(&mut verification, &self.coded, records)?;
        records.verification = Some(verification.clone());
        Ok(Done { message, ..Done::to(verification, *now) })
    }
}

/// Calls a verification off.
pub(super) struct Cancel {
    pub(super) context: Context,
    pub(super) id: VerificationId,
}

impl Step for Cancel {
    type Output = Result<Done, Refused>;

    fn verification(&self) -> VerificationId {
        self.id
    }

    fn counters(&self, _verification: Option<&Verification>) -> Vec<CounterKey> {
        Vec::new()
    }

    fn run(&mut self, records: &mut Records) -> Self::Output {
        let mut verification = self.context.reached(records)?;
        if verification.state(self.context.now) == State::Expired {
            return Err(Refused::NotFound);
        }
        verification.cancel(self.context.now);
        self.context.withdraw(&verification, records);
        records.verification = Some(verification.clone());
        Ok(Done::to(verification, self.context.now))
    }
}

/// Takes a result out.
pub(super) struct Redeem {
    pub(super) context: Context,
    pub(super) id: VerificationId,
    pub(super) expires_at: Timestamp,
}

impl Step for Redeem {
    type Output = Result<Done, Refused>;

    fn verification(&self) -> VerificationId {
        self.id
    }

    fn counters(&self, _verification: Option<&Verification>) -> Vec<CounterKey> {
        Vec::new()
    }

    fn run(&mut self, records: &mut Records) -> Self::Output {
        let mut verification = self.context.reached(records)?;
        if self.context.now >= self.expires_at {
            return Err(Refused::TokenExpired);
        }
        verification.redeem(self.context.now)?;
        records.verification = Some(verification.clone());
        Ok(Done::to(verification, self.context.now))
    }
}
