//! Requests that development mode answers (S32).
//!
//! It shows every code and has well-known keys, so it is for the machine that it runs on. A server behind
//! a proxy that was left in development mode by mistake looks like one on a developer's desk: both listen
//! on a loopback address. The requests differ. Those that a proxy forwards name the public host, or say
//! that they were forwarded, or come as HTTP/1.0, which no browser speaks and some proxies speak by
//! default. Pages that have their own name resolved to a loopback address (DNS rebinding) send that name.

use std::net::{IpAddr, SocketAddr};

use app::error::ApiError;
use axum::{
    extract::{ConnectInfo, Request},
    http::{HeaderMap, Version, header, uri::Authority},
};

use super::problem::Problem;

/// Headers that proxies and content delivery networks add.
const FORWARDED: [&str; 9] = [
    "cdn-loop",
    "client-ip",
    "forwarded",
    "front-end-https",
    "max-forwards",
    "true-client-ip",
    "via",
    "x-real-ip",
    "x-request-id",
];

/// First parts of the names of further ones.
const FORWARDED_BY: [&str; 8] =
    ["cf-", "fly-", "x-amzn-", "x-client-", "x-cluster-", "x-envoy-", "x-forwarded", "x-original-"];

/// Allows requests from this machine to this machine that were not forwarded, and those to one of the
/// `listed` hosts, from wherever they come.
///
/// # Errors
///
/// The request is none of these.
pub(super) fn demand(request: &Request, listed: &[String]) -> Result<(), Problem> {
    let headers = request.headers();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).and_then(host_of);
    if host.as_ref().is_some_and(|host| listed.contains(host)) {
        return Ok(());
    }
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let is_from_here = peer.is_some_and(|ConnectInfo(peer)| is_loopback(peer.ip()));
    let is_to_here = host.is_some_and(|host| names_this_machine(&host));
    let is_direct = !is_forwarded(headers) && request.version() >= Version::HTTP_11;
    if is_from_here && is_to_here && is_direct {
        Ok(())
    } else {
        Err(ApiError::DevelopmentOnly.into())
    }
}

/// The host of a `Host` header in lower case, without port and brackets.
fn host_of(named: &str) -> Option<String> {
    let authority = named.parse::<Authority>().ok().filter(|_| !named.contains('@'))?;
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    Some(host.to_ascii_lowercase())
}

fn names_this_machine(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(address) => is_loopback(address),
        // Browsers resolve all names below `localhost` to this machine (RFC 6761).
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

fn is_forwarded(headers: &HeaderMap) -> bool {
    let mut names = headers.keys().map(axum::http::HeaderName::as_str);
    names.any(|name| {
        FORWARDED.contains(&name) || FORWARDED_BY.iter().any(|first| name.starts_with(first))
    })
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    const LAN: [u8; 4] = [192, 168, 1, 20];

    fn request(peer: [u8; 4], host: &str) -> Request {
        let peer = ConnectInfo(SocketAddr::from((peer, 4711)));
        Request::get("/dev/inbox").header("host", host).extension(peer).body(Body::empty()).unwrap()
    }

    fn is_answered(peer: [u8; 4], host: &str) -> bool {
        let listed = ["192.168.1.5".to_owned(), "desk.example".to_owned()];
        demand(&request(peer, host), &listed).is_ok()
    }

    fn is_answered_with(name: &str, value: &str) -> bool {
        let mut request = request([127, 0, 0, 1], "localhost:3000");
        let name: axum::http::HeaderName = name.parse().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
        demand(&request, &[]).is_ok()
    }

    #[test]
    fn s32_a_request_has_to_name_this_machine() {
        for host in [
            "localhost",
            "localhost:3000",
            "LOCALHOST:1",
            "otp.localhost:3000",
            "127.0.0.1:3000",
            "127.1.2.3",
            "[::1]:3000",
            "[::1]",
            "[::ffff:127.0.0.1]:3000",
        ] {
            assert!(is_answered([127, 0, 0, 1], host), "{host}");
        }
        for host in [
            "otp.example.com",
            "localhost.evil.example",
            "evillocalhost",
            "127.0.0.1.evil.example",
            "127.0.0.1@evil.example",
            "evil.example@127.0.0.1",
            "localhost, evil.example",
            "0.0.0.0:3000",
            "192.168.1.6",
            "[2001:db8::1]",
            "2130706433",
            "0x7f.1",
            "",
        ] {
            assert!(!is_answered([127, 0, 0, 1], host), "{host}");
        }
    }

    #[test]
    fn s32_a_request_has_to_come_from_this_machine() {
        for host in ["localhost:3000", "127.0.0.1:3000"] {
            assert!(!is_answered(LAN, host), "{host}");
        }
    }

    #[test]
    fn s32_a_request_that_was_forwarded_is_refused() {
        for (name, value) in [
            ("x-forwarded-for", "192.0.2.1"),
            ("X-Forwarded-Proto", "https"),
            ("x-forwarded-host", ""),
            ("forwarded", "for=192.0.2.1"),
            ("via", "1.1 proxy"),
            ("x-real-ip", "192.0.2.1"),
            ("CF-Connecting-IP", "192.0.2.1"),
            ("Fly-Client-IP", "192.0.2.1"),
            ("True-Client-IP", "192.0.2.1"),
            ("X-Client-IP", "192.0.2.1"),
            ("X-Cluster-Client-IP", "192.0.2.1"),
            ("X-Envoy-External-Address", "192.0.2.1"),
            ("X-Forwarded", "for=192.0.2.1"),
            ("X-Original-Host", "otp.example.com"),
            ("X-Amzn-Trace-Id", "Root=1"),
            ("X-Request-ID", "1"),
            ("CDN-Loop", "cdn"),
        ] {
            assert!(!is_answered_with(name, value), "{name}");
        }
        assert!(is_answered_with("accept", "text/html"));
        let mut old = request([127, 0, 0, 1], "127.0.0.1:3000");
        *old.version_mut() = Version::HTTP_10;
        assert!(demand(&old, &[]).is_err());
    }

    #[test]
    fn s32_listed_hosts_are_answered_wherever_a_request_comes_from() {
        for host in ["192.168.1.5", "192.168.1.5:3000", "Desk.example:3000"] {
            assert!(is_answered(LAN, host), "{host}");
        }
        for host in ["192.168.1.50", "desk.example.evil.example"] {
            assert!(!is_answered(LAN, host), "{host}");
        }
    }
}
