//! Benchmark of Latchkey: reading phone numbers, the store by itself, the whole flow over HTTP, the times of
//! answers that have to be alike, and memory under many recipients and addresses.
//!
//! Every figure stands beside a yardstick measured in the same run, because machines are noisy and
//! only ratios travel: the store beside the disk's bare flush and beside one commit per request, the
//! server beside a bare axum server that answers as many requests.

#![expect(clippy::print_stdout, reason = "a benchmark's output is its report")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

mod alike;
mod client;
mod flow;
mod memory;
mod numbers;
mod process;
mod store;

fn main() {
    // The bare server is this program again, so that its CPU time can be told from the load's.
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.iter().any(|argument| argument == process::BARE) {
        return flow::bare::serve();
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    // `make bench` runs all of it; a name runs that part alone.
    let named = |part| arguments.iter().any(|argument| argument == part);
    let all = !["numbers", "store", "flow", "alike", "memory"].into_iter().any(named);
    if all || named("numbers") {
        numbers::measure();
    }
    if all || named("store") {
        runtime.block_on(store::measure());
    }
    if all || named("flow") {
        flow::measure();
    }
    if all || named("alike") {
        alike::s9_answers_take_alike_long();
    }
    if all || named("memory") {
        // `make bench` takes the smaller number; `memory 1000000` names another one.
        let number = arguments.iter().find_map(|argument| argument.parse().ok());
        memory::s29_memory_does_not_grow_with_recipients_and_addresses(number.unwrap_or(100_000));
    }
}
