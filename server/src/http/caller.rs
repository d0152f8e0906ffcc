//! Address, browser and language of the caller.
//!
//! Quotas are counted by the caller's address, so a client that could choose it could evade them. It
//! is the peer's, unless the peer is a configured proxy: then `X-Forwarded-For` is read from the right,
//! where the nearest proxy wrote, up to the first address that is no configured proxy (S17). The part
//! that the client writes itself is always further left.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use app::port::{Caller, Door};
use axum::{
    extract::{ConnectInfo, FromRequestParts, Request},
    http::{HeaderMap, HeaderValue, header, request::Parts},
};
use ipnet::IpNet;

use super::Context;

/// Header in which proxies write the addresses that a request came from.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The caller of a request, as an extractor: at the door of our own pages, until a handler knows better.
pub(super) struct From(pub(super) Caller);

impl FromRequestParts<Arc<Context>> for From {
    type Rejection = Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        context: &Arc<Context>,
    ) -> Result<Self, Infallible> {
        // There is no connection in some tests.
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(peer)| peer.ip());
        let address = address(peer, &parts.headers, &context.web.trusted_proxies);
        let user_agent = parts.headers.get(header::USER_AGENT).map(HeaderValue::as_bytes);
        let user_agent = String::from_utf8_lossy(user_agent.unwrap_or_default()).into_owned();
        let language = parts.headers.get(header::ACCEPT_LANGUAGE);
        let locale = locale(context, language);
        let work = String::new();
        Ok(Self(Caller { address, user_agent, locale, door: Door::Page, work }))
    }
}

/// Warns once of a proxy on this machine, or in a private network, that is not listed: everybody behind it
/// shares the limits of one address.
pub(super) fn notice_proxy(request: &Request, context: &Context) {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let Some(peer) = peer.map(|ConnectInfo(peer)| peer.ip().to_canonical()) else { return };
    let is_listed = is_trusted(&context.web.trusted_proxies, &peer);
    let is_near = match peer {
        IpAddr::V4(peer) => peer.is_loopback() || peer.is_private(),
        IpAddr::V6(peer) => peer.is_loopback() || peer.is_unique_local(),
    };
    if is_near && !is_listed && request.headers().contains_key(FORWARDED_FOR) {
        context.unlisted_proxy.call_once(|| {
            tracing::warn!(
                %peer,
                "a proxy that sends X-Forwarded-For is not in server.trusted_proxies, so all its \
                 requests share the limits of one address"
            );
        });
    }
}

/// The language of the answer, negotiated from `Accept-Language`.
pub(super) fn locale(context: &Context, wanted: Option<&HeaderValue>) -> String {
    context.web.catalogue.negotiate(wanted.and_then(|value| value.to_str().ok()))
}

/// The first address from the right that is no `trusted` proxy.
fn address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    // `::ffff:192.0.2.1` and `192.0.2.1` are one caller.
    let mut nearest = peer.to_canonical();
    let lines = headers.get_all(FORWARDED_FOR).iter().rev();
    let mut hops = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
    while is_trusted(trusted, &nearest) {
        // An unreadable entry ends the walk: everybody behind that proxy shares its quota rather than
        // escaping it.
        match hops.next().and_then(hop) {
            Some(next) => nearest = next,
            None => break,
        }
    }
    nearest
}

fn is_trusted(trusted: &[IpNet], address: &IpAddr) -> bool {
    trusted.iter().any(|network| network.contains(address))
}

/// One entry: an address, possibly with a port, IPv6 possibly in brackets.
fn hop(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headers(lines: &[&str]) -> HeaderMap {
        let values = lines.iter().map(|line| HeaderValue::from_bytes(line.as_bytes()).unwrap());
        values.map(|value| ("x-forwarded-for".parse().unwrap(), value)).collect()
    }

    fn walk(peer: &str, lines: &[&str]) -> String {
        let trusted = ["10.0.0.0/8", "2001:db8:1::/48"].map(|network| network.parse().unwrap());
        address(peer.parse().unwrap(), &headers(lines), &trusted).to_string()
    }

    #[test]
    fn s17_a_stranger_s_forwarded_for_is_not_believed() {
        assert_eq!(walk("192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
    }

    #[test]
    fn s17_the_walk_stops_at_the_first_address_no_proxy_vouches_for() {
        assert_eq!(walk("10.0.0.1", &["198.51.100.7, 192.0.2.9"]), "192.0.2.9");
        assert_eq!(walk("10.0.0.1", &["198.51.100.7, 192.0.2.9, 10.0.0.2"]), "192.0.2.9");
        assert_eq!(walk("10.0.0.1", &["198.51.100.7", "192.0.2.9", "10.0.0.2"]), "192.0.2.9");
        assert_eq!(walk("2001:db8:1::5", &["2001:db8:2::1"]), "2001:db8:2::1");
    }

    #[test]
    fn s17_mapped_addresses_are_folded() {
        assert_eq!(walk("::ffff:192.0.2.1", &[]), "192.0.2.1");
        assert_eq!(walk("::ffff:10.0.0.1", &["::ffff:192.0.2.1"]), "192.0.2.1");
    }

    #[test]
    fn ports_and_brackets_are_read() {
        assert_eq!(walk("10.0.0.1", &["192.0.2.9:4711"]), "192.0.2.9");
        assert_eq!(walk("10.0.0.1", &["[2001:db8::9]"]), "2001:db8::9");
        assert_eq!(walk("10.0.0.1", &["[2001:db8::9]:4711"]), "2001:db8::9");
    }

    #[test]
    fn what_cannot_be_read_ends_the_walk() {
        assert_eq!(walk("10.0.0.1", &["192.0.2.9, unknown"]), "10.0.0.1");
        assert_eq!(walk("10.0.0.1", &["192.0.2.9, , 10.0.0.2"]), "10.0.0.2");
        assert_eq!(walk("10.0.0.1", &[]), "10.0.0.1");
    }

    proptest! {
        /// The proxy's own entry decides, whatever a client writes.
        #[test]
        fn s17_a_forged_header_changes_nothing(forged in "[ -~]{0,80}", real: [u8; 4]) {
            let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
            let real = IpAddr::from(real);
            prop_assume!(!trusted[0].contains(&real));
            let peer = "10.0.0.1".parse().unwrap();

            let one_line = headers(&[&format!("{forged},{real}")]);
            let two_lines = headers(&[&forged, &real.to_string()]);

            prop_assert_eq!(address(peer, &one_line, &trusted), real);
            prop_assert_eq!(address(peer, &two_lines, &trusted), real);
        }

        #[test]
        fn s17_without_proxies_the_peer_is_the_caller(
            forged in proptest::collection::vec(0x20_u8..=0xff, 0..80),
            peer: [u8; 4],
        ) {
            prop_assume!(!forged.contains(&0x7f));
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", HeaderValue::from_bytes(&forged).unwrap());
            let peer = IpAddr::from(peer);
            prop_assert_eq!(address(peer, &headers, &[]), peer);
            // And with a proxy, anything at all is survived.
            address(peer, &headers, &["0.0.0.0/0".parse().unwrap()]);
        }
    }
}
