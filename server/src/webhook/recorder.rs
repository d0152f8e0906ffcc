//! Recorder of events and alerts, which go into the outbox in the same commit as the change they report.

use std::{collections::HashSet, sync::Arc};

use aws_lc_rs::error::Unspecified;
use otp::{State, Timestamp, Verification, VerificationId, alert::Alert, event};
use tokio::sync::Notify;

use super::{alert, event as queued};
use crate::{
    derived_keys::Sealer,
    store::{Observer, OutboxChange},
};

/// Observer of the store that records events of the sites that have a webhook, and alerts if the operator
/// has one.
#[derive(Debug)]
pub struct EventRecorder {
    sites: HashSet<String>,
    has_operator: bool,
    sealer: Arc<Sealer>,
    wake: Notify,
}

impl EventRecorder {
    /// A recorder for the sites with these names.
    pub fn new(sites: impl IntoIterator<Item = String>, sealer: Arc<Sealer>) -> Self {
        let sites = sites.into_iter().collect();
        Self { sites, has_operator: false, sealer, wake: Notify::new() }
    }

    /// The same recorder, which records alerts too if the operator has a webhook. They are logged in any case.
    #[must_use]
    pub fn with_operator(self, has_operator: bool) -> Self {
        Self { has_operator, ..self }
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
        add(changes, outbox);
    }

    fn alerted(
        &self,
        alerts: &[Alert],
        verification: VerificationId,
        now: Timestamp,
        outbox: &mut Vec<OutboxChange>,
    ) {
        if self.has_operator {
            let queued = |told| alert::alert(told, verification, now, &self.sealer);
            add(alerts.iter().map(queued), outbox);
        }
    }

    fn committed(&self, alerts: &[Alert]) {
        alerts.iter().for_each(alert::log);
        self.wake();
    }
}

fn add(
    changes: impl IntoIterator<Item = Result<OutboxChange, Unspecified>>,
    outbox: &mut Vec<OutboxChange>,
) {
    for change in changes {
        if let Ok(change) = change {
            outbox.push(change);
        } else {
            // The cryptographic library itself has failed, without which no code is made either. The
            // change itself is committed all the same.
            tracing::error!("an event could not be encrypted and is lost");
        }
    }
}
