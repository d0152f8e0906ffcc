//! One message carrying a code, and how far it has come.

use serde::{Deserialize, Serialize};

use crate::{channel::Channel, policy::Policy, time::Timestamp};

/// One message carrying a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Send {
    /// The channel it goes by.
    pub channel: Channel,
    /// When it was asked for.
    pub at: Timestamp,
    /// When the code in it stops being accepted.
    pub expires_at: Timestamp,
    /// How far it has come.
    pub delivery: Delivery,
    /// How many times a provider was asked to take it.
    pub tries: u32,
}

impl Send {
    pub(crate) fn accepted(channel: Channel, at: Timestamp, policy: &Policy) -> Self {
        let expires_at = at + policy.lifetime();
        Self { channel, at, expires_at, delivery: Delivery::Accepted, tries: 0 }
    }
}

/// How far a message has come. Ordered: it only ever moves to the right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// Committed in the outbox.
    Accepted,
    /// A provider has taken it.
    Sent,
    /// Every way was tried, or the code expired first.
    Undelivered,
    /// The provider reports its arrival, which even corrects an earlier `Undelivered`.
    Delivered,
}
