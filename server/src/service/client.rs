//! The client on whose behalf a use case runs.

use otp::Verification;

use super::Person;

/// A client: the verifications that it can reach, and the person that it is counted under.
#[derive(Clone, Debug)]
pub struct Client {
    /// Verifications that it can reach.
    pub scope: Scope,
    /// The person behind it. The address of a back end says nothing about people, so nothing is known of them
    /// but what it tells, unless everybody knows its key; the recipient's limits hold for it as for everybody.
    pub person: Person,
    /// Key that makes a repeated request the same one, if the client sends one.
    pub idempotency_key: Option<IdempotencyKey>,
    /// Its answer to a demand of work, as it was sent.
    pub work: Option<String>,
}

impl Client {
    /// Whether it has no secret key: a browser.
    pub(super) fn is_browser(&self) -> bool {
        !matches!(self.scope, Scope::Site(_))
    }
}

/// The verifications that a client can reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Any whose id it knows.
    Holder,
    /// Those that began outside of frames, and whose id it knows.
    Hosted,
    /// Those that began in a frame of one site and origin, and whose id it knows.
    Framed {
        /// Name of the site.
        site: String,
        /// Origin of the page around the frame.
        origin: String,
    },
    /// Those of one site: a back end with a secret key of that site.
    Site(String),
}

impl Scope {
    /// Whether a verification can be reached.
    pub fn covers(&self, verification: &Verification) -> bool {
        match self {
            Self::Holder => true,
            Self::Hosted => verification.details().origin.is_none(),
            Self::Framed { site, origin } => {
                verification.site() == site
                    && verification.details().origin.as_ref() == Some(origin)
            }
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
