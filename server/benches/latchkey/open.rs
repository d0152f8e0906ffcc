//! Latency of requests that arrive on a schedule, whether or not the ones before them are answered.
//!
//! It counts from the time a request was due, so that a server that stalls is not spared the requests that
//! would have come meanwhile. The wrong check of a flow is due a second after its create, the right one a
//! second later.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    thread,
    time::{Duration, Instant},
};

use tokio::{
    sync::mpsc,
    task::{JoinSet, LocalSet},
};

use crate::{
    client::Client,
    flow::{
        Running,
        kinds::{Codes, Kind, RECIPIENT},
    },
};

const CONNECTIONS: usize = 128;
/// Flows a second.
const RATE: usize = 2000;
/// Longer than a flow takes with its pauses.
const WARM_UP: Duration = Duration::from_secs(3);
const SPAN: Duration = Duration::from_secs(10);
/// Time between the steps of a flow.
const PAUSE: Duration = Duration::from_secs(1);
/// Most of the 99th percentile, in ms.
const LIMIT: f64 = 10.0;

#[derive(Clone, Copy)]
enum Action {
    Create,
    Wrong,
    Right,
}

/// A request of the schedule.
#[derive(Clone, Copy)]
struct Request {
    due: Duration,
    flow: usize,
    action: Action,
}

impl Request {
    /// Whether requests of all kinds are due around it.
    fn is_measured(self) -> bool {
        (WARM_UP..WARM_UP + SPAN).contains(&self.due)
    }
}

/// Latencies in ms.
#[derive(Default)]
struct Latencies {
    creates: Vec<f64>,
    checks: Vec<f64>,
    /// From the time a request was due until it was sent, where a connection was free.
    load: Vec<f64>,
}

struct Load {
    kind: &'static Kind,
    start: Instant,
    free: RefCell<Vec<Client>>,
    /// Requests that are due and wait for a connection.
    waiting: RefCell<VecDeque<Request>>,
    longest_queue: Cell<usize>,
    /// Requests that were due before the answer to the one before them in their flow.
    skipped: Cell<usize>,
    /// Ids of the verifications, between the steps of their flows.
    ids: RefCell<Vec<Option<String>>>,
    latencies: RefCell<Latencies>,
}

pub(crate) async fn measure(rate: Option<usize>) {
    static KIND: Kind = RECIPIENT;
    let rate = rate.unwrap_or(RATE);
    let running = Running::start(&KIND).await;
    let clients = Client::connect_all(running.server.address(), CONNECTIONS, KIND.key).await;
    let schedule = schedule(rate);
    let load = Rc::new(Load {
        kind: &KIND,
        start: Instant::now(),
        free: RefCell::new(clients),
        waiting: RefCell::default(),
        longest_queue: Cell::default(),
        skipped: Cell::default(),
        ids: RefCell::new(vec![None; schedule.len() / 3]),
        latencies: RefCell::default(),
    });
    let cpu = running.server.cpu();
    LocalSet::new().run_until(load.clone().run(schedule)).await;
    let cpu =
        running.server.cpu().saturating_sub(cpu).as_secs_f64() / load.start.elapsed().as_secs_f64();

    println!(
        "{rate} flows a second offered for {} s, {CONNECTIONS} connections, {}; {cpu:.2} cores used",
        SPAN.as_secs(),
        KIND.title
    );
    let mut latencies = load.latencies.borrow_mut();
    println!("  create: {}{}", percentiles(&mut latencies.creates), verdict(&latencies.creates));
    println!("  check:  {}{}", percentiles(&mut latencies.checks), verdict(&latencies.checks));
    println!(
        "  load generator late by: {}; at most {} requests waited for a connection, {} were skipped",
        percentiles(&mut latencies.load),
        load.longest_queue.get(),
        load.skipped.get()
    );
}

