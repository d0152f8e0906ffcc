//! The client on whose behalf a use case runs.

use std::net::IpAddr;

use otp::Verification;

/// A client: the verifications that it can reach, and the identity that it is counted under.
#[derive(Clone, Debug)]
pub struct Client {
    /// Verifications that it can reach.
    pub scope: Scope,
    /// Address that it is counted under. A back end's says nothing about people, so it has none, unless
    /// everybody knows its key; the recipient's limits hold for it as for everybody.
    pub address: Option<IpAddr>,
    /// Key that makes a repeated request the same one, if the client sends one.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// The verifications that a client can reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Any whose id it knows: the person who was given the page.
    Holder,
    /// Those of one site: a back end with a secret key of that site.
    Site(String),
}

impl Scope {
    /// Whether a verification can be reached.
    pub fn covers(&self, verification: &Verification) -> bool {
        match self {
            Self::Holder => true,
            Self::Site(site) => verification.site() == site,
        }
    }
}

/// An `Idempotency-Key` and the request that it was sent with.
#[derive(Clone, Copy, Debug)]
pub struct IdempotencyKey {
    /// Keyed digest of the site and of the key as the client sent it.
    pub digest: [u8; 16],
    /// SHA-256 of the request.
    pub fingerprint: [u8; 32],
}
