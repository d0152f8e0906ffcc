//! Names of counters and idempotency keys in a store.

use aws_lc_rs::hmac;
use otp::Recipient;

/// Names for what is counted and for idempotency keys: keyed digests, cut to 128 bits, so that a store
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

    fn name(&self, parts: &[&[u8]]) -> [u8; 16] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut name = [0; 16];
        name.copy_from_slice(&context.sign().as_ref()[..16]);
        name
    }
}
