//! Recorder of events, which go into the outbox in the same commit as the change they report.

use std::{collections::HashSet, sync::Arc};

use otp::{State, Timestamp, Verification, VerificationId, alert::Alert, event};
use tokio::sync::Notify;

use super::event as queued;
use crate::{
    derived_keys::Sealer,
    store::{Observer, OutboxChange},
};

/// Observer of the store that records events of the sites that have a webhook.
#[derive(Debug)]
pub struct EventRecorder {
    sites: HashSet<String>,
    sealer: Arc<Sealer>,
    wake: Notify,
}

impl EventRecorder {
    /// A recorder for the sites with these names.
    pub fn new(sites: impl IntoIterator<Item = String>, sealer: Arc<Sealer>) -> Self {
        Self { sites: sites.into_iter().collect(), sealer, wake: Notify::new() }
    }

    /// Wakes the worker, since there may be an event in the outbox.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Waits until an event may have been committed.
    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }

    pub(super) fn sealer(&self) -> &Sealer {
        &self.sealer
    }
}

impl Observer for EventRecorder {
    fn changed(
        &self,
        before: Option<&Verification>,
        after: &mut Verification,
        now: Timestamp,
        outbox: &mut Vec<OutboxChange>,
    ) {
        if !self.sites.contains(after.site()) {
            return;
        }
        let mut changes = Vec::new();
        for event in event::between(before, after, now) {
            let number = after.number_event();
            changes.push(queued::event(after, (event, number), now, &self.sealer));
        }
        let is_open = after.state(now) == State::Pending;
        match before {
            None if is_open => changes.push(queued::deadline(after, now, &self.sealer)),
            Some(before) if before.state(now) == State::Pending && !is_open => {
                changes.push(Ok(queued::without_deadline(after.id())));
            }
            _ => {}
        }
        for change in changes {
            if let Ok(change) = change {
                outbox.push(change);
            } else {
                // The cryptographic library itself has failed, without which no code is made
                // either. The change itself is committed all the same.
                tracing::error!("an event could not be encrypted and is lost");
            }
        }
    }

    fn alerted(
        &self,
        alerts: &[Alert],
        _verification: VerificationId,
        _now: Timestamp,
        _outbox: &mut Vec<OutboxChange>,
    ) {
        for alert in alerts {
            tracing::warn!(?alert, "a count across people has passed a line");
        }
    }

    fn committed(&self) {
        self.wake();
    }
}
