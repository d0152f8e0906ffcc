//! Test mode: verifications with a known code, for which nothing is sent.

use otp::{Code, DeliveryState, Policy};

/// Behaviour of a site for test suites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rehearsal {
    /// The code is all zeros.
    Approve,
    /// No code is right.
    Incorrect,
    /// The message is undeliverable.
    Undeliverable,
    /// Every send is refused, as by a limit.
    RateLimited,
}

/// The code of one verification in test mode.
#[derive(Clone, Debug)]
pub enum Script {
    /// A known code.
    Known {
        /// The code.
        code: Code,
        /// Delivery state that is recorded for its message.
        delivery: DeliveryState,
    },
    /// No code: the send is refused, as by a limit.
    RateLimited,
}

impl Script {
    /// The code of a test recipient.
    pub(super) fn accepting(code: Code) -> Self {
        Self::Known { code, delivery: DeliveryState::Delivered }
    }

    /// The code of a verification at a site for test suites.
    pub(super) fn of(rehearsal: Rehearsal, policy: &Policy) -> Self {
        let length = policy.code_length();
        match rehearsal {
            Rehearsal::Approve => Self::accepting(Code::zeros(length)),
            // A guess must have the length of the policy, so a code of another length never matches.
            Rehearsal::Incorrect => Self::accepting(Code::zeros(if length == 4 { 5 } else { 4 })),
            Rehearsal::Undeliverable => {
                Self::Known { code: Code::zeros(length), delivery: DeliveryState::Undelivered }
            }
            Rehearsal::RateLimited => Self::RateLimited,
        }
    }

    /// The code and the delivery state of its message; `None` if the send is refused.
    pub fn code(&self) -> Option<(&Code, DeliveryState)> {
        match self {
            Self::Known { code, delivery } => Some((code, *delivery)),
            Self::RateLimited => None,
        }
    }
}
