//! Creates and checks per second, and their latency, at 1, 16 and 64 callers.

use std::{
    fs::File,
    io::{Seek, Write},
    path::Path,
    time::{Duration, Instant},
};

use otp::{
    Channel, Code, Policy, Recipient, Timestamp, Verification, VerificationId,
    digest::{Pepper, Peppers},
    verification::Opening,
};
use rand::rngs::SysRng;
use server::{
    keyring::Keyring,
    store::{
        CounterKey, CounterKeys, Decision, Message, MessageKey, OutboxChange, Queue, Records,
        SqliteStore, Step, Store,
    },
};

const SPAN: Duration = Duration::from_secs(3);
const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

pub(crate) async fn measure() {
    let folder = tempfile::tempdir_in(".").expect("a folder on the disk of this checkout");
    println!("The store (SQLite, synchronous=FULL), {} s each", SPAN.as_secs());
    let flushes = flushes_per_second(&folder.path().join("flush"));
    println!("  raw fdatasync of one 4 KiB block: {flushes:.0} per second");

    let keyring = Keyring::parse(["A".repeat(43).as_str()]).expect("a secret");
    let single = SqliteStore::open_with(&folder.path().join("single.db"), &keyring, 1);
    let single = single.expect("a store");
    let single = run(&single, 64).await;
    println!("  64 callers, one commit per request: {}", single.line());
    let grouped = SqliteStore::open(&folder.path().join("grouped.db"), &keyring).expect("a store");
    for callers in [1, 16, 64] {
        let figures = run(&grouped, callers).await;
        println!("  {callers} callers, group commit: {}", figures.line());
        if callers == 64 {
            let gain = figures.per_second() / single.per_second();
            println!("  group commit at 64 callers: {gain:.1} times one commit per request");
            let flushes = figures.per_second() / flushes;
            println!("  requests per raw flush of the disk: {flushes:.1}");
        }
    }
}

/// The slowest part of any durable store, by itself.
fn flushes_per_second(path: &Path) -> f64 {
    let mut file = File::create(path).expect("a file");
    let block = [7; 4096];
    let start = Instant::now();
    let mut count = 0.0;
    while start.elapsed() < SPAN {
        file.rewind().and_then(|()| file.write_all(&block)).expect("written");
        file.sync_data().expect("flushed");
        count += 1.0;
    }
    count / start.elapsed().as_secs_f64()
}

#[derive(Default)]
struct Figures {
    creates: Vec<Duration>,
    checks: Vec<Duration>,
}

impl Figures {
    fn per_second(&self) -> f64 {
        (count(&self.creates) + count(&self.checks)) / SPAN.as_secs_f64()
    }

    fn line(&self) -> String {
        let part = |name: &str, latencies: &[Duration]| {
            let mut sorted = latencies.to_vec();
            sorted.sort_unstable();
            let millis_at = |percent: usize| {
                let latency = sorted.get(sorted.len() * percent / 100).copied();
                latency.unwrap_or_default().as_secs_f64() * 1000.0
            };
            format!(
                "{:.0} {name}/s (p50 {:.2} ms, p99 {:.2} ms)",
                count(latencies) / SPAN.as_secs_f64(),
                millis_at(50),
                millis_at(99),
            )
        };
        format!("{}, {}", part("creates", &self.creates), part("checks", &self.checks))
    }
}

fn count(latencies: &[Duration]) -> f64 {
    latencies.iter().map(|_| 1.0).sum()
}

/// Callers that each open a verification and check it once, over and over.
async fn run(store: &SqliteStore, callers: u64) -> Figures {
    let start = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|caller| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut figures = Figures::default();
                let mut number = 0_u64;
                while start.elapsed() < SPAN {
                    number += 1;
                    let verification = opened();
                    let id = verification.id();
                    let mut counter = [0; 16];
                    counter[..8].copy_from_slice(&(number * callers + caller).to_be_bytes());
                    let begun = Instant::now();
                    store.apply(Create { verification, counter }).await.expect("created");
                    figures.creates.push(begun.elapsed());
                    let begun = Instant::now();
                    store.apply(Check { id }).await.expect("checked");
                    figures.checks.push(begun.elapsed());
                }
                figures
            })
        })
        .collect();
    let mut all = Figures::default();
    for task in tasks {
        let figures = task.await.expect("no caller panics");
        all.creates.extend(figures.creates);
        all.checks.extend(figures.checks);
    }
    all
}

fn peppers() -> Peppers {
    Peppers::new([Pepper::new([7; 32])]).expect("one pepper")
}

fn code() -> Code {
    Code::parse("123456").expect("a code")
}

fn opened() -> Verification {
    let opening = Opening {
        id: VerificationId::generate(NOW, &mut SysRng).expect("an id"),
        site: "demo".into(),
        recipient: Recipient::parse("jo@example.com", None, None).expect("an address"),
        purpose: String::new(),
        locale: "en".into(),
        policy: Policy::default(),
        details: otp::Details::default(),
    };
    Verification::open(opening, Channel::Email, &code(), &peppers(), NOW)
}

struct Create {
    verification: Verification,
    counter: [u8; 16],
}

impl Step for Create {
    type Output = ();

    fn verification(&self) -> VerificationId {
        self.verification.id()
    }

    fn now(&self) -> Timestamp {
        NOW
    }

    fn counters(&self, _verification: Option<&Verification>) -> CounterKeys {
        let recipient = CounterKey { digest: self.counter, kept_for: Duration::ZERO };
        CounterKeys { recipient: Some(recipient), ..CounterKeys::default() }
    }

    fn run(&mut self, records: &mut Records) -> Decision<()> {
        let quota = otp::quota::Quota { limit: 5, per: Duration::from_secs(600) };
        let _ = records.recipient.sends_short.take(quota, NOW);
        let message = Message {
            key: MessageKey {
                queue: Queue::Codes,
                verification: self.verification.id(),
                number: 1,
            },
            expires_at: self.verification.code_expires_at(),
            tries: 0,
            unanswered: 0,
            tried: String::new(),
            leased_until: NOW,
            sealed: vec![0; 200],
        };
        records.outbox.push(OutboxChange::Enqueue { message });
        records.verification = Some(self.verification.clone().into());
        Decision::Commit(())
    }
}

struct Check {
    id: VerificationId,
}

impl Step for Check {
    type Output = bool;

    fn verification(&self) -> VerificationId {
        self.id
    }

    fn now(&self) -> Timestamp {
        NOW
    }

    fn run(&mut self, records: &mut Records) -> Decision<bool> {
        let found = records.verification.as_mut();
        Decision::Commit(found.is_some_and(|found| {
            found.check(code().as_str(), None, &peppers(), NOW) == otp::Outcome::Approved
        }))
    }
}
