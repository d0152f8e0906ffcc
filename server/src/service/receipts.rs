//! Receipts of providers: the fate of a message, and what follows from it.

use otp::{Verification, verification::AfterReturn};

use super::{
    Client, Person, Refused, Scope, Service,
    commands::{Action, Command},
    done::Done,
};
use crate::{
    delivery::{
        receipt_reader::Report,
        receipts::{Forged, ReceiptRequest},
    },
    store::{MessageKey, OutboxChange, Queue, Records},
};

impl Service {
    /// Takes a request that may be a receipt. One about a message that is unknown is answered like any other (S9).
    ///
    /// # Errors
    /// [`Refused::NotFound`] if it is not proven to come from a provider, and [`Refused::Store`].
    pub async fn receive(&self, request: &ReceiptRequest<'_>) -> Result<(), Refused> {
        let now = self.clock.now();
        let (rules, keys) = (&self.shared.rules, &self.shared.keys.receipts);
        let receipts = rules.receipts.as_ref().ok_or(Refused::NotFound)?;
        let read = receipts.read(request, keys, now).map_err(|Forged| Refused::NotFound)?;
        let Some(report) = read else { return Ok(()) };
        let person = Person::default();
        let client = Client { scope: Scope::Holder, person, idempotency_key: None, work: None };
        let (id, action) = (report.verification, Action::Report(report));
        match self.apply(&client, id, now, action).await {
            Ok(_) | Err(Refused::NotFound) => Ok(()),
            Err(refused) => Err(refused),
        }
    }
}

impl Command {
    /// Records a report. A message that did not arrive goes to the next provider at once, as one more message under the
    /// ceilings of texts: it costs again.
    pub(super) fn report(&self, records: &mut Records, report: &Report) -> Result<Done, Refused> {
        let Report { provider, number, told, .. } = report;
        let key =
            MessageKey { queue: Queue::Codes, verification: report.verification, number: *number };
        let verification = self.reached(records)?;
        let change = if told.has_arrived {
            let may_be_kept = verification.record_arrival(*number, self.now);
            may_be_kept.then_some(OutboxChange::Remove { key })
        } else {
            let reference = told.reference.as_deref();
            match verification.record_return(*number, provider, reference, self.now) {
                AfterReturn::Noted => None,
                AfterReturn::Over => Some(OutboxChange::Remove { key }),
                AfterReturn::MayGoAgain => {
                    let verification = verification.clone();
                    if self.admit_again(&verification, records) {
                        Some(OutboxChange::Hasten { key, at: self.now })
                    } else {
                        self.reached(records)?.record_undelivered(*number);
                        Some(OutboxChange::Remove { key })
                    }
                }
            }
        };
        records.outbox.extend(change);
        Ok(self.done(records.verification.as_ref()))
    }

    /// Whether the newest message, which did not arrive, may go to another provider. Counts it if it is a text.
    fn admit_again(&self, verification: &Verification, records: &mut Records) -> bool {
        let (send, to) = (verification.last_send(), verification.recipient());
        let receipts = self.shared.rules.receipts.as_ref();
        let can_go = |returned: &[String]| {
            receipts.is_some_and(|receipts| receipts.can_go_without(send.channel, to, returned))
        };
        if !can_go(&send.returned_by) {
            return false;
        }
        let Some((limits, text)) = self.text(verification) else { return true };
        let text = otp::texts::Text { begins: false, ..text };
        let now = self.counted_at(records);
        let Records { tallies, alerts, .. } = records;
        let is_admitted = limits.admit(&text, tallies, alerts, now).is_ok();
        if is_admitted {
            limits.count(&text, tallies, alerts, now);
        }
        is_admitted
    }
}
