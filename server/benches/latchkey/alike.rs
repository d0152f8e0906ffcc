//! Times of answers that have to be alike (S9): for ids that are unknown, expired and foreign, and for
//! recipients that were there before and new ones. One connection, kinds in turn, so that whatever slows the
//! machine slows all of them.

use std::time::{Duration, Instant};

use crate::{
    client::{Answer, Client, FORM, JSON},
    door::Door,
    process::Process,
};

/// Requests to each door.
const REQUESTS: usize = 10_000;
/// Verifications of each kind.
const IDS: usize = 500;
/// Requests that only warm up.
const WARM_UP: usize = 500;
/// Largest difference of two medians, in units of the spread of the times: a stranger would need some hundred
/// requests for one id to notice more, which limits do not grant.
const NOTICEABLE: f64 = 0.2;

/// The kind of ids that may differ from the others: whoever asks has begun these verifications.
const KNOWN: &str = "known";

/// An answer's kind, and the path or the body that asks for it.
struct Kind {
    name: &'static str,
    requests: Vec<String>,
}

pub(crate) async fn s9_answers_take_alike_long() {
    println!("Times of answers that have to be alike, {REQUESTS} requests to each door");
    let settings = [("LATCHKEY_POLICY__LIFETIME", "60"), ("LATCHKEY_POLICY__WINDOW", "60")];
    let server = Process::latchkey(&settings);
    let mut client = Client::connect(server.address()).await;
    let expired = begin(&mut client, "lk_sec_demo").await;
    wait_until_gone(&mut client, expired.last().expect("ids")).await;
    let foreign = begin(&mut client, "lk_sec_test_approve").await;
    let known = begin(&mut client, "lk_sec_demo").await;
    // As old as those that are there.
    let unknown = known.iter().map(|id| with_other_end(id)).collect::<Vec<_>>();

    let ids = [("unknown", unknown), ("expired", expired), ("foreign", foreign), (KNOWN, known)];
    let kinds = |root: &str, rest: &str| {
        let path = |id: &String| format!("{root}/{id}{rest}");
        ids.each_ref().map(|(name, ids)| Kind { name, requests: ids.iter().map(path).collect() })
    };
    client.carry("authorization", "Bearer lk_sec_demo");
    let is_answer = |answer: &Answer| matches!(answer.status, 200 | 404);
    compare("a view", &kinds("/v1/verifications", ""), async |path| {
        is_answer(&client.get(path).await)
    })
    .await;
    compare("a check", &kinds("/v1/verifications", "/checks"), async |path| {
        is_answer(&client.post(path, JSON, r#"{"code":"000000"}"#).await)
    })
    .await;
    client.carry("accept-language", "en");
    // A page is shown to whoever has its id, whatever the site.
    let [unknown, expired, ..] = kinds("/v", "");
    compare("a page", &[unknown, expired], async |path| is_answer(&client.get(path).await)).await;

    let forms = |name: &'static str| {
        let local = name.replace(' ', "-");
        let form = |number| format!("channel=email&email={local}{number}%40example.com");
        Kind { name, requests: (0..REQUESTS).map(form).collect() }
    };
    let kinds = [forms("new recipient"), forms("known recipient")];
    for known in &kinds[1].requests[..REQUESTS.div_ceil(2) + WARM_UP] {
        assert_eq!(client.post("/", FORM, known).await.status, 303);
    }
    compare("a start", &kinds, async |body| client.post("/", FORM, body).await.status == 303).await;
}

/// Begins verifications at a site; gives their ids.
async fn begin(client: &mut Client, secret: &str) -> Vec<String> {
    client.carry("authorization", &format!("Bearer {secret}"));
    let mut ids = Vec::new();
    for number in 0..IDS {
        ids.push(Door::Api.create(client, &format!("begun{number}@example.com")).await);
    }
    ids
}

async fn wait_until_gone(client: &mut Client, id: &str) {
    client.carry("authorization", "Bearer lk_sec_demo");
    let path = format!("/v1/verifications/{id}");
    while client.get(&path).await.status != 404 {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// An id of the same instant that nobody has.
fn with_other_end(id: &str) -> String {
    let (time, random) = id.split_at(8);
    format!("{time}{}", random.chars().rev().collect::<String>())
}

/// Sends the requests of the kinds in turn and prints how the times of each differ from those of the first.
async fn compare(door: &str, kinds: &[Kind], mut ask: impl AsyncFnMut(&str) -> bool) {
    let mut times = vec![Vec::new(); kinds.len()];
    for number in 0..WARM_UP + REQUESTS.div_ceil(kinds.len()) {
        // Each kind comes first as often as the others.
        for turn in 0..kinds.len() {
            let which = (number + turn) % kinds.len();
            let Kind { name, requests } = &kinds[which];
            let request = &requests[number % requests.len()];
            let start = Instant::now();
            let is_expected = ask(request).await;
            let time = start.elapsed();
            assert!(is_expected, "{door}, {name}: another answer");
            if number >= WARM_UP {
                times[which].push(time.as_secs_f64() * 1e6);
            }
        }
    }
    for times in &mut times {
        times.sort_unstable_by(f64::total_cmp);
    }
    for (Kind { name, .. }, sorted) in kinds.iter().zip(&times) {
        let (median, tenth) = (at(sorted, 50), at(sorted, 90));
        let difference = median - at(&times[0], 50);
        // The quarters say how far times lie apart by chance, without those of a busy machine.
        let spread = at(&times[0], 75) - at(&times[0], 25);
        let shares = difference / spread;
        let is_noticeable = shares.abs() > NOTICEABLE && *name != KNOWN;
        let verdict = if is_noticeable { ": NOTICEABLE" } else { "" };
        println!(
            "  {door}, {name}: median {median:.1} us, p90 {tenth:.1} us; {difference:+.1} us, \
             {shares:+.2} of the spread{verdict}"
        );
    }
}

fn at(sorted: &[f64], percent: usize) -> f64 {
    sorted[sorted.len() * percent / 100]
}
