//! The decisions of the use cases, as pure steps over stored records.
//!
//! A store runs each atomically, and possibly more than once, so none looks outside its arguments.

use std::{sync::Arc, time::Duration};

use otp::{
    Channel, ClaimDigest, Code, DeliveryState, Outcome, Recipient, State, Timestamp, Verification,
    VerificationId, limits::Limits, verification::Opening, work::Level,
};
use zeroize::Zeroizing;

use super::{
    Client, Refused, Shared,
    done::Done,
    idempotency,
    work::{Answer, Place, Subject},
};
use crate::{
    delivery::envelope::Envelope,
    site::TestCode,
    store::{
        CounterKey, CounterKeys, Decision, Message, MessageKey, OutboxChange, Queue, Records, Step,
    },
};

/// Time until the message of a test recipient counts as sent, about as long as a provider takes.
const TEST_DELIVERY: Duration = Duration::from_millis(300);

/// One use case on one verification, on behalf of one client.
pub(super) struct Command {
    pub(super) shared: Arc<Shared>,
    pub(super) client: Client,
    pub(super) id: VerificationId,
    pub(super) now: Timestamp,
    pub(super) action: Action,
    /// The client's answer to a demand of work.
    pub(super) answer: Option<Answer>,
    /// Messages that strangers have asked the server for lately.
    pub(super) server_sends: u64,
}

/// The use cases that change a verification.
pub(super) enum Action {
    /// Opens it with its first message.
    Open {
        opening: Box<Opening>,
        /// Digits for a code of any length.
        drawn: Code,
    },
    /// Checks one guess, as it was typed.
    Check { typed: Zeroizing<String>, claim: Option<ClaimDigest> },
    /// Sends a new code.
    Resend {
        channel: Option<Channel>,
        /// Digits for a code of any length.
        drawn: Code,
    },
    /// Cancels it.
    Cancel,
    /// Redeems its result by a token that is good until then.
    Redeem { expires_at: Timestamp },
}

/// A code for a new message.
struct NewCode {
    code: Code,
    /// Nothing is sent; this state is recorded instead (see [`TestCode`]).
    test_delivery: Option<DeliveryState>,
}

impl Step for Command {
    type Output = Result<Done, Refused>;

    fn verification(&self) -> VerificationId {
        self.id
    }

    fn now(&self) -> Timestamp {
        self.now
    }

    fn counters(&self, verification: Option<&Verification>) -> CounterKeys {
        let recipient = match &self.action {
            Action::Open { opening, .. } => Some((opening.site.as_str(), &opening.recipient)),
            Action::Check { .. } | Action::Resend { .. } => verification
                .filter(|found| self.client.scope.covers(found))
                .map(|found| (found.site(), found.recipient())),
            Action::Cancel | Action::Redeem { .. } => return CounterKeys::default(),
        };
        let (limits, pseudonyms) = (self.limits(), &self.shared.pseudonyms);
        // Counters are kept for twice the span that they are counted over.
        let key = |digest, span| CounterKey { digest, kept_for: span * 2 };
        let caller = |address| key(pseudonyms.caller(address), limits.caller_span());
        let recipient_key =
            |(site, to)| key(pseudonyms.recipient(site, to), limits.recipient_span());
        CounterKeys {
            caller: self.client.address.map(caller),
            recipient: recipient.map(recipient_key),
        }
    }

    fn idempotency_key(&self) -> Option<[u8; 16]> {
        self.client.idempotency_key.map(|key| key.digest)
    }

    fn run(&mut self, records: &mut Records) -> Decision<Self::Output> {
        let Some(key) = self.client.idempotency_key else { return self.decide(records) };
        let sealer = &self.shared.keys.sealer;
        idempotency::once(key, sealer, self.now, records, |records| self.decide(records))
    }
}

impl Command {
    fn decide(&self, records: &mut Records) -> Decision<Result<Done, Refused>> {
        let result = match &self.action {
            Action::Check { typed, claim } => return self.check(records, typed, *claim),
            Action::Open { opening, drawn } => self.open(records, opening, drawn),
            Action::Resend { channel, drawn } => self.resend(records, *channel, drawn),
            Action::Cancel => self.cancel(records),
            Action::Redeem { expires_at } => self.redeem(records, *expires_at),
        };
        Decision::commit_success(result)
    }

    fn open(
        &self,
        records: &mut Records,
        opening: &Opening,
        drawn: &Code,
    ) -> Result<Done, Refused> {
        let mut opening = opening.clone();
        let code = if let Some(test_code) = self.test_code(&opening.site, &opening.recipient) {
            NewCode::scripted(&test_code, self.now)?
        } else {
            let (policy, reserved) = (&opening.policy, &records.recipient.reserved);
            let now = self.counted_at(records);
            let length = policy.next_length(reserved, policy.code_length(), now);
            NewCode::drawn(drawn, length)
        };
        opening.details.test_mode = code.test_delivery.is_some();
        let (channel, peppers) = (opening.recipient.channel(), &self.shared.keys.peppers);
        let verification = Verification::open(opening, channel, &code.code, peppers, self.now);
        self.send(verification, &code, records)
    }

