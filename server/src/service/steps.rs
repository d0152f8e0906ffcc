//! The decisions, as pure steps over stored records. A store runs each atomically, and possibly
//! more than once, so nothing here looks outside its arguments.

use std::{net::IpAddr, time::Duration};

use otp::{
    Channel, Code, Recipient, Timestamp, Verification, VerificationId,
    verification::{Opening, Outcome, State},
};

use super::Refused;
use crate::{
    delivery::envelope::Envelope,
    limit::Limits,
    secrets::Secrets,
    store::{AccountKey, Message, MessageKey, OutboxChange, Queue, Records, Step},
};

/// What every step is decided under.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) secrets: Secrets,
    pub(super) limits: Limits,
    pub(super) site: String,
    pub(super) lease: Duration,
    pub(super) caller: IpAddr,
    pub(super) now: Timestamp,
}

impl Context {
    /// The caller's account, and the recipient's where there is one: always in this order.
    fn accounts(&self, recipient: Option<&Recipient>) -> Vec<AccountKey> {
        let names = &self.secrets.accounts;
        let caller = self.limits.caller_key(names, self.caller, self.now);
        let recipient = recipient
            .map(|recipient| self.limits.recipient_key(names, &self.site, recipient, self.now));
        [caller].into_iter().chain(recipient).collect()
    }

    fn exceeded(&self, exceeded: crate::limit::Exceeded) -> Refused {
        Refused::Exceeded { exceeded, now: self.now }
    }

    /// Counts one message to the recipient for the caller.
    fn take_send(&self, records: &mut Records) -> Result<(), Refused> {
        let [caller, recipient] = records.accounts.as_mut_slice() else {
            return Err(Refused::NotFound);
        };
        self.limits.take_send(recipient, caller, self.now).map_err(|e| self.exceeded(e))
    }

    /// Puts the newest send of `verification` into the outbox, leased to whom the service wakes.
    fn enqueue(
        &self,
        verification: &Verification,
        code: &Code,
        outbox: &mut Vec<OutboxChange>,
    ) -> Result<Message, Refused> {
        let key = MessageKey {
            queue: Queue::Codes,
            verification: verification.id(),
            number: verification.send_count(),
        };
        let envelope = Envelope::of_newest(verification, code);
        let sealed = envelope.seal(&key, &self.secrets.sealer).map_err(|_| Refused::Generator)?;
        let message = Message {
            key,
            expires_at: verification.code_expires_at(),
            tries: 0,
            unanswered: 0,
            leased_until: self.now + self.lease,
            sealed,
        };
        outbox.push(OutboxChange::Enqueue { message: message.clone() });
        Ok(message)
    }
}

/// Opens a verification with its first message.
pub(super) struct Open {
    pub(super) context: Context,
    pub(super) opening: Opening,
    pub(super) code: Code,
}

impl Step for Open {
    type Output = Result<(Verification, Message), Refused>;

    fn verification(&self) -> VerificationId {
        self.opening.id
    }

    fn accounts(&self, _verification: Option<&Verification>) -> Vec<AccountKey> {
        self.context.accounts(Some(&self.opening.recipient))
    }

    fn run(&mut self, records: &mut Records) -> Self::Output {
        let Context { secrets, now, .. } = &self.context;
        self.context.take_send(records)?;
        let channel = self.opening.recipient.channel();
        let verification =
            Verification::open(self.opening.clone(), channel, &self.code, &secrets.peppers, *now);
        let message = self.context.enqueue(&verification, &self.code, &mut records.outbox)?;
        records.verification = Some(verification.clone());
        Ok((verification, message))
    }
}

/// Checks one guess.
pub(super) struct Check<F> {
    pub(super) context: Context,
    pub(super) id: VerificationId,
    pub(super) read: F,
}

impl<F: Fn(u8) -> Option<Code> + Send + 'static> Step for Check<F> {
    type Output = Result<(Outcome, Option<Verification>), Refused>;

    fn verification(&self) -> VerificationId {
        self.id
    }

    fn accounts(&self, verification: Option<&Verification>) -> Vec<AccountKey> {
        self.context.accounts(verification.map(Verification::recipient))
    }

    fn run(&mut self, records: &mut Records) -> Self::Output {
        let Context { secrets, limits, site, now, .. } = &self.context;
        let Some((caller, recipient)) = records.accounts.split_first_mut() else {
            return Err(Refused::NotFound);
        };
        limits.take_check(caller, *now).map_err(|exceeded| self.context.exceeded(exceeded))?;
        let ours = records.verification.as_mut().filter(|found| found.site() == site);
        let (Some(verification), Some(recipient)) = (ours, recipient.first_mut()) else {
            return Ok((Outcome::Expired, None));
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
            Outcome::Incorrect { .. } => limits.count_wrong_check(recipient, *now),
            Outcome::Approved => limits.clear_wrong_checks(recipient),
            _ => {}
        }
        Ok((outcome, Some(verification.clone())))
    }
}

/// Sends a new code.
pub(super) struct Resend {
    pub(super) context: Context,
    pub(super) id: VerificationId,
    pub(super) channel: Option<Channel>,
    pub(super) code: Code,
}

impl Step for Resend {
    type Output = Result<(Verification, Message), Refused>;

    fn verification(&self) -> VerificationId {
        self.id
    }

    fn accounts(&self, verification: Option<&Verification>) -> Vec<AccountKey> {
        self.context.accounts(verification.map(Verification::recipient))
    }

    fn run(&mut self, records: &mut Records) -> Self::Output {
        let Context { secrets, site, now, .. } = &self.context;
        let mut verification = records
            .verification
            .clone()
            .filter(|found| found.site() == site)
            .ok_or(Refused::NotFound)?;
        let channel = self.channel.unwrap_or(verification.last_send().channel);
        verification
            .resend(channel, &self.code, &secrets.peppers, *now)
            .map_err(|refused| Refused::resend(refused, *now))?;
        self.context.take_send(records)?;
        let message = self.context.enqueue(&verification, &self.code, &mut records.outbox)?;
        records.verification = Some(verification.clone());
        Ok((verification, message))
    }
}

/// Calls a verification off.
pub(super) struct Cancel {
    pub(super) site: String,
    pub(super) id: VerificationId,
    pub(super) now: Timestamp,
}

impl Step for Cancel {
    type Output = ();

    fn verification(&self) -> VerificationId {
        self.id
    }

    fn accounts(&self, _verification: Option<&Verification>) -> Vec<AccountKey> {
        Vec::new()
    }

    fn run(&mut self, records: &mut Records) {
        if let Some(ours) = records.verification.as_mut().filter(|found| found.site() == self.site)
        {
            ours.cancel(self.now);
        }
    }
}
