//! On whose behalf a use case runs.

use std::net::IpAddr;

use otp::Verification;

/// Who asks: what they can reach, and what they are counted as.
#[derive(Clone, Debug)]
pub struct Client {
    /// The verifications that can be reached.
    pub scope: Scope,
    /// The address that is counted. A back end's says nothing about people, so it has none; the
    /// recipient's budgets hold for it as for everybody.
    pub address: Option<IpAddr>,
    /// What makes a repeated request the same one, where the client says so.
    pub request: Option<Request>,
}

/// The verifications that a client can reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Whichever it knows the id of: the person whom the page was given to.
    Held,
    /// Those of one site: a back end with that site's secret key.
    Site(String),
}

impl Scope {
    /// Whether a verification can be reached.
    pub fn covers(&self, verification: &Verification) -> bool {
        match self {
            Self::Held => true,
            Self::Site(site) => verification.site() == site,
        }
    }
}

/// A request that has a name of its own, so that sending it again does nothing again.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// The name: a keyed digest of the site and of what the client calls the request.
    pub name: [u8; 16],
    /// SHA-256 of what was asked.
    pub fingerprint: [u8; 32],
}
