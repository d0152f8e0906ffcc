//! Benchmark of Latchkey: reading phone numbers, the store by itself, then the whole flow over HTTP.
//!
//! Every figure stands beside a yardstick measured in the same run, because machines are noisy and
//! only ratios travel: the store beside the disk's bare flush and beside one commit per request, the
//! server beside a bare axum server that answers as many requests.

#![expect(clippy::print_stdout, reason = "a benchmark's output is its report")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

mod flow;
mod numbers;
mod store;

fn main() {
    // The bare server is this program again, so that its CPU time can be told from the load's.
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.iter().any(|argument| argument == flow::BARE) {
        return flow::bare::serve();
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    // `make bench` runs all of it; a name runs that part alone.
    let named = |part| arguments.iter().any(|argument| argument == part);
    let all = !["numbers", "store", "flow"].into_iter().any(named);
    if all || named("numbers") {
        numbers::measure();
    }
    if all || named("store") {
        runtime.block_on(store::measure());
    }
    if all || named("flow") {
        flow::measure();
    }
}
