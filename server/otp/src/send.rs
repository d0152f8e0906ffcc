//! One message carrying a code, and how far it has come.

use serde::{Deserialize, Serialize};

use otp_types::{Channel, DeliveryState};

use crate::{policy::Policy, time::Timestamp};

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
    pub delivery: DeliveryState,
    /// How many times a provider was asked to take it.
    pub tries: u32,
    /// Name of the provider that took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// That provider's id of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Names of the providers that took it and reported that it did not arrive.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub returned_by: Vec<String>,
    /// It is in the outbox although a provider took it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_kept: bool,
    /// Names of providers that were asked and did not answer, so that it may have arrived by them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) unanswered: Vec<String>,
    /// Digits of its code, where the policy does not say as many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) code_length: Option<u8>,
    /// No provider has taken it, and none ever will.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_unsent: bool,
}

impl Send {
    pub(crate) fn accepted(
        channel: Channel,
        at: Timestamp,
        policy: &Policy,
        code_length: u8,
    ) -> Self {
        let expires_at = at + policy.lifetime();
        // Left out where the policy says it, to keep rows small.
        let code_length = Some(code_length).filter(|length| *length != policy.code_length());
        let delivery = DeliveryState::Accepted;
        Self {
            channel,
            at,
            expires_at,
            delivery,
            tries: 0,
            provider: None,
            reference: None,
            returned_by: Vec::new(),
            is_kept: false,
            unanswered: Vec::new(),
            code_length,
            is_unsent: false,
        }
    }

    /// Whether it is in the outbox.
    pub(crate) fn is_waiting(&self) -> bool {
        self.is_kept || self.delivery == DeliveryState::Accepted
    }
}