/// The requests of all flows in the order in which they are due.
fn schedule(rate: usize) -> Vec<Request> {
    let flows = usize::try_from((WARM_UP + SPAN).as_secs()).expect("seconds") * rate;
    let mut schedule = Vec::with_capacity(flows * 3);
    for flow in 0..flows {
        #[expect(clippy::cast_precision_loss, reason = "some thousand")]
        let created = Duration::from_secs_f64(flow as f64 / rate as f64);
        let actions = [(Action::Create, 0), (Action::Wrong, 1), (Action::Right, 2)];
        let request = |(action, pauses)| Request { due: created + PAUSE * pauses, flow, action };
        schedule.extend(actions.map(request));
    }
    schedule.sort_by_key(|request| request.due);
    schedule
}

impl Load {
    /// Sends the requests, and waits for the answers.
    async fn run(self: Rc<Self>, schedule: Vec<Request>) {
        let (sender, mut due) = mpsc::unbounded_channel();
        let start = self.start;
        // The timers of the runtime are too coarse.
        let clock = thread::spawn(move || {
            for request in schedule {
                thread::sleep((start + request.due).saturating_duration_since(Instant::now()));
                sender.send(request).expect("the load runs");
            }
        });
        let mut sending = JoinSet::new();
        while let Some(request) = due.recv().await {
            let Some(client) = self.free.borrow_mut().pop() else {
                let mut waiting = self.waiting.borrow_mut();
                waiting.push_back(request);
                self.longest_queue.set(self.longest_queue.get().max(waiting.len()));
                continue;
            };
            if request.is_measured() {
                let late = self.since_due(request);
                self.latencies.borrow_mut().load.push(late);
            }
            sending.spawn_local(self.clone().send(client, request));
        }
        clock.join().expect("no panic");
        while let Some(sent) = sending.join_next().await {
            sent.expect("no panic");
        }
    }

    /// Sends a request, and then those that wait.
    async fn send(self: Rc<Self>, mut client: Client, mut request: Request) {
        loop {
            self.act(&mut client, request).await;
            let Some(next) = self.waiting.borrow_mut().pop_front() else { break };
            request = next;
        }
        self.free.borrow_mut().push(client);
    }

    async fn act(&self, client: &mut Client, request: Request) {
        let Kind { door, recipient, codes: Codes::Recipients(code), .. } = *self.kind else {
            panic!("a flow whose code is known");
        };
        let id = self.ids.borrow_mut()[request.flow].take();
        if let Action::Create = request.action {
            let id = door.create(client, &recipient(request.flow)).await;
            self.ids.borrow_mut()[request.flow] = Some(id);
        } else {
            let Some(id) = id else { return self.skipped.set(self.skipped.get() + 1) };
            let is_right = matches!(request.action, Action::Right);
            let code = if is_right { code } else { "9999999999" };
            door.check(client, &id, code, is_right).await;
            self.ids.borrow_mut()[request.flow] = Some(id);
        }
        if request.is_measured() {
            let (latency, mut latencies) = (self.since_due(request), self.latencies.borrow_mut());
            match request.action {
                Action::Create => latencies.creates.push(latency),
                Action::Wrong | Action::Right => latencies.checks.push(latency),
            }
        }
    }

    fn since_due(&self, request: Request) -> f64 {
        (self.start + request.due).elapsed().as_secs_f64() * 1000.0
    }
}

/// Sorts the latencies.
fn percentiles(latencies: &mut [f64]) -> String {
    latencies.sort_unstable_by(f64::total_cmp);
    let [median, p99, p999] = [500, 990, 999].map(|per_mille| at(latencies, per_mille));
    let worst = latencies.last().copied().unwrap_or_default();
    format!("p50 {median:.2} ms, p99 {p99:.2} ms, p99.9 {p999:.2} ms, worst {worst:.2} ms")
}

fn verdict(sorted: &[f64]) -> String {
    format!("; p99{}", crate::verdict(at(sorted, 990), LIMIT))
}

fn at(sorted: &[f64], per_mille: usize) -> f64 {
    sorted.get(sorted.len() * per_mille / 1000).copied().unwrap_or_default()
}
