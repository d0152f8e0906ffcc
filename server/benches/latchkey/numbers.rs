//! Time and memory of reading phone numbers of all countries.
//!
//! A number's pattern is compiled when it is first needed and kept, so what strangers can type decides
//! how much memory the server holds.

use std::time::Instant;

use otp::{Recipient, recipient::calling_regions};

const NUMBERS: u32 = 100_000;

pub(crate) fn measure() {
    println!("Phone numbers of all countries, {NUMBERS} of them");
    let regions = calling_regions();
    let before = resident_kb();
    let start = Instant::now();
    let mut accepted = 0;
    for (number, region) in (0..NUMBERS).zip(regions.iter().cycle()) {
        // Digits without a pattern of their own, 7 to 11 of them.
        let digits = u64::from(number).wrapping_mul(6_364_136_223_846_793_005) % 100_000_000_000;
        let length = 7 + number as usize % 5;
        let typed = format!("+{}{:.length$}", region.calling_code, format!("{digits:011}"));
        accepted += u32::from(Recipient::parse(&typed, None, None).is_ok());
    }
    let each = start.elapsed() / NUMBERS;
    let more = resident_kb().saturating_sub(before) / 1024;
    println!("  {accepted} accepted, {each:.1?} each, {more} MB of memory more than before\n");
}

/// Memory of this process that is in use, in kB (Linux).
fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}
