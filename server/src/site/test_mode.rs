//! Test mode: verifications with a known code, for which nothing is sent.

use otp::{Code, DeliveryState, Policy};

/// Behaviour of a site for test suites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestMode {
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
pub enum TestCode {
    /// A known code.
    Known {
        /// The code.
        code: Code,
        /// Delivery state that is recorded for its message; `accepted` where the worker settles it a little
        /// later, as it does with messages that are sent.
        delivery: DeliveryState,
    },
    /// No code: the send is refused, as by a limit.
    RateLimited,
}

impl TestCode {
    /// The code of a test recipient. Strangers who open a verification for it must not see that it is one.
    pub(super) fn of_recipient(code: Code) -> Self {
        Self::Known { code, delivery: DeliveryState::Accepted }
    }

    /// The code of a verification at a site for test suites.
    pub(super) fn of(test_mode: TestMode, policy: &Policy) -> Self {
        let length = policy.code_length();
        let delivered = |code| Self::Known { code, delivery: DeliveryState::Delivered };
        match test_mode {
            TestMode::Approve => delivered(Code::zeros(length)),
            // A guess must have the length of the policy, so a code of another length never matches.
            TestMode::Incorrect => delivered(Code::zeros(if length == 4 { 5 } else { 4 })),
            TestMode::Undeliverable => {
                Self::Known { code: Code::zeros(length), delivery: DeliveryState::Undelivered }
            }
            TestMode::RateLimited => Self::RateLimited,
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
