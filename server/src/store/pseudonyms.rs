//! Names of counters and idempotency keys in a store.

use std::net::IpAddr;

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

    /// Pseudonym of a caller. An IPv6 network of /64 counts as one caller, since its owner can choose any
    /// address in it (S17).
    pub fn caller(&self, address: IpAddr) -> [u8; 16] {
        match address.to_canonical() {
            IpAddr::V4(address) => self.name(&[b"caller", &address.octets()]),
            IpAddr::V6(address) => self.name(&[b"caller", &address.octets()[..8]]),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s17_callers_are_told_apart_by_network_and_not_by_ipv6_host() {
        let pseudonyms = Pseudonyms::new(&[7; 32]);
        let name = |address: &str| pseudonyms.caller(address.parse().unwrap());
        assert_eq!(name("2001:db8:1:2::1"), name("2001:db8:1:2:ffff::9"));
        assert_ne!(name("2001:db8:1:2::1"), name("2001:db8:1:3::1"));
        assert_eq!(name("::ffff:192.0.2.1"), name("192.0.2.1"));
        assert_ne!(name("192.0.2.1"), name("192.0.2.2"));
    }
}
