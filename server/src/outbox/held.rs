//! Messages that this process is trying.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use otp::Timestamp;

use crate::store::{Message, MessageKey};

/// The messages that this process is trying, with the ends of their leases.
///
/// A lease alone keeps others away only while it is renewed in time. A store that takes no renewal for a while, or a
/// clock that is set forward, ends it during a try; then the try is known here.
#[derive(Debug, Default)]
pub struct Held(Mutex<HashMap<MessageKey, Timestamp>>);

/// A message that is being tried; until it is dropped.
#[derive(Debug)]
pub(super) struct Hold<'a> {
    held: &'a Held,
    key: MessageKey,
}

impl Held {
    /// The claimed messages that are not being tried. The new leases of the others belong to their tries.
    pub fn without(&self, mut claimed: Vec<Message>) -> Vec<Message> {
        let mut leases = self.leases();
        claimed.retain(|message| match leases.get_mut(&message.key) {
            None => true,
            Some(leased_until) => {
                *leased_until = message.leased_until;
                false
            }
        });
        claimed
    }

    pub(super) fn hold(&self, message: &Message) -> Hold<'_> {
        self.leases().insert(message.key, message.leased_until);
        Hold { held: self, key: message.key }
    }

    fn leases(&self) -> MutexGuard<'_, HashMap<MessageKey, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hold<'_> {
    /// End of the lease.
    pub(super) fn leased_until(&self) -> Timestamp {
        self.held.leases().get(&self.key).copied().unwrap_or_default()
    }

    /// Records that a lease was renewed, unless it was taken anew meanwhile.
    pub(super) fn renewed(&self, leased_until: Timestamp, until: Timestamp) {
        if let Some(known) = self.held.leases().get_mut(&self.key)
            && *known == leased_until
        {
            *known = until;
        }
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.held.leases().remove(&self.key);
    }
}
