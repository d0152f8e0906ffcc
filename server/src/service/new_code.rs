//! The code of a new message: drawn, or known in test mode.

use otp::{Code, DeliveryState, Timestamp};

use super::Refused;
use crate::site::TestCode;

/// A code for a new message.
pub(super) struct NewCode {
    pub(super) code: Code,
    /// Nothing is sent; this state is recorded instead (see [`TestCode`]).
    pub(super) test_delivery: Option<DeliveryState>,
}

impl NewCode {
    pub(super) fn drawn(digits: &Code, length: u8) -> Self {
        Self { code: digits.first(length), test_delivery: None }
    }

    pub(super) fn scripted(test_code: &TestCode, now: Timestamp) -> Result<Self, Refused> {
        let (code, state) = test_code.code().ok_or_else(|| Refused::test_limit(now))?;
        Ok(Self { code: code.clone(), test_delivery: Some(state) })
    }
}
