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
mod door;
mod flow;
mod load;
mod memory;
mod numbers;
mod process;
mod store;

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
    // `make bench` runs all of it; a name runs that part alone.
    let all = !["numbers", "store", "flow", "alike", "memory"].into_iter().any(named);
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
        if part("alike") {
            alike::s9_answers_take_alike_long().await;
        }
        if part("memory") {
            // `make bench` takes the smaller number; `memory 1000000` names another one.
            let number = arguments.iter().find_map(|argument| argument.parse().ok());
            let number = number.unwrap_or(100_000);
            memory::s29_memory_does_not_grow_with_recipients_and_addresses(number).await;
        }
    });
}
