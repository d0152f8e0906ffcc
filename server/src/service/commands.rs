//! The decisions of the use cases, as pure steps over stored records.
//!
//! A store runs each atomically, and possibly more than once, so none looks outside its arguments.

use std::sync::Arc;

use otp::{
    Channel, ClaimDigest, Code, CopyOnWrite, Outcome, Recipient, State, Timestamp, Verification,
    VerificationId, guesses, known::KnownClients, verification::Opening,
};
use zeroize::Zeroizing;

use super::{Client, Refused, Shared, done::Done, idempotency, new_code::NewCode, work::Answer};
use crate::{
    site::TestCode,
    store::{
        CounterKey, CounterKeys, Decision, MessageKey, OutboxChange, Queue, Records, Step,
        TallyKeys,
    },
};

/// One use case on one verification, on behalf of one client.
pub(super) struct Command {
    pub(super) shared: Arc<Shared>,
    pub(super) client: Client,
    pub(super) id: VerificationId,
    pub(super) now: Timestamp,
    pub(super) action: Action,
    /// The client's answer to a demand of work.
    pub(super) answer: Option<Answer>,
}

/// The use cases that change a verification.
pub(super) enum Action {
    /// Opens it with its first message.
    Open {
        opening: Box<Opening>,
        channel: Channel,
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
    /// Ends it for the recipient, who did not ask for it, and begins their cool-down.
    Disown,
    /// Redeems its result by a token that is good until then.
    Redeem { expires_at: Timestamp },
}

impl Step for Command {
    type Output = Result<Done, Refused>;

    fn verification(&self) -> VerificationId {
        self.id
    }

    fn opens(&self) -> bool {
        matches!(self.action, Action::Open { .. })
    }

    fn reaches(&self, verification: &Verification) -> bool {
        self.client.scope.covers(verification) && verification.state(self.now) != State::Expired
    }

    fn now(&self) -> Timestamp {
        self.now
    }

    fn counters(&self, verification: Option<&Verification>) -> CounterKeys {
        let (site, recipient, country) = match &self.action {
            Action::Open { opening, .. } => {
                (&*opening.site, &opening.recipient, &opening.details.country)
            }
            Action::Check { .. } | Action::Resend { .. } | Action::Disown => {
                match verification.filter(|found| self.client.scope.covers(found)) {
                    Some(found) => (found.site(), found.recipient(), &found.details().country),
                    None => return self.of_callers(None),
                }
            }
            Action::Cancel | Action::Redeem { .. } => return CounterKeys::default(),
        };
        let digest = self.shared.pseudonyms.recipient(site, recipient);
        // Counters are kept for twice the span that they are counted over.
        let kept_for = self.limits().recipient_span() * 2;
        CounterKeys {
            recipient: Some(CounterKey { digest, kept_for }),
            tallies: TallyKeys {
                server: matches!(self.action, Action::Open { .. } | Action::Resend { .. }),
                site: Some(site.to_owned()),
                country: country.clone(),
                prefix: recipient.phone().map(|phone| phone.prefix().to_owned()),
            },
            ..self.of_callers(Some(site))
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
            Action::Open { opening, channel, drawn } => {
                self.open(records, opening, *channel, drawn)
            }
            Action::Resend { channel, drawn } => self.resend(records, *channel, drawn),
            Action::Cancel => self.cancel(records),
            Action::Disown => self.disown(records),
            Action::Redeem { expires_at } => self.redeem(records, *expires_at),
        };
        Decision::commit_success(result)
    }

