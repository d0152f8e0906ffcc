//! Open connections: how many there may be, and which one is closed when there are too many.
//!
//! A new connection is always taken. Many people share an address, so refusing the ones beyond a limit
//! would let one of them keep out the others with idle connections. Instead the connection that has been
//! silent longest is closed: of the same address if that has too many, of all if there are too many in
//! all (S36). Only the whole header of a request ends a silence; single bytes do not, or a client could
//! hold a connection by sending its header lines drop by drop.
//!
//! Connections that have not sent a request yet are more than half of all only until others need the room:
//! then they go first. So connections that are merely opened take no place of those that are used, and those
//! that are used leave newcomers the time to send a request.
//!
//! The order of the last requests stands for the time, so nothing here reads a clock.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
};

use ipnet::{IpNet, Ipv6Net};

/// Prefix length of the IPv6 networks that count as one address, as for the other limits.
const IPV6_PREFIX: u8 = 64;

/// Limits on open connections.
#[derive(Clone, Debug)]
pub struct ConnectionLimits {
    /// In all.
    pub total: usize,
    /// From one address; of IPv6 from one network of 64 bits.
    pub per_address: usize,
    /// Proxies, which bring everybody's connections and have no limit of their own.
    pub trusted_proxies: Vec<IpNet>,
}

/// Place of a connection: those without a request first, then in the order of the last requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    was_heard: bool,
    number: u64,
}

/// The open connections, each with a handle `H` by which it can be closed.
pub(super) struct Connections<H> {
    limits: ConnectionLimits,
    next: u64,
    /// All of them, the one that has been silent longest first.
    open: BTreeMap<Turn, Connection<H>>,
    /// Those that have a limit of their address.
    by_address: HashMap<IpNet, BTreeSet<Turn>>,
}

struct Connection<H> {
    /// `None` for a trusted proxy.
    address: Option<IpNet>,
    handle: H,
}

impl<H> Connections<H> {
    pub(super) fn new(limits: ConnectionLimits) -> Self {
        Self { limits, next: 0, open: BTreeMap::new(), by_address: HashMap::new() }
    }

    /// Adds a connection. Returns its turn, and the handle of the connection that is to be closed for it,
    /// which is no longer counted.
    pub(super) fn open(&mut self, peer: IpAddr, handle: H) -> (Turn, Option<H>) {
        let peer = peer.to_canonical();
        let is_trusted = self.limits.trusted_proxies.iter().any(|network| network.contains(&peer));
        let address = (!is_trusted).then(|| network(peer));
        let of_address = address.and_then(|address| {
            let turns = self.by_address.get(&address)?;
            let is_full = turns.len() >= self.limits.per_address;
            is_full.then(|| silent_longest(turns.iter(), self.limits.per_address)).flatten()
        });
        let silent = of_address.or_else(|| {
            let is_full = self.open.len() >= self.limits.total;
            is_full.then(|| silent_longest(self.open.keys(), self.limits.total)).flatten()
        });
        let closed = silent.and_then(|turn| self.remove(turn)).map(|connection| connection.handle);
        (self.add(Connection { address, handle }, false), closed)
    }

    /// Notes that a connection has sent a whole request, and returns its new turn. One that was closed for
    /// another keeps its old turn, which means nothing any more.
    pub(super) fn heard(&mut self, turn: Turn) -> Turn {
        match self.remove(turn) {
            Some(connection) => self.add(connection, true),
            None => turn,
        }
    }

    /// Removes a connection that has ended, if it was not removed before.
    pub(super) fn close(&mut self, turn: Turn) {
        self.remove(turn);
    }

    fn add(&mut self, connection: Connection<H>, was_heard: bool) -> Turn {
        let turn = Turn { was_heard, number: self.next };
        self.next += 1;
        if let Some(address) = connection.address {
            self.by_address.entry(address).or_default().insert(turn);
        }
        self.open.insert(turn, connection);
        turn
    }

    fn remove(&mut self, turn: Turn) -> Option<Connection<H>> {
        let connection = self.open.remove(&turn)?;
        if let Some(address) = connection.address
            && let Some(turns) = self.by_address.get_mut(&address)
        {
            turns.remove(&turn);
            if turns.is_empty() {
                self.by_address.remove(&address);
            }
        }
        Some(connection)
    }
}

/// The connection to close, of as many as the limit allows.
fn silent_longest<'a>(
    mut turns: impl Iterator<Item = &'a Turn> + Clone,
    limit: usize,
) -> Option<Turn> {
    let first = *turns.clone().next()?;
    let newcomers = turns.clone().take_while(|turn| !turn.was_heard).take(limit / 2 + 1).count();
    if newcomers > limit / 2 {
        return Some(first);
    }
    let heard = turns.find(|turn| turn.was_heard);
    heard.copied().into_iter().chain([first]).min_by_key(|turn| turn.number)
}

