//! What an approved verification lets a relying party know: the claims of its result token.
//!
//! The claims say which proof was given, to whom and until when. How they are signed and written
//! down is the server's business; that they exist for an approved verification alone is this one's.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use otp_types::{Assurance, Channel, State};
use sha2::{Digest, Sha256};

use crate::{
    id::VerificationId, recipient::Recipient, time::Timestamp, verification::Verification,
};

/// The longest that a result token may live (S20).
pub const MAX_LIFETIME: Duration = Duration::from_secs(300);

/// The statement of a result token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultToken {
    /// The verification that was approved; its result is redeemed once.
    pub verification: VerificationId,
    /// The relying party that it is meant for.
    pub audience: String,
    /// What the relying party verified for.
    pub purpose: String,
    /// The channel that was proven.
    pub channel: Channel,
    /// What that proves.
    pub assurance: Assurance,
    /// What the relying party's page said to tell one of its sessions from another.
    pub page_state: Option<String>,
    /// The origin of the page in which the code was typed, where that was embedded in one.
    pub origin: Option<String>,
    /// By which the relying party can tell whether it is about the recipient that it knows.
    pub recipient_hash: String,
    /// Nobody was sent anything: it serves somebody's tests and proves nothing.
    pub rehearsal: bool,
    /// When it was made.
    pub issued_at: Timestamp,
    /// When it stops being accepted.
    pub expires_at: Timestamp,
}

impl ResultToken {
    /// The token of an approved verification; `None` for any other, and for one whose result has
    /// been redeemed.
    ///
    /// `lifetime` is cut to [`MAX_LIFETIME`], and it runs from the approval, so that asking again
    /// later makes no token that lives longer.
    pub fn issue(verification: &Verification, lifetime: Duration, now: Timestamp) -> Option<Self> {
        if verification.state(now) != State::Approved || verification.redeemed_at().is_some() {
            return None;
        }
        let issued_at = verification.finished_at()?;
        let channel = verification.last_send().channel;
        let details = verification.details();
        let token = Self {
            verification: verification.id(),
            audience: verification.site().to_owned(),
            purpose: verification.purpose().to_owned(),
            channel,
            assurance: Assurance::of(channel),
            page_state: details.page_state.clone(),
            origin: details.origin.clone(),
            recipient_hash: recipient_hash(verification.id(), verification.recipient()),
            rehearsal: details.rehearsal,
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

/// SHA-256 of `<verification id>.<canonical recipient>` in base64url: who knows both can compare,
/// and one person's hashes of two verifications have nothing in common.
pub fn recipient_hash(verification: VerificationId, recipient: &Recipient) -> String {
    let known = format!("{verification}.{}", recipient.canonical());
    URL_SAFE_NO_PAD.encode(Sha256::digest(known))
}

#[cfg(test)]
mod tests {
    use rand::rngs::SysRng;

    use super::*;
    use crate::{
        code::Code,
        details::Details,
        digest::{Pepper, Peppers},
        policy::Policy,
        recipient::Recipient,
        verification::{Opening, RedeemRefused},
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
            details: Details::default(),
        };
        let code = Code::parse("123456").unwrap();
        let mut verification = Verification::open(opening, Channel::Email, &code, &peppers, START);
        verification.check(guess, &peppers, START);
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
    fn an_address_is_confirmed_and_no_second_factor() {
        let token = ResultToken::issue(&verification("123456"), MAX_LIFETIME, START).unwrap();
        assert_eq!(token.assurance, Assurance::AddressConfirmation);
        assert_eq!(Assurance::of(Channel::Sms), Assurance::Possession);
    }

    #[test]
    fn s20_a_result_is_redeemed_once_and_has_no_token_afterwards() {
        let mut approved = verification("123456");
        assert_eq!(approved.redeem(START), Ok(()));
        assert_eq!(approved.redeem(START), Err(RedeemRefused::AlreadyRedeemed));
        assert_eq!(approved.redeemed_at(), Some(START));
        assert_eq!(ResultToken::issue(&approved, MAX_LIFETIME, START), None);
        assert_eq!(verification("000000").redeem(START), Err(RedeemRefused::NotApproved));
    }

    #[test]
    fn the_hash_of_a_recipient_is_one_for_every_spelling_and_another_for_every_verification() {
        let hash =
            |id, address| recipient_hash(id, &Recipient::parse(address, None, None).unwrap());
        let [one, other] = [1, 2].map(|at| VerificationId::first_at(Timestamp::from_millis(at)));
        assert_eq!(hash(one, "jo@EXAMPLE.com"), hash(one, " jo@example.com"));
        assert_ne!(hash(one, "jo@example.com"), hash(other, "jo@example.com"));
        assert_ne!(hash(one, "jo@example.com"), hash(one, "jan@example.com"));
        // As a relying party computes it: id, full stop, address.
        let expected = Sha256::digest(format!("{one}.jo@example.com"));
        assert_eq!(hash(one, "jo@example.com"), URL_SAFE_NO_PAD.encode(expected));
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
