//! Filter of the addresses that webhooks may be sent to.
//!
//! The owner of a receiver's domain controls its DNS records, which may point to a database in the
//! operator's network or to a cloud's metadata service. So only public addresses and networks listed by
//! the operator are allowed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use url::{Host, Url};

/// IPv4 networks that are not public (IANA IPv4 Special-Purpose Address Registry).
const SPECIAL_V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::UNSPECIFIED, 8),           // "this network"
    (Ipv4Addr::new(10, 0, 0, 0), 8),      // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),   // shared by a carrier's customers
    (Ipv4Addr::new(127, 0, 0, 0), 8),     // loopback
    (Ipv4Addr::new(169, 254, 0, 0), 16),  // link-local, metadata services among them
    (Ipv4Addr::new(172, 16, 0, 0), 12),   // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),    // protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24),    // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24),  // 6to4 relays
    (Ipv4Addr::new(192, 168, 0, 0), 16),  // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),   // measurements
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),  // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),     // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),     // reserved, and broadcast
];

/// The IPv6 network of global unicast addresses. Everything outside it is not public: loopback,
/// unique-local (`fc00::/7`), link-local (`fe80::/10`), multicast (`ff00::/8`) and unassigned addresses.
const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Networks within [`GLOBAL_V6`] that are not public (IANA IPv6 Special-Purpose Address Registry).
const SPECIAL_V6: &[(Ipv6Addr, u32)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments, Teredo among them
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4, which holds any IPv4 address
    (Ipv6Addr::new(0x3ffe, 0, 0, 0, 0, 0, 0, 0), 16), // returned, of the 6bone
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

/// Prefix of IPv4 addresses behind a translator (RFC 6052), which IPv6-only networks use to reach
/// IPv4-only receivers. The embedded address is checked.
const NAT64: (Ipv6Addr, u32) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// The addresses that webhooks may be sent to.
#[derive(Clone, Debug, Default)]
pub struct AddressFilter {
    allowed: Vec<IpNet>,
}

impl AddressFilter {
    /// Allows public addresses and these networks.
    pub fn public_and(allowed: Vec<IpNet>) -> Self {
        Self { allowed }
    }

    /// Whether webhooks may be sent to `address`.
    pub fn allow(&self, address: IpAddr) -> bool {
        // An IPv4-mapped address connects to the IPv4 address.
        let address = address.to_canonical();
        is_public(address) || self.allowed.iter().any(|network| network.contains(&address))
    }

    /// Whether the host of a URL is an address that webhooks may not be sent to. An address does not pass through the
    /// resolver, which filters those of names.
    pub fn refuses(&self, url: &Url) -> bool {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => address.into(),
            Some(Host::Ipv6(address)) => address.into(),
            Some(Host::Domain(_)) | None => return false,
        };
        !self.allow(address)
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !SPECIAL_V4.iter().any(|network| within_v4(address, *network)),
        IpAddr::V6(address) if within_v6(address, NAT64) => {
            let [.., a, b, c, d] = address.octets();
            is_public(Ipv4Addr::new(a, b, c, d).into())
        }
        IpAddr::V6(address) => {
            within_v6(address, GLOBAL_V6)
                && !SPECIAL_V6.iter().any(|network| within_v6(address, *network))
        }
    }
}

fn within_v4(address: Ipv4Addr, (network, length): (Ipv4Addr, u32)) -> bool {
    let differing = address.to_bits() ^ network.to_bits();
    differing.leading_zeros() >= length
}

fn within_v6(address: Ipv6Addr, (network, length): (Ipv6Addr, u32)) -> bool {
    let differing = address.to_bits() ^ network.to_bits();
    differing.leading_zeros() >= length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allow(allowed: &[&str], address: &str) -> bool {
        let allowed = allowed.iter().map(|network| network.parse().unwrap()).collect();
        AddressFilter::public_and(allowed).allow(address.parse().unwrap())
    }

    /// The first and the last address of each special network, and their neighbours outside it.
    #[test]
    fn special_addresses_are_refused_up_to_their_last_one() {
        for (first, last) in [
            ("0.0.0.0", "0.255.255.255"),
            ("10.0.0.0", "10.255.255.255"),
            ("100.64.0.0", "100.127.255.255"),
            ("127.0.0.0", "127.255.255.255"),
            ("169.254.0.0", "169.254.255.255"),
            ("172.16.0.0", "172.31.255.255"),
            ("192.0.0.0", "192.0.0.255"),
            ("192.0.2.0", "192.0.2.255"),
            ("192.88.99.0", "192.88.99.255"),
            ("192.168.0.0", "192.168.255.255"),
            ("198.18.0.0", "198.19.255.255"),
            ("198.51.100.0", "198.51.100.255"),
            ("203.0.113.0", "203.0.113.255"),
            ("224.0.0.0", "255.255.255.255"),
        ] {
            let (first, last): (Ipv4Addr, Ipv4Addr) =
                (first.parse().unwrap(), last.parse().unwrap());
            let filter = AddressFilter::default();
            for refused in [first, last] {
                assert!(!filter.allow(refused.into()), "{refused}");
                // And as IPv6.
                let mapped = refused.to_ipv6_mapped();
                assert!(!filter.allow(mapped.into()), "{mapped}");
                let [a, b, c, d] = refused.octets();
                let pair = |high, low| u16::from_be_bytes([high, low]);
                let (high, low) = (pair(a, b), pair(c, d));
                for wrapped in [
                    Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                    Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low),
                    Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
                    Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, !high, !low),
                    Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
                ] {
                    assert!(!filter.allow(wrapped.into()), "{wrapped}");
                }
            }
            let neighbours = [first.to_bits().checked_sub(1), last.to_bits().checked_add(1)];
            for neighbour in neighbours.into_iter().flatten().map(Ipv4Addr::from_bits) {
                assert!(filter.allow(neighbour.into()), "{neighbour}");
            }
        }
    }

    #[test]
    fn addresses_that_attackers_would_choose_are_refused() {
        for address in [
            "169.254.169.254",
            "100.100.100.200",
            "0.0.0.0",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::808:808",
            "100::1",
            "2001::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:808:808::1",
            "3ffe::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fdff:ffff::1",
            "fe80::1",
            "febf:ffff::1",
            "fec0::1",
            "ff02::1",
            "4000::1",
        ] {
            assert!(!allow(&[], address), "{address}");
        }
    }

    #[test]
    fn the_public_internet_is_allowed() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "172.32.0.1",
            "192.0.1.1",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2003::1",
            "2606:4700:4700::1111",
            "2a00:1450:4001::1",
        ] {
            assert!(allow(&[], address), "{address}");
        }
    }

    #[test]
    fn listed_networks_are_allowed_and_no_others() {
        let listed = ["127.0.0.0/8", "fd00:1::/32"];
        for address in ["127.0.0.1", "::ffff:127.0.0.1", "fd00:1::7"] {
            assert!(allow(&listed, address), "{address}");
        }
        for address in ["::1", "10.0.0.1", "fd00:2::7", "64:ff9b::7f00:1"] {
            assert!(!allow(&listed, address), "{address}");
        }
    }
}