/// The addresses that are counted as one.
fn network(peer: IpAddr) -> IpNet {
    match peer {
        IpAddr::V4(_) => peer.into(),
        IpAddr::V6(address) => Ipv6Net::new_assert(address, IPV6_PREFIX).trunc().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connections(total: usize, per_address: usize) -> Connections<&'static str> {
        let trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
        Connections::new(ConnectionLimits { total, per_address, trusted_proxies })
    }

    /// Opens a connection; returns its turn and the one that was closed for it.
    fn open(
        connections: &mut Connections<&'static str>,
        peer: &str,
        name: &'static str,
    ) -> (Turn, Option<&'static str>) {
        connections.open(peer.parse().unwrap(), name)
    }

    #[test]
    fn s36_over_the_limit_of_an_address_its_own_connection_that_was_silent_longest_is_closed() {
        let mut all = connections(100, 2);
        open(&mut all, "192.0.2.9", "other");
        open(&mut all, "192.0.2.1", "first");
        open(&mut all, "192.0.2.1", "second");

        assert_eq!(open(&mut all, "192.0.2.1", "third").1, Some("first"));
        assert_eq!(open(&mut all, "192.0.2.1", "fourth").1, Some("second"));
        assert_eq!(all.open.len(), 3);
    }

    #[test]
    fn s36_over_the_limit_of_all_the_connection_that_was_silent_longest_is_closed() {
        let mut all = connections(2, 2);
        let (first, _) = open(&mut all, "192.0.2.1", "first");
        open(&mut all, "192.0.2.2", "second");
        all.heard(first);

        let (third, closed) = open(&mut all, "192.0.2.3", "third");
        assert_eq!(closed, Some("second"));
        all.heard(third);
        assert_eq!(open(&mut all, "192.0.2.4", "fourth").1, Some("first"));
        assert_eq!(all.open.len(), 2);
    }

    #[test]
    fn s36_connections_without_a_request_are_closed_before_those_that_are_used() {
        for (total, per_address) in [(3, 100), (100, 3)] {
            let mut all = connections(total, per_address);
            let (used, _) = open(&mut all, "192.0.2.1", "used");
            all.heard(used);
            open(&mut all, "192.0.2.1", "first");
            open(&mut all, "192.0.2.1", "second");
            let closed = ["third", "fourth"].map(|name| open(&mut all, "192.0.2.1", name).1);
            assert_eq!(closed, [Some("first"), Some("second")]);
        }
    }

    #[test]
    fn s36_connections_that_are_used_leave_a_newcomer_the_time_to_send_a_request() {
        let mut all = connections(4, 4);
        for name in ["first", "second", "third"] {
            let (turn, _) = open(&mut all, "192.0.2.1", name);
            all.heard(turn);
        }
        open(&mut all, "192.0.2.1", "newcomer");
        for closed in ["first", "second", "third"] {
            let (turn, silent) = open(&mut all, "192.0.2.1", "next");
            all.heard(turn);
            assert_eq!(silent, Some(closed));
        }
    }

    #[test]
    fn s36_an_address_over_its_limit_costs_nobody_else_a_connection() {
        let mut all = connections(3, 2);
        open(&mut all, "192.0.2.9", "other");
        open(&mut all, "192.0.2.1", "first");
        for name in ["second", "third", "fourth", "fifth"] {
            assert_ne!(open(&mut all, "192.0.2.1", name).1, Some("other"));
        }
    }

    #[test]
    fn s36_a_trusted_proxy_has_no_limit_but_that_of_all() {
        let mut all = connections(3, 1);
        for name in ["first", "second", "third"] {
            assert_eq!(open(&mut all, "10.0.0.1", name).1, None);
        }
        assert_eq!(open(&mut all, "::ffff:10.0.0.1", "fourth").1, Some("first"));
    }

    #[test]
    fn s36_mapped_addresses_are_folded_and_of_ipv6_the_first_64_bits_count() {
        for (one, another, is_one) in [
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.2", false),
            ("2001:db8::1", "2001:db8::ffff:0:0:2", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
        ] {
            let mut all = connections(100, 1);
            open(&mut all, one, "first");
            let closed = open(&mut all, another, "second").1;
            assert_eq!(closed, is_one.then_some("first"), "{one} {another}");
        }
    }

    #[test]
    fn a_connection_that_has_ended_is_not_counted_and_one_that_was_closed_stays_so() {
        let mut all = connections(100, 1);
        let (first, _) = open(&mut all, "192.0.2.1", "first");
        all.close(first);
        all.close(first);
        let (second, closed) = open(&mut all, "192.0.2.1", "second");
        assert_eq!(closed, None);
        let (third, closed) = open(&mut all, "192.0.2.1", "third");
        assert_eq!(closed, Some("second"));

        assert_eq!(all.heard(second), second);
        all.close(second);
        assert_eq!(all.open.len(), 1);
        let third = all.heard(third);
        all.close(third);
        assert_eq!(all.open.len(), 0);
        assert!(all.by_address.is_empty());
    }
}
