//! The cost of a flow beside many stored verifications, their size on the disk, and the cost of dropping them.

mod fill;

use std::time::{Duration, Instant};

use otp::Timestamp;
use server::{
    keyring::Keyring,
    store::{SqliteStore, Store},
};

use crate::{
    flow::{self, Answers, Cost, Running, kinds::INBOX, micros_each},
    process::cpu_of,
    verdict,
};

/// Verifications that the yardstick holds when it begins, each of a flow of its own.
const FEW: usize = 10_000;
/// Verifications whose rows are copied.
const ORIGINALS: usize = 1000;
/// Expired verifications that are dropped.
const EXPIRED: usize = 100_000;
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Most that a flow may cost beside many verifications, in units of its cost beside few.
const LIMIT: f64 = 1.3;

/// Compares a server that holds each of these numbers with one that holds few.
pub(crate) async fn measure(numbers: &[usize]) {
    let mut few = Running::start(&INBOX).await;
    let before = fill::rows(&few.server.data());
    few.run(FEW).await;
    let bytes = fill::rows(&few.server.data()).bytes_each_since(&before);
    println!(
        "Growth\n  {bytes:.0} bytes on the disk for a verification and its recipient's counters"
    );
    let mut many = Running::start(&INBOX).await;
    many.run(ORIGINALS).await;
    let folder = many.server.data();
    for number in numbers {
        many.server.stop();
        let start = Instant::now();
        let added = number.saturating_sub(fill::rows(&folder).verifications);
        fill::fill(&folder, added, now() - HOUR * 12, HOUR * 11);
        let (time, megabytes) = (start.elapsed(), fill::rows(&folder).bytes / 1_000_000);
        many.server.start_again();
        many.reconnect().await;
        few.reconnect().await;
        let Cost { flow, yardstick, ratio, range: [least, greatest] } =
            flow::cost(&mut many, &mut few).await;
        println!(
            "  beside {number} stored ({megabytes} MB, filled in {time:.0?}): {flow:.1} us a flow, beside \
             {FEW} {yardstick:.1} us, ratio {ratio:.2} ({least:.2} to {greatest:.2}){}",
            verdict(ratio, LIMIT)
        );
    }
    many.server.stop();
    fill::fill(&folder, EXPIRED, now() - DAY * 3, DAY);
    let keyring = Keyring::read(&folder.join("latchkey.keys")).expect("a key file");
    let store = SqliteStore::open(&folder.join(fill::DATABASE), &keyring.expect("its keys"));
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
