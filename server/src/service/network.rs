//! Networks that an address is counted in.
//!
//! A rented server or line comes with a whole network of addresses, so each limit on an address holds for
//! the networks around it too, some times over: they are shared by others.

use std::net::IpAddr;

/// A network: the first octets of its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Network {
    /// The octets.
    pub(super) octets: Vec<u8>,
    /// Number of times that it may use up the limit on one address.
    pub(super) times: u32,
}

/// Networks that `address` is counted in, narrowest first: of IPv4 the address and its /24; of IPv6 its /64,
/// /56 and /48, since the owner of a /64 can choose any address in it (S17).
pub(super) fn networks(address: IpAddr) -> Vec<Network> {
    let of = |octets: &[u8], tiers: &[(usize, u32)]| {
        let network = |(length, times): &(usize, u32)| Network {
            octets: octets[..*length].to_vec(),
            times: *times,
        };
        tiers.iter().map(network).collect()
    };
    match address.to_canonical() {
        IpAddr::V4(address) => of(&address.octets(), &[(4, 1), (3, 8)]),
        IpAddr::V6(address) => of(&address.octets(), &[(8, 1), (7, 2), (6, 8)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(one: &str, other: &str) -> usize {
        let [one, other] = [one, other].map(|address| networks(address.parse().unwrap()));
        one.iter().filter(|network| other.contains(network)).count()
    }

    #[test]
    fn s17_callers_are_told_apart_by_network_and_not_by_ipv6_host() {
        assert_eq!(shared("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"), 3);
        assert_eq!(shared("2001:db8:1:2::1", "2001:db8:1:3::1"), 2);
        assert_eq!(shared("2001:db8:1:2::1", "2001:db8:1:102::1"), 1);
        assert_eq!(shared("2001:db8:1:2::1", "2001:db8:2:2::1"), 0);
        assert_eq!(shared("::ffff:192.0.2.1", "192.0.2.1"), 2);
        assert_eq!(shared("192.0.2.1", "192.0.2.2"), 1);
        assert_eq!(shared("192.0.2.1", "192.0.3.1"), 0);
    }
}
