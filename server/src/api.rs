//! The door for back ends: what whoever holds a site's secret key may ask for.
//!
//! Beside [`app::port::Port`], which is for browsers. The two differ in what they may know: a back
//! end reaches its own site's verifications only, learns their metadata, and redeems results. Both
//! go to the same service.

use std::collections::BTreeMap;

use app::{error::ApiError, wire};
use async_trait::async_trait;
use otp::token::Assurance;

/// A back end that has shown a secret key.
#[derive(Clone, Debug)]
pub struct Backend {
    /// Its site's name.
    pub site: String,
    /// What makes a repeated request the same one, where it says so.
    pub request: Option<RequestKey>,
}

/// An `Idempotency-Key` and what it was sent with.
#[derive(Clone, Debug)]
pub struct RequestKey {
    /// The key, in the back end's words.
    pub key: String,
    /// SHA-256 of the request: its method, path and body.
    pub fingerprint: [u8; 32],
}

/// What a back end begins a verification with, not yet checked.
#[derive(Clone, Debug, Default)]
pub struct Create {
    /// An e-mail address or a phone number.
    pub to: String,
    /// The channel; without one it follows from what `to` looks like.
    pub channel: Option<wire::Channel>,
    /// ISO 3166-1 alpha-2 region in which a phone number without calling code is read.
    pub country: Option<String>,
    /// The language of messages, a BCP 47 tag or an `Accept-Language`.
    pub locale: Option<String>,
    /// What is verified for, 1 to 64 characters; part of what the code is bound to.
    pub purpose: Option<String>,
    /// Where the person is sent back to: exactly one that the site has listed.
    pub return_url: Option<String>,
    /// Comes back with the result, up to 256 characters.
    pub state: Option<String>,
    /// Up to 10 pairs of the site's own words: keys up to 40 characters, values up to 500.
    pub metadata: BTreeMap<String, String>,
}

/// A verification, as a back end of its site sees it. Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// What the person's page sees as well.
    pub view: wire::VerificationView,
    /// What is verified for.
    pub purpose: String,
    /// When it was opened.
    pub created_at: u64,
    /// When it ended, if it did so other than by time.
    pub finished_at: Option<u64>,
    /// When its result was redeemed, if it was.
    pub redeemed_at: Option<u64>,
    /// Where the person is sent back to.
    pub return_url: Option<String>,
    /// What comes back with the result.
    pub state: Option<String>,
    /// The site's own words.
    pub metadata: BTreeMap<String, String>,
    /// The page on which the person types the code.
    pub url: String,
    /// Nobody was sent anything: it serves tests and proves nothing.
    pub test: bool,
}

/// The answer to a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// What came of the guess.
    pub outcome: wire::Outcome,
    /// The verification after it; `None` where it has expired, never was or is another site's.
    pub verification: Option<Verification>,
}

/// What a token is redeemed for.
#[derive(Clone, PartialEq, Eq)]
pub struct Redeemed {
    /// The verification.
    pub verification: Verification,
    /// The whole recipient: an address, or a number in E.164.
    pub recipient: String,
    /// What was proven.
    pub assurance: Assurance,
    /// The origin of the page that it was embedded in.
    pub origin: Option<String>,
}

/// An answer, and whether it was given before to the same request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<T> {
    /// The answer.
    pub value: T,
    /// It is repeated: nothing was done this time.
    pub replayed: bool,
}

/// What every request of a back end is answered with.
pub type Result<T> = std::result::Result<Answer<T>, ApiError>;

/// The use cases, as back ends see them. Ids that are unknown, expired or another site's are all
/// refused as not found (S9).
#[async_trait]
pub trait Api: Send + Sync {
    /// The name of the site that this is a secret key of.
    fn site_of(&self, secret: &str) -> Option<String>;

    /// Begins a verification and accepts its first message.
    async fn create(&self, backend: &Backend, request: Create) -> Result<Verification>;

    /// Looks a verification up. Changes nothing.
    async fn get(&self, backend: &Backend, id: &str)
    -> std::result::Result<Verification, ApiError>;

    /// Calls a verification off. One that is over stays as it is.
    async fn cancel(&self, backend: &Backend, id: &str) -> Result<Verification>;

    /// Checks one guess, as typed. A wrong code is an outcome, not an error.
    async fn check(&self, backend: &Backend, id: &str, guess: &str) -> Result<Checked>;

    /// Sends a new code, by another channel if one is named.
    async fn resend(
        &self,
        backend: &Backend,
        id: &str,
        channel: Option<wire::Channel>,
    ) -> Result<Verification>;

    /// Exchanges a result token for what it proves, once.
    async fn redeem(&self, backend: &Backend, token: &str) -> Result<Redeemed>;

    /// The public keys of result tokens, as a JWK Set in JSON.
    fn jwks(&self) -> &str;
}

/// Shows no whole recipient.
impl std::fmt::Debug for Redeemed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redeemed")
            .field("verification", &self.verification)
            .field("assurance", &self.assurance)
            .finish_non_exhaustive()
    }
}
