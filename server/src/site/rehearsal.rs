//! What happens where nothing is sent, so that other people can test against us.

use otp::{Code, DeliveryState, Policy};

/// What a site for test suites always does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rehearsal {
    /// The code is all zeros.
    Approve,
    /// No code is right.
    Incorrect,
    /// No message arrives.
    Undeliverable,
    /// Nothing may be asked for.
    RateLimited,
}

/// One verification's part in it.
#[derive(Clone, Debug)]
pub enum Script {
    /// This code is right.
    Accept(Code),
    /// No code is right.
    Reject(Code),
    /// No message arrives.
    Lose(Code),
    /// It may not even begin.
    Refuse,
}

impl Script {
    pub(super) fn of(rehearsal: Rehearsal, policy: &Policy) -> Self {
        let length = policy.code_length();
        match rehearsal {
            Rehearsal::Approve => Self::Accept(Code::zeros(length)),
            // No guess of the right length is ever equal to one of another length.
            Rehearsal::Incorrect => Self::Reject(Code::zeros(if length == 4 { 5 } else { 4 })),
            Rehearsal::Undeliverable => Self::Lose(Code::zeros(length)),
            Rehearsal::RateLimited => Self::Refuse,
        }
    }

    /// The code that the verification is opened with, and what is recorded of its message.
    pub fn code(&self) -> Option<(&Code, DeliveryState)> {
        match self {
            Self::Accept(code) | Self::Reject(code) => Some((code, DeliveryState::Delivered)),
            Self::Lose(code) => Some((code, DeliveryState::Undelivered)),
            Self::Refuse => None,
        }
    }
}
