//! Names of counters, clients and idempotency keys in a store.

use aws_lc_rs::hmac;
use otp::{Recipient, known::Mark};

/// Names for what is counted and for idempotency keys: keyed digests, cut to 128 bits or less, so that a store
/// does not show whose they are.
#[derive(Debug)]
pub struct Pseudonyms(hmac::Key);

impl Pseudonyms {
    pub(super) fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// Pseudonym of a recipient at one site, the same for every address of one mailbox (S18).
    pub fn recipient(&self, site: &str, recipient: &Recipient) -> [u8; 16] {
        self.name(&[b"recipient", site.as_bytes(), recipient.counted_as().as_bytes()])
    }

    /// Pseudonym of an idempotency key of a site.
    pub fn request(&self, site: &str, key: &str) -> [u8; 16] {
        self.name(&[b"request", site.as_bytes(), key.as_bytes()])
    }

    /// Pseudonym of a network, by the first octets of its addresses.
    pub fn network(&self, octets: &[u8]) -> [u8; 16] {
        self.name(&[b"caller", octets])
    }

    /// Pseudonym of a network for what the back end of a site tells of it, by its own pseudonym.
    pub fn told(&self, site: &str, network: &[u8; 16]) -> [u8; 16] {
        self.name(&[b"told", site.as_bytes(), network])
    }

    /// Pseudonym of an account of a site, by the site's own id of it.
    pub fn account(&self, site: &str, account: &str) -> [u8; 16] {
        self.name(&[b"account", site.as_bytes(), account.as_bytes()])
    }

    /// Pseudonym of a kind of browser in a network.
    pub fn browser(&self, octets: &[u8], kind: &str) -> [u8; 16] {
        self.name(&[b"browser", octets, kind.as_bytes()])
    }

    /// Mark of a browser at a recipient, by the pseudonyms of both.
    pub fn mark(&self, recipient: &[u8; 16], browser: &[u8; 16]) -> Mark {
        Mark(u64::from_be_bytes(self.name(&[b"mark", recipient, browser])))
    }

    fn name<const LENGTH: usize>(&self, parts: &[&[u8]]) -> [u8; LENGTH] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut name = [0; LENGTH];
        name.copy_from_slice(&context.sign().as_ref()[..LENGTH]);
        name
    }
}
