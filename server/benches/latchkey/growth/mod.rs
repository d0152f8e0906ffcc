//! The cost of a flow beside many stored verifications, their size on the disk, and the cost of dropping them.

mod fill;

use std::time::{Duration, Instant};

use otp::Timestamp;
use server::{
    keyring::Keyring,
    store::{SqliteStore, Store},
};

use crate::{
    flow::{self, Cost, Running, bare::Bare, kinds::INBOX, micros_each},
    process::cpu_of,
    verdict,
};

/// Stored verifications of the first measurement, each of a flow of its own.
const FIRST: usize = 10_000;
/// Expired verifications that are dropped.
const EXPIRED: usize = 100_000;
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Most that a flow may cost beside many verifications, in units of its cost beside few.
const LIMIT: f64 = 1.3;

/// Measures beside 10,000 verifications and beside each of these numbers.
pub(crate) async fn measure(numbers: &[usize]) {
    let mut running = Running::start(&INBOX).await;
    let mut bare = Bare::start().await;
    let before = fill::rows(&running.server.data());
    running.run(FIRST).await;
    let first = fill::rows(&running.server.data());
    println!(
        "Growth\n  {:.0} bytes on the disk for a verification, with the counters of its recipient",
        first.bytes_each_since(&before)
    );
    let few = flow::cost(&mut running, &mut bare).await.ratio;
    println!("  beside {FIRST} stored: {few:.2} times the bare server");
    for number in numbers {
        running.server.stop();
        let folder = running.server.data();
        let (start, stored) = (Instant::now(), fill::rows(&folder).verifications);
        let added = number.saturating_sub(stored);
        fill::fill(&folder, added, now() - HOUR * 12, HOUR * 11);
        let (time, megabytes) = (start.elapsed(), fill::rows(&folder).bytes / 1_000_000);
        running.start_again().await;
        let Cost { flow, ratio, .. } = flow::cost(&mut running, &mut bare).await;
        println!(
            "  beside {number} stored ({megabytes} MB, filled in {time:.0?}): {flow:.1} us, {ratio:.2} \
             times the bare server; beside {FIRST} it was {:.2} times as much{}",
            ratio / few,
            verdict(ratio / few, LIMIT)
        );
    }
    running.server.stop();
    let folder = running.server.data();
    fill::fill(&folder, EXPIRED, now() - DAY * 3, DAY);
    let keyring = Keyring::read(&folder.join("latchkey.keys")).expect("a key file");
    let store = SqliteStore::open(&folder.join("latchkey.db"), &keyring.expect("its keys"));
    sweep(&store.expect("a store")).await;
}

/// Sweeps until nothing that has expired is left.
async fn sweep(store: &SqliteStore) {
    let (mut dropped, mut longest) = (0, Duration::ZERO);
    let (start, cpu) = (Instant::now(), cpu_of(std::process::id()));
    loop {
        let begun = Instant::now();
        let swept = store.sweep(now(), DAY).await.expect("swept");
        longest = longest.max(begun.elapsed());
        dropped += swept.verifications;
        if !swept.more {
            break;
        }
    }
    let (time, cpu) = (start.elapsed(), cpu_of(std::process::id()).saturating_sub(cpu));
    assert_eq!(dropped, EXPIRED);
    println!(
        "  dropping {dropped} expired: {:.1} us each, {:.1} us of CPU; the longest sweep kept the writer \
         for {longest:.1?}",
        micros_each(time, dropped),
        micros_each(cpu, dropped)
    );
}

fn now() -> Timestamp {
    let since = std::time::UNIX_EPOCH.elapsed().expect("after 1970");
    Timestamp::from_millis(u64::try_from(since.as_millis()).expect("before the year 10000"))
}
