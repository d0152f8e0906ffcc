//! The development provider, which keeps messages and shows them on a page.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use app::wire::InboxMessage;
use otp::Timestamp;

use super::{
    OutgoingMessage, Receipt,
    template::{self, Rendered},
};
use crate::i18n::Catalogue;

/// The newest messages. It holds clear codes and whole recipients, so it is refused in production.
pub struct Inbox {
    catalogue: Arc<Catalogue>,
    received: Mutex<Received>,
}

#[derive(Default)]
struct Received {
    count: u64,
    newest_first: VecDeque<InboxMessage>,
}

impl Inbox {
    /// The provider's name.
    pub const NAME: &str = "inbox";
    /// Messages kept.
    pub const CAPACITY: usize = 200;

    /// An empty inbox that keeps the newest [`CAPACITY`](Self::CAPACITY) messages.
    pub fn new(catalogue: Arc<Catalogue>) -> Self {
        Self { catalogue, received: Mutex::default() }
    }

    /// The messages, newest first.
    pub fn messages(&self) -> Vec<InboxMessage> {
        let received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        received.newest_first.iter().cloned().collect()
    }

    pub(super) fn deliver(&self, message: &OutgoingMessage, now: Timestamp) -> Receipt {
        let Rendered { text, email } = template::render(&self.catalogue, message, now);
        let subject = email.map(|(subject, _)| subject).unwrap_or_default();
        let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        received.count += 1;
        let number = received.count;
        received.newest_first.push_front(InboxMessage {
            number,
            received_at: now.as_millis(),
            channel: message.channel,
            to: message.to.address().to_owned(),
            subject,
            text,
            code: message.code.as_str().to_owned(),
        });
        received.newest_first.truncate(Self::CAPACITY);
        Receipt { provider: Self::NAME, reference: Some(number.to_string()) }
    }
}

impl std::fmt::Debug for Inbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Inbox(..)")
    }
}