    fn check(
        &self,
        records: &mut Records,
        typed: &str,
        claim: Option<ClaimDigest>,
    ) -> Decision<Result<Done, Refused>> {
        if let Some(done) = self.approved_again(records, claim) {
            return Decision::Abort(Ok(done));
        }
        let counted = self.counted_at(records);
        match self.limits().take_check(&mut records.caller, counted) {
            // The caller's check counts from here on, even where the recipient's limit refuses it.
            Ok(()) => Decision::Commit(self.compare(records, typed, claim)),
            Err(exceeded) => Decision::Abort(Err(Refused::Exceeded { exceeded, now: counted })),
        }
    }

    /// The answer to a check with the claim of the one that was approved: approved again, whatever was
    /// typed (S31). Nothing is counted, so no limit keeps a client from its proof.
    fn approved_again(&self, records: &Records, claim: Option<ClaimDigest>) -> Option<Done> {
        let reached = records.verification.as_ref();
        let verification = reached.filter(|found| self.client.scope.covers(found))?;
        let is_own = verification.is_claimed_by(&claim?);
        let outcome = Some(Outcome::Approved);
        is_own.then(|| Done { outcome, is_own, ..self.done(Some(verification)) })
    }

    fn compare(
        &self,
        records: &mut Records,
        typed: &str,
        claim: Option<ClaimDigest>,
    ) -> Result<Done, Refused> {
        let (limits, now, counted) = (self.limits(), self.now, self.counted_at(records));
        let Records { verification, recipient, counters_lead: lead, .. } = records;
        let reached = verification.as_mut().filter(|found| self.client.scope.covers(found));
        let Some(verification) = reached else {
            // An unknown id is answered like an expired one, in the same time (S9).
            let outcome = Some(Outcome::Expired);
            return Ok(Done { outcome, verification: None, ..self.done(None) });
        };
        let is_test = verification.details().test_mode;
        if is_test && verification.state(now) == State::Pending {
            // A test code does not change, so its guesses are limited. Not even the right code passes
            // once they are spent, or the limit would only slow a guesser down (S5).
            let allowed = limits.allow_check(recipient, counted);
            allowed.map_err(|exceeded| Refused::Exceeded { exceeded, now: counted })?;
        }
        let outcome = verification.check(typed, claim, &self.shared.keys.peppers, now);
        match outcome {
            _ if self.is_for_test_suites(verification) => {}
            Outcome::Incorrect { .. } if is_test => limits.count_wrong_check(recipient, counted),
            Outcome::Approved if is_test => recipient.wrong_checks.clear(),
            Outcome::Approved => verification.give_back(&mut recipient.reserved, *lead),
            _ => {}
        }
        self.withdraw(records);
        let is_own = outcome == Outcome::Approved;
        let done = self.done(records.verification.as_ref());
        Ok(Done { outcome: Some(outcome), is_own, ..done })
    }

    fn resend(
        &self,
        records: &mut Records,
        channel: Option<Channel>,
        drawn: &Code,
    ) -> Result<Done, Refused> {
        let mut verification = self.reached(records)?.clone();
        // Decided when it was opened: a verification that began with a real code never gets a test code.
        let code = if verification.details().test_mode {
            let test_code = self.test_code(verification.site(), verification.recipient());
            NewCode::scripted(&test_code.ok_or(Refused::NotFound)?, self.now)?
        } else {
            NewCode::drawn(
                drawn,
                verification.next_length(&records.recipient.reserved, self.counted_at(records)),
            )
        };
        let channel = channel.unwrap_or(verification.last_send().channel);
        verification
            .resend(channel, &code.code, &self.shared.keys.peppers, self.now)
            .map_err(|refused| Refused::resend(refused, self.now))?;
        self.send(verification, &code, records)
    }

    fn cancel(&self, records: &mut Records) -> Result<Done, Refused> {
        let verification = self.reached(records)?;
        if verification.state(self.now) == State::Expired {
            return Err(Refused::NotFound);
        }
        verification.cancel(self.now);
        self.withdraw(records);
        Ok(self.done(records.verification.as_ref()))
    }

    fn redeem(&self, records: &mut Records, expires_at: Timestamp) -> Result<Done, Refused> {
        let verification = self.reached(records)?;
        if self.now >= expires_at {
            return Err(Refused::TokenExpired);
        }
        verification.redeem(self.now)?;
        Ok(self.done(records.verification.as_ref()))
    }

