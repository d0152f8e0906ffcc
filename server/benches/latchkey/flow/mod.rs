//! The cost of a flow over HTTP: a verification is created, a wrong code is checked, then the right one. At 16
//! keep-alive connections, in CPU time of the server process, beside a bare axum server that answers three
//! requests.

pub(crate) mod bare;
pub(crate) mod kinds;
mod running;
pub(crate) mod stand_in;

use std::time::Duration;

pub(crate) use self::running::Running;
use self::{bare::Bare, kinds::KINDS};

const CONNECTIONS: usize = 16;
/// Runs of each flow, of which the median counts.
const RUNS: usize = 5;
const FLOWS: usize = 4000;
/// Parts of a run, between which the yardstick has its turn, so that a busy machine slows both.
const TURNS: usize = 4;

/// A server that answers flows.
pub(crate) trait Answers {
    /// CPU time of so many flows.
    async fn run(&mut self, flows: usize) -> Duration;
}

/// CPU time of a flow and of the yardstick beside it, in microseconds, and the ratio.
pub(crate) struct Cost {
    pub(crate) flow: f64,
    pub(crate) yardstick: f64,
    pub(crate) ratio: f64,
    /// The least and the greatest ratio of a run.
    pub(crate) range: [f64; 2],
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
        let mut running = Running::start(kind).await;
        let Cost { flow, yardstick: bare, ratio, range: [least, greatest] } =
            cost(&mut running, &mut bare).await;
        let verdict = kind.limit.map(|limit| crate::verdict(ratio, limit)).unwrap_or_default();
        println!(
            "  {:9} {flow:6.1} us, bare {bare:5.1} us, ratio {ratio:5.2} ({least:.2} to \
             {greatest:.2}){verdict}; {}",
            kind.name, kind.title,
        );
    }
}

/// The medians of some runs.
pub(crate) async fn cost(answers: &mut impl Answers, yardstick: &mut impl Answers) -> Cost {
    let [mut flows, mut yardsticks, mut ratios] = [const { Vec::new() }; 3];
    // The first one fills caches.
    for run in 0..=RUNS {
        let (mut flow, mut beside) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..TURNS {
            beside += yardstick.run(FLOWS / TURNS).await;
            flow += answers.run(FLOWS / TURNS).await;
        }
        if run > 0 {
            flows.push(micros_each(flow, FLOWS));
            yardsticks.push(micros_each(beside, FLOWS));
            ratios.push(flow.as_secs_f64() / beside.as_secs_f64());
        }
    }
    ratios.sort_unstable_by(f64::total_cmp);
    let range = [ratios[0], ratios[RUNS - 1]];
    Cost { flow: median(flows), yardstick: median(yardsticks), ratio: median(ratios), range }
}

#[expect(clippy::cast_precision_loss, reason = "some millions")]
pub(crate) fn micros_each(time: Duration, number: usize) -> f64 {
    time.as_secs_f64() * 1e6 / number as f64
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 2]
}
