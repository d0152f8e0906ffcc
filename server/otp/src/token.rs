//! Claims of the result token of an approved verification. The server signs and encodes them.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use otp_types::{Assurance, Channel, State};
use sha2::{Digest, Sha256};

use crate::{
    id::VerificationId, recipient::Recipient, time::Timestamp, verification::Verification,
};

/// Longest lifetime of a result token (S20).
pub const MAX_LIFETIME: Duration = Duration::from_secs(300);

/// Claims of a result token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultToken {
    /// The approved verification. Its result is redeemed once.
    pub verification: VerificationId,
    /// The site that the token is for.
    pub audience: String,
    /// The site's purpose of the verification.
    pub purpose: String,
    /// The channel that the code was sent by.
    pub channel: Channel,
    /// Assurance of the code.
    pub assurance: Assurance,
    /// Opaque value of the embedding page that binds the result to one of its sessions.
    pub page_state: Option<String>,
    /// Origin of the embedding page, if the code was typed in a frame.
    pub origin: Option<String>,
    /// Lets the site compare the recipient with the one it knows; see [`recipient_hash`].
    pub recipient_hash: String,
    /// Test mode: no message was sent, and the token proves nothing.
    pub test_mode: bool,
    /// Time of the approval.
    pub issued_at: Timestamp,
    /// The token is accepted before this time.
    pub expires_at: Timestamp,
}

impl ResultToken {
    /// The token of an approved verification; `None` for any other, after its lifetime, and once the
    /// result has been redeemed.
    ///
    /// `lifetime` is at most [`MAX_LIFETIME`] and runs from the approval, so that issuing again later
    /// does not extend it.
    pub fn issue(verification: &Verification, lifetime: Duration, now: Timestamp) -> Option<Self> {
        if verification.state(now) != State::Approved || verification.redeemed_at().is_some() {
            return None;
        }
        let issued_at = verification.finished_at()?;
        let channel = verification.proven_channel();
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
            test_mode: details.test_mode,
            issued_at,
            expires_at: issued_at + lifetime.min(MAX_LIFETIME),
        };
        token.is_valid_at(now).then_some(token)
    }

    /// Whether the token is accepted at `now`.
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }
}

/// SHA-256 of `<verification id>.<canonical recipient>` in base64url. It can be compared by those who
/// know both, and differs between two verifications of one recipient.
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
        verification.check(guess, None, &peppers, START);
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
        for (channel, assurance) in [
            (Channel::Sms, Assurance::Possession),
            (Channel::Voice, Assurance::Possession),
            (Channel::Whatsapp, Assurance::AddressConfirmation),
        ] {
            assert_eq!(Assurance::of(channel), assurance, "{channel:?}");
        }
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
        // The formula that is documented for relying parties.
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