    /// Counts the newest message of `verification` and adds it to the outbox, leased to the worker
    /// that the service wakes. In test mode nothing is sent, and the send counts for the caller alone.
    fn send(
        &self,
        mut verification: Verification,
        NewCode { code, test_delivery }: &NewCode,
        records: &mut Records,
    ) -> Result<Done, Refused> {
        let (limits, now, counted) = (self.limits(), self.now, self.counted_at(records));
        let exceeded = |exceeded| Refused::Exceeded { exceeded, now: counted };
        let work = self.work_demanded(records);
        let message = if let Some(state) = *test_delivery {
            if self.shared.rules.count_test_suites || !self.is_for_test_suites(&verification) {
                limits.take_caller_send(&mut records.caller, counted).map_err(exceeded)?;
            }
            verification.record_delivery(verification.send_count(), state, 0);
            match state {
                DeliveryState::Undelivered => verification.record_refusal(now),
                DeliveryState::Accepted => {
                    let message = self.message(&verification, code)?;
                    records
                        .outbox
                        .push(OutboxChange::Schedule { message, at: now + TEST_DELIVERY });
                }
                DeliveryState::Sent | DeliveryState::Delivered => {}
            }
            None
        } else {
            let taken = limits.take_send(&mut records.caller, &mut records.recipient, counted);
            taken.map_err(exceeded)?;
            verification.reserve(&mut records.recipient.reserved, records.counters_lead);
            let message = self.message(&verification, code)?;
            records.outbox.push(OutboxChange::Enqueue { message: message.clone() });
            Some(message)
        };
        // After the limits: nobody works for what they refuse.
        if let Some(level) = work {
            self.place().take(self.answer, level, &mut records.caller.work_met, counted)?;
        }
        let done = Done { message, ..self.done(Some(&verification)) };
        records.verification = Some(verification);
        Ok(done)
    }

    /// The work that a message for this client takes, with what was counted before it.
    fn work_demanded(&self, records: &Records) -> Option<Level> {
        let thresholds = self.shared.rules.work.filter(|_| self.client.is_stranger())?;
        let span = self.limits().caller_sends.per;
        let network = records.caller.sends.sum(span, self.counted_at(records));
        thresholds.level(network, self.server_sends)
    }

    /// Reads the client's answer to a demand of work, if it has sent one.
    pub(super) fn read_answer(&self) -> Option<Answer> {
        self.place().read(self.client.work.as_deref()?)
    }

    /// Place of a demand of work.
    fn place(&self) -> Place<'_> {
        let network = self.client.address.map(|address| self.shared.pseudonyms.caller(address));
        Place {
            keys: &self.shared.keys.work,
            network: network.unwrap_or_default(),
            door: &self.client.scope,
            subject: match &self.action {
                Action::Open { opening, .. } => Subject::Site(&opening.site),
                _ => Subject::Verification(self.id.to_string()),
            },
        }
    }

    fn message(&self, verification: &Verification, code: &Code) -> Result<Message, Refused> {
        let key = MessageKey {
            queue: Queue::Codes,
            verification: verification.id(),
            number: verification.send_count(),
        };
        let sealed = Envelope::of_newest(verification, code).seal(&key, &self.shared.keys.sealer);
        Ok(Message {
            key,
            expires_at: verification.code_expires_at(),
            tries: 0,
            unanswered: 0,
            leased_until: self.now + self.shared.rules.lease,
            sealed: sealed.map_err(|_| Refused::Crypto)?,
        })
    }

    /// Removes the messages of a verification that is over from the outbox, as far as no provider
    /// has them yet: their codes are of no use any more.
    fn withdraw(&self, records: &mut Records) {
        let Records { verification: Some(verification), outbox, .. } = records else { return };
        if verification.state(self.now) == State::Pending {
            return;
        }
        outbox.extend(verification.waiting_sends().map(|number| OutboxChange::Remove {
            key: MessageKey { queue: Queue::Codes, verification: verification.id(), number },
        }));
    }

    fn limits(&self) -> &Limits {
        &self.shared.rules.limits
    }

    /// The stored verification, if the client can reach it.
    fn reached<'a>(&self, records: &'a mut Records) -> Result<&'a mut Verification, Refused> {
        let reached = records.verification.as_mut();
        reached.filter(|found| self.client.scope.covers(found)).ok_or(Refused::NotFound)
    }

    fn test_code(&self, site: &str, recipient: &Recipient) -> Option<TestCode> {
        self.shared.rules.sites.named(site)?.test_code(recipient)
    }

    /// Whether the verification belongs to a site for test suites. Everybody knows its code and
    /// nothing is sent, so nothing is counted. The code of a test recipient of any other site lets
    /// people in.
    fn is_for_test_suites(&self, verification: &Verification) -> bool {
        let site = self.shared.rules.sites.named(verification.site());
        verification.details().test_mode && site.is_some_and(|site| site.test_mode.is_some())
    }

    /// Time of the counters, which never goes back.
    fn counted_at(&self, records: &Records) -> Timestamp {
        self.now + records.counters_lead
    }

    fn done(&self, verification: Option<&Verification>) -> Done {
        Done {
            outcome: None,
            is_own: false,
            verification: verification.cloned(),
            message: None,
            at: self.now,
            repeated: false,
        }
    }
}

impl NewCode {
    fn drawn(digits: &Code, length: u8) -> Self {
        Self { code: digits.first(length), test_delivery: None }
    }

    fn scripted(test_code: &TestCode, now: Timestamp) -> Result<Self, Refused> {
        let (code, state) = test_code.code().ok_or_else(|| Refused::test_limit(now))?;
        Ok(Self { code: code.clone(), test_delivery: Some(state) })
    }
}
