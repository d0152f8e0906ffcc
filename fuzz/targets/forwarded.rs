//! `X-Forwarded-For`, one header line for each line of the input.
#![cfg_attr(fuzzing, no_main)]

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderValue};
use ipnet::IpNet;
use server::http::caller_address;

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| holds(data));

const HEADER: &str = "x-forwarded-for";

pub(crate) fn holds(data: &[u8]) {
    let trusted: [IpNet; 2] =
        ["10.0.0.0/8", "2001:db8:1::/48"].map(|network| network.parse().expect("a network"));
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    let proxy = IpAddr::from([10, 0, 0, 1]);
    let stranger = IpAddr::from([203, 0, 113, 9]);
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n') {
        let Ok(value) = HeaderValue::from_bytes(line) else { return };
        headers.append(HEADER, value);
    }

    assert_eq!(caller_address(stranger, &headers, &trusted), stranger);
    assert_eq!(caller_address(proxy, &headers, &[]), proxy);

    let walked = caller_address(proxy, &headers, &trusted);
    assert_eq!(walked, walked.to_canonical());
    let named = data.split(|byte| b",\n".contains(byte)).filter_map(entry);
    let mut named: Vec<_> = named.collect();
    named.push(proxy);
    assert!(named.contains(&walked), "{walked} is neither the peer nor in the header");
    // Beyond an address that is no proxy nothing is read.
    let last = data.rsplit(|byte| b",\n".contains(byte)).next().and_then(entry);
    if let Some(last) = last.filter(|last| !is_trusted(*last)) {
        assert_eq!(walked, last);
    }

    // The entry of the proxy itself decides, in a line of its own or behind the others.
    let mut own_line = headers.clone();
    own_line.append(HEADER, HeaderValue::from_static("203.0.113.9"));
    assert_eq!(caller_address(proxy, &own_line, &trusted), stranger);
    let mut joined: Vec<u8> =
        data.iter().map(|byte| if *byte == b'\n' { b',' } else { *byte }).collect();
    joined.extend(b", 203.0.113.9");
    let mut same_line = HeaderMap::new();
    same_line.append(HEADER, HeaderValue::from_bytes(&joined).expect("no line break"));
    assert_eq!(caller_address(proxy, &same_line, &trusted), stranger);
}

/// An entry as it has to be understood.
fn entry(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let socket = || text.parse::<std::net::SocketAddr>().ok().map(|socket| socket.ip());
    let address = inner.unwrap_or(text).parse().ok().or_else(socket)?;
    Some(address.to_canonical())
}
