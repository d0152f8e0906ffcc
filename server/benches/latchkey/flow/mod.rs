//! The cost of a flow over HTTP: a verification is created, a wrong code is checked, then the right one. At 16
//! keep-alive connections, in CPU time of the server process, beside a bare axum server that answers three
//! requests.

pub(crate) mod bare;
mod kinds;
pub(crate) mod stand_in;

use self::{
    bare::Bare,
    kinds::{KINDS, Kind, Running},
};

const CONNECTIONS: usize = 16;
/// Runs of each flow, of which the median counts.
const RUNS: usize = 5;
const FLOWS: usize = 4000;

/// One run: CPU time of a flow in microseconds, of three requests to the bare server beside it, and the ratio.
struct Run {
    flow: f64,
    bare: f64,
    ratio: f64,
}

/// Measures the flows that `is_named` selects, or all of them.
pub(crate) async fn measure(is_named: impl Fn(&str) -> bool) {
    println!(
        "CPU time of a flow (create, wrong check, right check), {CONNECTIONS} connections, \
         median of {RUNS} runs of {FLOWS}"
    );
    let all = !KINDS.iter().any(|kind| is_named(kind.name));
    let mut bare = Bare::start().await;
    for kind in KINDS.iter().filter(|kind| all || is_named(kind.name)) {
        let runs = runs(kind, &mut bare).await;
        let verdict = match kind.limit {
            None => String::new(),
            Some(limit) if median(&runs, |run| run.ratio) <= limit => {
                format!(", at most {limit}: kept")
            }
            Some(limit) => format!(", at most {limit}: NOT KEPT"),
        };
        let ratios = runs.iter().map(|run| run.ratio);
        println!(
            "  {:9} {:6.1} us, bare {:5.1} us, ratio {:5.2} ({:.2} to {:.2}){verdict}; {}",
            kind.name,
            median(&runs, |run| run.flow),
            median(&runs, |run| run.bare),
            median(&runs, |run| run.ratio),
            ratios.clone().fold(f64::INFINITY, f64::min),
            ratios.fold(0.0, f64::max),
            kind.title,
        );
    }
}

async fn runs(kind: &Kind, bare: &mut Bare) -> Vec<Run> {
    let mut running = Running::start(kind).await;
    // The first ones fill caches.
    bare.run(FLOWS / 2).await;
    running.run(FLOWS / 2).await;
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        let (bare, flow) = (bare.run(FLOWS).await, running.run(FLOWS).await);
        #[expect(clippy::cast_precision_loss, reason = "some thousand flows")]
        let micros = |cpu: std::time::Duration| cpu.as_secs_f64() * 1e6 / FLOWS as f64;
        let ratio = flow.as_secs_f64() / bare.as_secs_f64();
        runs.push(Run { flow: micros(flow), bare: micros(bare), ratio });
    }
    runs
}

fn median(runs: &[Run], part: impl Fn(&Run) -> f64) -> f64 {
    let mut parts: Vec<_> = runs.iter().map(part).collect();
    parts.sort_unstable_by(f64::total_cmp);
    parts[parts.len() / 2]
}
