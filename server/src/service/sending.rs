//! The sending of one message: its limits, and its way into the outbox.

use std::time::Duration;

use otp::{
    Channel, Code, DeliveryState, Limit, Timestamp, Verification,
    limits::Exceeded,
    tally::{FIVE_MINUTES, HOUR},
    texts::{Text, TextLimits},
    work::Level,
};

use super::{
    Refused,
    commands::{Action, Command},
    done::Done,
    new_code::NewCode,
    work::{Answer, Place, Subject},
};
use crate::{
    delivery::envelope::Envelope,
    store::{Message, MessageKey, OutboxChange, Queue, Records},
};

/// Time until the message of a test recipient counts as sent, about as long as a provider takes.
const TEST_DELIVERY: Duration = Duration::from_millis(300);

impl Command {
    /// Counts the newest message of `verification` and adds it to the outbox, leased to the worker
    /// that the service wakes. In test mode nothing is sent, and the send counts for the caller alone.
    pub(super) fn send(
        &self,
        mut verification: Verification,
        NewCode { code, test_delivery }: &NewCode,
        records: &mut Records,
    ) -> Result<Done, Refused> {
        let work = self.work_demanded(records);
        self.take_limits(&verification, test_delivery.is_some(), records)?;
        // After the limits: nobody works for what they refuse.
        if let Some(level) = work {
            self.take_work(level, records)?;
        }
        let message = if let Some(state) = *test_delivery {
            self.pretend(&mut verification, code, state, records)?;
            None
        } else {
            let message = self.message(&verification, code)?;
            verification.reserve(&mut records.recipient.reserved, records.counters_lead);
            self.count_send(&mut verification, records);
            records.outbox.push(OutboxChange::Enqueue { message: message.clone() });
            Some(message)
        };
        records.verification = Some(verification.into());
        Ok(Done { message, ..self.done(records.verification.as_ref()) })
    }

    /// Counts the message for the caller and the recipient, or refuses it.
    fn take_limits(
        &self,
        verification: &Verification,
        is_test: bool,
        records: &mut Records,
    ) -> Result<(), Refused> {
        let (limits, now) = (self.limits(), self.counted_at(records));
        let exceeded = |mut exceeded: Exceeded| {
            if exceeded.limit == Limit::RecipientCooledDown && self.client.is_browser() {
                // A stranger is not told that the recipient has complained, by the time neither.
                exceeded.limit = Limit::RecipientSends;
                exceeded.retry_at = exceeded.retry_at.min(now + HOUR);
            }
            Refused::Exceeded { exceeded, now }
        };
        if is_test {
            if self.shared.rules.count_test_suites || !self.is_for_test_suites(verification) {
                limits.take_caller_send(&mut records.callers, now).map_err(exceeded)?;
            }
            return Ok(());
        }
        self.admit_text(verification, records)?;
        let Records { callers, recipient, .. } = records;
        let standing = self.standing(verification, recipient, now);
        limits.take_send(callers, recipient, standing, now).map_err(exceeded)
    }

    /// Records a delivery that does not take place.
    fn pretend(
        &self,
        verification: &mut Verification,
        code: &Code,
        state: DeliveryState,
        records: &mut Records,
    ) -> Result<(), Refused> {
        verification.record_delivery(verification.send_count(), state, 0);
        match state {
            DeliveryState::Undelivered => verification.record_refusal(self.now),
            DeliveryState::Accepted => {
                let (message, at) = (self.message(verification, code)?, self.now + TEST_DELIVERY);
                records.outbox.push(OutboxChange::Schedule { message, at });
            }
            DeliveryState::Sent | DeliveryState::Delivered => {}
        }
        Ok(())
    }

