//! Memory of a server that is asked for codes for many recipients from many addresses (S29): they are in the
//! database, not in memory.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Instant,
};

use crate::{
    client::{Client, FORM},
    load,
    process::Process,
};

const CONNECTIONS: usize = 16;
/// Parts after each of which memory is looked at.
const PARTS: usize = 10;
/// Growth from the first part to the last that is tolerated, in MiB.
const TOLERATED: f64 = 64.0;

pub(super) async fn s29_memory_does_not_grow_with_recipients_and_addresses(number: usize) {
    println!("Memory, {number} recipients, each asked for from an address of its own");
    let server = Process::latchkey(&[
        ("LATCHKEY_SERVER__MODE", "development"),
        ("LATCHKEY_SERVER__TRUSTED_PROXIES", "127.0.0.0/8"),
        ("LATCHKEY_SERVER__DEVELOPMENT_HOSTS", "127.0.0.1"),
    ]);
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        clients.push(Client::connect(server.address()).await);
    }
    let start = Instant::now();
    let mut first = 0.0;
    for part in 0..PARTS {
        let numbers = number / PARTS * part..number / PARTS * (part + 1);
        load::each(&mut clients, numbers.len(), async |client, offset| {
            begin(client, u32::try_from(numbers.start + offset).expect("some millions")).await;
        })
        .await;
        let (memory, seconds) = (server.memory(), start.elapsed().as_secs());
        first = if part == 0 { memory } else { first };
        println!(
            "  {} after {seconds} s: {memory:.1} MiB of memory, {:.1} MiB of database",
            numbers.end,
            server.database()
        );
        let growth = memory - first;
        assert!(growth < TOLERATED, "memory grows with recipients and addresses, by {growth} MiB");
    }
}

/// Asks for a code for a recipient of this number, as a browser behind a proxy.
async fn begin(client: &mut Client, number: u32) {
    client.carry("x-forwarded-for", &address(number).to_string());
    let form = format!("channel=email&email=m{number}%40example.com");
    let answer = client.post("/", FORM, &form).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
}

/// An address that shares no network with the others: of IPv6 the first 48 bits differ, of IPv4 the first 24 of
/// most.
fn address(number: u32) -> IpAddr {
    // Odd, so that no two numbers give the same.
    let spread = number.wrapping_mul(2_654_435_761);
    if number.is_multiple_of(2) {
        Ipv6Addr::from_bits(0x2a00 << 112 | u128::from(spread) << 80 | 1).into()
    } else {
        // None of 127.0.0.0/8, which are proxies.
        let [a, b, c, d] = spread.to_be_bytes();
        Ipv4Addr::new(if a == 127 { 1 } else { a }, b, c, d).into()
    }
}
