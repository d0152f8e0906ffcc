//! Whether a verification by text counts as one without approval (S33).

use serde::{Deserialize, Serialize};

use super::Verification;
use crate::time::Timestamp;

/// Time from which a verification by text counts as one without approval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Counted {
    #[default]
    FromBeginning,
    /// None of its messages has left.
    Not,
    /// Messages before that time have not left.
    From(Timestamp),
}

impl Counted {
    pub(super) fn is_from_beginning(&self) -> bool {
        *self == Self::FromBeginning
    }
}

impl Verification {
    /// Time from which it counts as one without approval, if it is one by text; `None` if it does not, since none of
    /// its messages has left.
    pub fn counted_from(&self) -> Option<Timestamp> {
        match self.counted {
            Counted::FromBeginning => Some(self.created_at),
            Counted::Not => None,
            Counted::From(time) => Some(time),
        }
    }

    /// Records that no provider has taken message `number` (from 1), and none ever will. Once that holds for all
    /// messages the verification does not count as one without approval any more: gives the time from which it did.
    pub fn record_unsent(&mut self, number: u32) -> Option<Timestamp> {
        let index = number.checked_sub(1)? as usize;
        self.earlier_sends.iter_mut().chain([&mut self.last_send]).nth(index)?.is_unsent = true;
        let counted_from =
            self.counted_from().filter(|_| self.sends().all(|send| send.is_unsent))?;
        self.counted = Counted::Not;
        Some(counted_from)
    }

    /// Counts the verification as one without approval from its newest message on, unless it is counted.
    pub fn count_again(&mut self) {
        if self.counted_from().is_none() {
            self.counted = Counted::From(self.last_send.at);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use otp_types::Channel;

    use super::*;
    use crate::verification::tests::{START, code, pending, peppers};

    #[test]
    fn s33_it_counts_again_from_the_first_message_that_may_have_left() {
        let mut verification = pending();
        for unknown in [0, 2] {
            assert_eq!(verification.record_unsent(unknown), None);
        }
        verification.count_again();
        assert_eq!(verification.counted_from(), Some(START));
        assert!(
            !serde_json::to_string(&verification).unwrap().contains("counted"),
            "rows are small"
        );
        assert_eq!(verification.record_unsent(1), Some(START));
        assert_eq!((verification.counted_from(), verification.record_unsent(1)), (None, None));

        let second = START + Duration::from_secs(30);
        verification.resend(Channel::Email, &code("654321"), &peppers(), second).unwrap();
        verification.count_again();
        let third = second + Duration::from_secs(40);
        verification.resend(Channel::Email, &code("654321"), &peppers(), third).unwrap();
        verification.count_again();
        assert_eq!(verification.counted_from(), Some(second));
        assert_eq!(verification.record_unsent(3), None, "the second one may still leave");
        assert_eq!(verification.counted_from(), Some(second));
        let stored = serde_json::to_string(&verification).unwrap();
        assert_eq!(serde_json::from_str::<Verification>(&stored).unwrap(), verification);
        assert_eq!(verification.record_unsent(2), Some(second));
    }
}
