//! Benchmark of Latchkey: reading phone numbers, the store by itself, the cost of flows over HTTP, latency under
//! load, growth of the database, resident memory, and the times of answers that have to be alike.
//!
//! Every figure stands beside a yardstick measured in the same run, because machines are noisy and
//! only ratios travel: the store beside the disk's bare flush and beside one commit per request, the
//! server beside a bare axum server that answers as many requests.

#![expect(clippy::print_stdout, reason = "a benchmark's output is its report")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

mod alike;
mod client;
mod door;
mod flow;
mod growth;
mod load;
mod memory;
mod numbers;
mod open;
mod process;
mod settings;
mod store;

const PARTS: [&str; 7] = ["numbers", "store", "flow", "open", "memory", "growth", "alike"];

fn main() {
    // The servers beside Latchkey are this program again, so that their CPU time can be told from the load's.
    let arguments: Vec<String> = std::env::args().collect();
    let named = |part: &str| arguments.iter().any(|argument| argument == part);
    if named(process::BARE) {
        return flow::bare::serve();
    }
    if named(process::STAND_IN) {
        return flow::stand_in::serve();
    }
    // `make bench` runs all of it, with smaller numbers than those that can be named.
    let numbers: Vec<usize> = arguments.iter().filter_map(|text| text.parse().ok()).collect();
    let all = !PARTS.into_iter().any(named);
    let part = |name| all || named(name);
    if part("numbers") {
        numbers::measure();
    }
    if part("store") {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(store::measure());
    }
    // One thread makes the load on a server.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        if part("flow") {
            flow::measure(named).await;
        }
        if part("open") {
            open::measure(numbers.first().copied()).await;
        }
        if part("memory") {
            memory::measure(named, numbers.first().copied()).await;
        }
        if part("growth") {
            growth::measure(if numbers.is_empty() { &[300_000] } else { &numbers }).await;
        }
        if part("alike") {
            alike::s9_answers_take_alike_long().await;
        }
    });
}

/// Tells whether a figure is within its limit.
fn verdict(figure: f64, limit: f64) -> String {
    let verdict = if figure <= limit { "kept" } else { "NOT KEPT" };
    format!(" (at most {limit}: {verdict})")
}