    /// Whether the message that was just added to `verification` may be sent, if it goes to a phone.
    fn admit_text(
        &self,
        verification: &Verification,
        records: &mut Records,
    ) -> Result<(), Refused> {
        let now = self.counted_at(records);
        let Some((limits, mut text)) = self.text(verification) else { return Ok(()) };
        text.is_known = records.recipient.known.is_recent(now);
        let admitted = limits.admit(&text, &mut records.tallies, &mut records.alerts, now);
        admitted.map_err(|refused| Refused::text(refused, now))
    }

    /// Counts the message that was just added to `verification` for its site, destination and the server.
    fn count_send(&self, verification: &mut Verification, records: &mut Records) {
        let now = self.counted_at(records);
        if self.client.is_browser() {
            records.tallies.server.sends.add(FIVE_MINUTES, 1, now);
        }
        if let Some((limits, text)) = self.text(verification) {
            limits.count(&text, &mut records.tallies, &mut records.alerts, now);
        }
        verification.count_again();
    }

    /// The newest message of a verification as a text, with the limits on it; `None` if it is mail. WhatsApp messages and
    /// calls cost money and are pumped like texts, and count as such.
    fn text<'a>(&'a self, verification: &'a Verification) -> Option<(TextLimits<'a>, Text<'a>)> {
        let rules = &self.shared.rules;
        let prefix = verification.recipient().phone()?.prefix();
        let country = verification.details().country.as_deref().unwrap_or("001");
        let site = &rules.sites.named_or_first(verification.site()).texts;
        let price = rules.texts.prices.of(country);
        let begins = verification.send_count() == 1 || verification.counted_from().is_none();
        let (site_name, is_known) = (verification.site(), false);
        let text = Text { site: site_name, country, prefix, price, begins, is_known };
        Some((TextLimits { site, server: &rules.texts }, text))
    }

    /// The work that a message for this client takes, with what was counted before it.
    fn work_demanded(&self, records: &Records) -> Option<Level> {
        let thresholds = self.shared.rules.work.filter(|_| self.client.is_browser())?;
        let (span, now) = (self.limits().caller_sends.per, self.counted_at(records));
        let shares = records
            .callers
            .iter()
            .map(|caller| caller.counters.sends.sum(span, now) / u64::from(caller.times.max(1)));
        let server = records.tallies.server.sends.sum(FIVE_MINUTES, now);
        thresholds.level(shares.max().unwrap_or_default(), server)
    }

    /// Takes the client's answer to a demand of work. The narrowest network remembers it.
    fn take_work(&self, level: Level, records: &mut Records) -> Result<(), Refused> {
        let now = self.counted_at(records);
        let mut nowhere = Timestamp::default();
        let network = records.callers.first_mut();
        let met = network.map_or(&mut nowhere, |caller| &mut caller.counters.work_met);
        self.place().take(self.answer, level, met, now)
    }

    /// Reads the client's answer to a demand of work, if it has sent one.
    pub(super) fn read_answer(&self) -> Option<Answer> {
        self.place().read(self.client.work.as_deref()?, self.now)
    }

    /// Place of a demand of work.
    fn place(&self) -> Place<'_> {
        Place {
            keys: &self.shared.keys.work,
            network: self.client.person.network().unwrap_or_default(),
            door: &self.client.scope,
            subject: match &self.action {
                Action::Open { opening, .. } => Subject::Site(&opening.site),
                _ => Subject::Verification(self.id.to_string()),
            },
        }
    }

    /// Refuses a message by a channel that the site does not use, or has ceased to send to the number by since the
    /// verification began (S33).
    pub(super) fn ensure_reached(
        &self,
        verification: &Verification,
        channel: Channel,
    ) -> Result<(), Refused> {
        let (recipient, is_test) = (verification.recipient(), verification.details().test_mode);
        let rules = &self.shared.rules;
        let site = rules.sites.named(verification.site()).ok_or(Refused::ChannelUnavailable)?;
        rules.ensure_reached(site, recipient, channel, is_test)
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
            tried: String::new(),
            leased_until: self.now + self.shared.rules.lease,
            sealed: sealed.map_err(|_| Refused::Crypto)?,
        })
    }
}
