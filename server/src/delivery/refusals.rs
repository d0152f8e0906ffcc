//! Refusals of the operator's account by one provider.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use otp::{Recipient, Timestamp};

/// Different recipients in a row whose messages are refused for a reason that may be theirs, from which on it counts
/// as the account's.
const RECIPIENTS: usize = 5;
/// Shortest time between two alerts.
const INTERVAL: Duration = Duration::from_secs(3600);

/// Decides which refusals are the account's, and which of those the operator is told of.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<Record>);

#[derive(Debug, Default)]
struct Record {
    /// Recipients that were refused since the last message that was taken, each once.
    recipients: Vec<Recipient>,
    told_at: Option<Timestamp>,
}

impl Refusals {
    /// Records that a message was taken.
    pub(super) fn taken(&self) {
        self.record().recipients.clear();
    }

    /// Records a refusal that may concern this recipient alone. Returns whether too many others are refused for that.
    pub(super) fn concern_the_account(&self, to: &Recipient) -> bool {
        let recipients = &mut self.record().recipients;
        if recipients.len() < RECIPIENTS && !recipients.contains(to) {
            recipients.push(to.clone());
        }
        recipients.len() >= RECIPIENTS
    }

    /// Whether the operator is to be told of a refusal of the account at `now`, who then is.
    pub(super) fn are_news(&self, now: Timestamp) -> bool {
        let mut record = self.record();
        let is_news = record.told_at.is_none_or(|told| told + INTERVAL <= now);
        if is_news {
            record.told_at = Some(now);
        }
        is_news
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn recipient(number: usize) -> Recipient {
        Recipient::parse(&format!("{number}@example.com"), None, None).unwrap()
    }

    #[test]
    fn s25_refusals_of_five_different_recipients_in_a_row_are_the_accounts() {
        let refusals = Refusals::default();
        assert!((0..20).all(|_| !refusals.concern_the_account(&recipient(0))), "one mailbox");
        assert!((1..4).all(|number| !refusals.concern_the_account(&recipient(number))));
        refusals.taken();
        assert!((0..4).all(|number| !refusals.concern_the_account(&recipient(number))));
        assert!(refusals.concern_the_account(&recipient(4)));
        assert!(refusals.concern_the_account(&recipient(0)));
    }

    #[test]
    fn s25_a_refusal_is_told_once_an_hour() {
        let refusals = Refusals::default();
        assert!(refusals.are_news(NOW));
        refusals.taken();
        assert!(!refusals.are_news(NOW + INTERVAL - Duration::from_millis(1)));
        assert!(refusals.are_news(NOW + INTERVAL));
        assert!(!refusals.are_news(NOW + INTERVAL));
    }
}
