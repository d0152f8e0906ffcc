//! Time and memory of reading phone numbers of all countries.
//!
//! A number's pattern is compiled when it is first needed and kept, so what strangers can type decides
//! how much memory the server holds.

use std::time::Instant;

use otp::{Recipient, recipient::calling_regions};

const NUMBERS: u32 = 100_000;

pub(crate) fn measure() {
    println!("Phone numbers of all countries, {NUMBERS} of them");
    let before = resident_kb();
    let start = Instant::now();
    let mut accepted = 0;
    for (_, typed) in (0..NUMBERS).zip(typed()) {
        accepted += u32::from(Recipient::parse(&typed, None, None).is_ok());
    }
    let each = start.elapsed() / NUMBERS;
    let more = resident_kb().saturating_sub(before) / 1024;
    println!("  {accepted} accepted, {each:.1?} each, {more} MB of memory more than before\n");
}

/// Numbers of all countries in turn, most of which are no numbers of their country's plan.
pub(crate) fn typed() -> impl Iterator<Item = String> {
    let regions = calling_regions();
    (0_u64..).map(move |number| {
        let index = usize::try_from(number).unwrap_or_default();
        let code = regions[index % regions.len()].calling_code;
        // Digits without a pattern of their own, 7 to 11 of them.
        let digits = number.wrapping_mul(6_364_136_223_846_793_005) % 100_000_000_000;
        let length = 7 + index % 5;
        format!("+{code}{:.length$}", format!("{digits:011}"))
    })
}

/// Memory of this process that is in use, in kB (Linux).
fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}
