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

const CONNECTIONS: u32 = 16;
/// Parts after each of which memory is looked at.
const PARTS: u32 = 10;
/// Growth from the first part to the last that is tolerated, in kB.
const TOLERATED: u64 = 64 * 1024;

pub(crate) async fn s29_memory_does_not_grow_with_recipients_and_addresses(number: u32) {
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
    let mut first = 0;
    for part in 0..PARTS {
        let numbers = number / PARTS * part..number / PARTS * (part + 1);
        load::each(&mut clients, numbers.len(), async |client, offset| {
            begin(client, numbers.start + u32::try_from(offset).expect("some thousand")).await;
        })
        .await;
        let (memory, seconds) = (server.memory(), start.elapsed().as_secs());
        first = if part == 0 { memory } else { first };
        println!(
            "  {} after {seconds} s: {:.1} MB of memory, {:.1} MB of database",
            numbers.end,
            megabytes(memory),
            megabytes(server.database())
        );
        let growth = memory.saturating_sub(first);
        assert!(growth < TOLERATED, "memory grows with recipients and addresses, by {growth} kB");
    }
}

#[expect(clippy::cast_precision_loss, reason = "kB of memory")]
fn megabytes(kilobytes: u64) -> f64 {
    kilobytes as f64 / 1024.0
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
