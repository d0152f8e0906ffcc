//! What an approved verification lets a relying party know: the claims of its result token.
//!
//! The claims say which proof was given, to whom and until when. How they are signed and written
//! down is the server's business; that they exist for an approved verification alone is this one's.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    channel::Channel,
    id::VerificationId,
    time::Timestamp,
    verification::{State, Verification},
};

/// The longest that a result token may live (S20).
pub const MAX_LIFETIME: Duration = Duration::from_secs(300);

/// The statement of a result token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultToken {
    /// The verification that was approved; one token is redeemed once for each.
    pub verification: VerificationId,
    /// The relying party that it is meant for.
    pub audience: String,
    /// What the relying party verified for.
    pub purpose: String,
    /// The channel that was proven. For `email` this confirms an address; it is never a second
    /// factor (NIST SP 800-63B-4, 3.1.3.1).
    pub channel: Channel,
    /// When it was made.
    pub issued_at: Timestamp,
    /// When it stops being accepted.
    pub expires_at: Timestamp,
}

impl ResultToken {
    /// The token of an approved verification; `None` for any other.
    ///
    /// `lifetime` is cut to [`MAX_LIFETIME`], and it runs from the approval, so that asking again
    /// later makes no token that lives longer.
    pub fn issue(verification: &Verification, lifetime: Duration, now: Timestamp) -> Option<Self> {
        if verification.state(now) != State::Approved {
            return None;
        }
        let issued_at = verification.finished_at()?;
        let token = Self {
            verification: verification.id(),
            audience: verification.site().to_owned(),
            purpose: verification.purpose().to_owned(),
            channel: verification.last_send().channel,
            issued_at,
            expires_at: issued_at + lifetime.min(MAX_LIFETIME),
        };
        token.is_valid_at(now).then_some(token)
    }

    /// Whether it is accepted at `now`.
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::SysRng;

    use super::*;
    use crate::{
        code::Code,
        digest::{Pepper, Peppers},
        policy::Policy,
        recipient::Recipient,
        verification::Opening,
    };

    const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn verification(guess: &str) -> Verification {
        let peppers = Peppers::new([Pepper::new([7; 32])]).unwrap();
        let opening = Opening {
            id: VerificationId::generate(START, &mut SysRng).unwrap(),
            site: "shop".into(),
            recipient: Recipient::parse("jo@example.com", None, None).unwrap(),
            purpose: "sign-up".into(),
            locale: "en".into(),
            policy: Policy::default(),
        };
        let code = Code::parse("123456").unwrap();
        let mut verification = Verification::open(opening, Channel::Email, &code, &peppers, START);
        verification.check(Some(&Code::parse(guess).unwrap()), &peppers, START);
        verification
    }

    #[test]
    fn only_an_approved_verification_has_a_token() {
        let lifetime = Duration::from_secs(60);
        assert_eq!(ResultToken::issue(&verification("000000"), lifetime, START), None);
        let token = ResultToken::issue(&verification("123456"), lifetime, START).unwrap();
        assert_eq!((token.audience.as_str(), token.channel), ("shop", Channel::Email));
        assert_eq!(token.expires_at, START + lifetime);
    }

    #[test]
    fn s20_no_token_lives_longer_than_300_seconds_after_the_approval() {
        let approved = verification("123456");
        let end = START + MAX_LIFETIME;
        let last = ResultToken::issue(&approved, Duration::MAX, end - Duration::from_millis(1));
        assert_eq!(last.unwrap().expires_at, end);
        assert_eq!(ResultToken::issue(&approved, Duration::MAX, end), None);
    }
}