    fn open(
        &self,
        records: &mut Records,
        opening: &Opening,
        channel: Channel,
        drawn: &Code,
    ) -> Result<Done, Refused> {
        let mut opening = opening.clone();
        let code = if let Some(test_code) = self.test_code(&opening.site, &opening.recipient) {
            NewCode::scripted(&test_code, self.now)?
        } else {
            let (policy, reserved) = (&opening.policy, &records.recipient.reserved);
            let shortest = policy.code_length().max(self.shortest_code(records));
            NewCode::drawn(drawn, policy.next_length(reserved, shortest, self.counted_at(records)))
        };
        opening.details.test_mode = code.test_delivery.is_some();
        let peppers = &self.shared.keys.peppers;
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
        match self.limits().take_check(&mut records.callers, counted) {
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
        let shortest = self.shortest_code(records);
        let Records { verification, recipient, tallies, alerts, counters_lead: lead, .. } = records;
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
        if !is_test {
            verification.withdraw_codes_shorter_than(shortest, now);
        }
        let outcome = verification.check(typed, claim, &self.shared.keys.peppers, now);
        match outcome {
            _ if self.is_for_test_suites(verification) => {}
            Outcome::Incorrect { .. } if is_test => limits.count_wrong_check(recipient, counted),
            Outcome::Approved if is_test => recipient.wrong_checks.clear(),
            Outcome::Approved => {
                verification.give_back(&mut recipient.reserved, *lead);
                let is_first = !recipient.known.is_of_today(counted);
                if let Some(mark) = self.mark(verification) {
                    recipient.known.remember(mark, counted);
                }
                tallies.count_approval(is_first, counted);
                if let Some(from) = verification.counted_from() {
                    tallies.take_back(from + *lead);
                }
            }
            Outcome::Incorrect { .. } => {
                let site = &mut *tallies.site;
                alerts.extend(guesses::count_wrong_check(site, verification.site(), counted));
            }
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
        let (shortest, counted) = (self.shortest_code(records), self.counted_at(records));
        let found = self.reached(records)?;
        if !found.details().test_mode {
            found.withdraw_codes_shorter_than(shortest, self.now);
        }
        let mut verification = found.clone();
        if verification.is_code_withdrawn() {
            self.withdraw(records);
        }
        // Decided when it was opened: a verification that began with a real code never gets a test code.
        let code = if verification.details().test_mode {
            let test_code = self.test_code(verification.site(), verification.recipient());
            NewCode::scripted(&test_code.ok_or(Refused::NotFound)?, self.now)?
        } else {
            let reserved = &records.recipient.reserved;
            NewCode::drawn(drawn, verification.next_length(reserved, shortest, counted))
        };
        let channel = channel.unwrap_or(verification.last_send().channel);
        if verification.state(self.now) == State::Pending {
            // Before the waits: waiting does not help.
            self.ensure_reached(&verification, channel)?;
        }
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

    /// An approval stays as it is, and the cool-down begins all the same (S35).
    fn disown(&self, records: &mut Records) -> Result<Done, Refused> {
        let verification = self.reached(records)?;
        let was_approved = verification.state(self.now) == State::Approved;
        if verification.disown(self.now) {
            records.recipient.disowned_at = Some(self.counted_at(records));
            if was_approved {
                // Somebody else was approved, so a known client may be theirs.
                records.recipient.known = KnownClients::default();
            }
            self.withdraw(records);
        }
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

    /// Removes the messages of a verification that is over, or whose code was withdrawn, from the outbox,
    /// as far as no provider has them yet: their codes are of no use any more.
    fn withdraw(&self, records: &mut Records) {
        let Records { verification: Some(verification), outbox, .. } = records else { return };
        if verification.state(self.now) == State::Pending && !verification.is_code_withdrawn() {
            return;
        }
        outbox.extend(verification.waiting_sends().map(|number| OutboxChange::Remove {
            key: MessageKey { queue: Queue::Codes, verification: verification.id(), number },
        }));
    }

    /// Fewest digits of a code that is sent or accepted at the site, by its wrong checks.
    pub(super) fn shortest_code(&self, records: &Records) -> u8 {
        guesses::shortest_code(&records.tallies.site, self.counted_at(records))
    }

    /// The stored verification, if the client can reach it.
    fn reached<'a>(&self, records: &'a mut Records) -> Result<&'a mut Verification, Refused> {
        let reached = records.verification.as_mut();
        let reached = reached.filter(|found| self.client.scope.covers(found));
        reached.map(|found| &mut **found).ok_or(Refused::NotFound)
    }

    fn test_code(&self, site: &str, recipient: &Recipient) -> Option<TestCode> {
        self.shared.rules.sites.named(site)?.test_code(recipient)
    }

    /// Whether the verification belongs to a site for test suites. Everybody knows its code and
    /// nothing is sent, so nothing is counted. The code of a test recipient of any other site lets
    /// people in.
    pub(super) fn is_for_test_suites(&self, verification: &Verification) -> bool {
        let site = self.shared.rules.sites.named(verification.site());
        verification.details().test_mode && site.is_some_and(|site| site.test_mode.is_some())
    }

    /// Time of the counters, which never goes back.
    pub(super) fn counted_at(&self, records: &Records) -> Timestamp {
        self.now + records.counters_lead
    }

    pub(super) fn done(&self, verification: Option<&CopyOnWrite<Verification>>) -> Done {
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
