//! S24: everything acknowledged survives `kill -9` at any instant.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use app::wire::{Outcome, State};
use reqwest::StatusCode;
use tokio::{sync::Notify, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    SOON,
    browser::{Browser, Lost},
    installation::Installation,
    ledger::Entry,
    mail_sink::MailSink,
    rng::Rng,
};

/// Environment variable with the number of kills; 100 by default.
const KILLS: &str = "LATCHKEY_TEST_KILLS";
const SEED: u64 = 20_261_121;
/// Concurrent connections, each of which sends a request as soon as the last one is answered.
const CONNECTIONS: u64 = 6;
/// Most responses of one process.
const LIFE: u64 = 50;
/// Verifications of earlier processes that are compared after each start.
const SAMPLES: u64 = 20;

/// Kills the program again and again under full load. `LATCHKEY_TEST_KILLS=1000` makes a long run
/// (`make soak`).
#[expect(clippy::print_stderr, reason = "people read the result of a long run")]
#[tokio::test(flavor = "multi_thread")]
async fn s24_a_kill_at_any_instant_loses_nothing_that_was_acknowledged() {
    let kills = std::env::var(KILLS).map_or(100, |kills| kills.parse().unwrap());
    let mail = MailSink::open().await;
    let installation = Installation::mailing(&mail)
        // Verifications of the first process are checked in the last one.
        .with("LATCHKEY_POLICY__LIFETIME", "3600")
        .with("LATCHKEY_POLICY__WINDOW", "86400")
        .with("LATCHKEY_POLICY__RESEND_WAITS", "0")
        // The longest, which the many wrong checks of this test do not end.
        .with("LATCHKEY_POLICY__CODE_LENGTH", "10");
    let mut rng = Rng::new(SEED);
    let workload = Arc::new(Workload::new(mail));
    for life in 0..kills {
        if rng.once_in(10) {
            // A kill during the start.
            let program = installation.spawn();
            tokio::time::sleep(Duration::from_micros(rng.below(60_000))).await;
            program.kill();
        }
        let program = installation.start();
        workload.compare(workload.touched(&mut rng), &program.browser()).await;
        let enough = workload.answers() + rng.below(LIFE);
        let dead = CancellationToken::new();
        let mut connections = JoinSet::new();
        for number in 0..CONNECTIONS {
            let (workload, dead, browser) = (workload.clone(), dead.clone(), program.browser());
            let rng = Rng::new(SEED ^ (life << 8) ^ number);
            connections.spawn(async move { workload.run_until_lost(&browser, rng, &dead).await });
        }
        tokio::select! {
            () = workload.has_answers(enough) => {}
            Some(ended) = connections.join_next() => panic!("before the kill: {ended:?}"),
        }
        // At a random instant between responses.
        tokio::time::sleep(Duration::from_micros(rng.below(3000))).await;
        program.kill();
        dead.cancel();
        while let Some(ended) = connections.join_next().await {
            ended.unwrap();
        }
    }
    let program = installation.start();
    workload.compare(workload.all(), &program.browser()).await;
    workload.every_message_arrives_and_every_code_is_accepted_once(&program.browser()).await;
    eprintln!(
        "{kills} kills, {} verifications, {} answers, {} messages arrived twice",
        workload.all().len(),
        workload.answers(),
        workload.mail.duplicates(),
    );
}

/// Everything the clients know.
struct Workload {
    mail: MailSink,
    entries: Mutex<Entries>,
    answers: AtomicU64,
    answered: Notify,
}

#[derive(Default)]
struct Entries {
    all: Vec<Entry>,
    /// Verifications with requests to the current process.
    touched: BTreeSet<usize>,
    /// Pending verifications that no connection works on.
    open: Vec<usize>,
}

impl Workload {
    fn new(mail: MailSink) -> Self {
        let (entries, answers, answered) = Default::default();
        Self { mail, entries, answers, answered }
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, Entries> {
        self.entries.lock().unwrap()
    }

    fn answers(&self) -> u64 {
        self.answers.load(Ordering::SeqCst)
    }

    async fn has_answers(&self, enough: u64) {
        let answering = async {
            loop {
                let more = self.answered.notified();
                if self.answers() >= enough {
                    return;
                }
                more.await;
            }
        };
        tokio::time::timeout(SOON, answering).await.expect("the program answers");
    }

    fn count_answer(&self) {
        self.answers.fetch_add(1, Ordering::SeqCst);
        self.answered.notify_waiters();
    }

    /// Verifications that the last process may have changed, and a sample of others.
    fn touched(&self, rng: &mut Rng) -> BTreeSet<usize> {
        let mut entries = self.entries();
        let mut touched = std::mem::take(&mut entries.touched);
        if let Some(count) = u64::try_from(entries.all.len()).ok().filter(|count| *count > 0) {
            touched.extend((0..SAMPLES).map(|_| usize::try_from(rng.below(count)).unwrap()));
        }
        touched
    }

    fn all(&self) -> BTreeSet<usize> {
        (0..self.entries().all.len()).collect()
    }

    /// Compares verifications with the acknowledged and uncertain requests.
    async fn compare(&self, indices: BTreeSet<usize>, browser: &Browser) {
        for index in indices {
            let id = self.entries().all[index].id.clone();
            let view = browser.view(&id).await.unwrap();
            self.entries().all[index].compare(view.as_ref());
        }
    }

    async fn every_message_arrives_and_every_code_is_accepted_once(&self, browser: &Browser) {
        let entries = self.entries().all.clone();
        for mut entry in entries {
            let codes = self.mail.codes(&entry.address, entry.sends()).await;
            assert_eq!(codes.len(), entry.sends() as usize, "{entry:?}");
            for code in codes {
                entry.checked(true, Some(browser.check(&entry.id, &code).await.unwrap()));
            }
        }
    }

    /// Sends requests for new verifications and for open ones of earlier processes.
    async fn run_until_lost(&self, browser: &Browser, mut rng: Rng, dead: &CancellationToken) {
        let lost: Result<(), Lost> = async {
            loop {
                let left = if rng.once_in(3) { self.entries().open.pop() } else { None };
                let index = match left {
                    Some(index) => index,
                    None => self.open_one(browser, &mut rng).await?,
                };
                self.entries().touched.insert(index);
                let asked = self.ask(index, browser, &mut rng, dead).await;
                let mut entries = self.entries();
                if entries.all[index].state() == State::Pending {
                    entries.open.push(index);
                }
                drop(entries);
                asked?;
                if dead.is_cancelled() {
                    return Ok(());
                }
            }
        }
        .await;
        assert!(lost.is_err() || dead.is_cancelled());
    }

    async fn open_one(&self, browser: &Browser, rng: &mut Rng) -> Result<usize, Lost> {
        let address = format!("{:x}@example.com", rng.below(u64::MAX));
        let id = browser.start(&address).await?;
        self.count_answer();
        let mut entries = self.entries();
        entries.all.push(Entry::started(id, address));
        Ok(entries.all.len() - 1)
    }

    /// Sends a few requests for one verification, one after another.
    async fn ask(
        &self,
        index: usize,
        browser: &Browser,
        rng: &mut Rng,
        dead: &CancellationToken,
    ) -> Result<(), Lost> {
        for _ in 0..rng.below(6) {
            let entry = self.entries().all[index].clone();
            let record = |change: &dyn Fn(&mut Entry)| change(&mut self.entries().all[index]);
            // Two codes are live at a time, so there are never more than two messages.
            if entry.sends() == 1 && entry.state() == State::Pending && rng.once_in(4) {
                let status = browser.resend(&entry.id).await;
                record(&|entry| entry.resent(status.as_ref().ok().map(|_| ())));
                assert_eq!(status?, StatusCode::OK);
                self.count_answer();
                continue;
            }
            let codes = tokio::select! {
                codes = self.mail.codes(&entry.address, entry.sends()) => codes,
                () = dead.cancelled() => return Ok(()),
            };
            let right = rng.once_in(3);
            let guess = if right { codes[0].clone() } else { wrong_guess(&codes, rng) };
            let outcome = browser.check(&entry.id, &guess).await;
            record(&|entry| entry.checked(right, outcome.as_ref().ok().copied()));
            outcome?;
            self.count_answer();
        }
        Ok(())
    }
}

/// A guess that was not made before, which would cost nothing.
fn wrong_guess(codes: &[String], rng: &mut Rng) -> String {
    let mut guesses = std::iter::repeat_with(|| format!("{:010}", rng.below(10_000_000_000)));
    guesses.find(|guess| !codes.contains(guess)).unwrap()
}

/// The kill comes right after the response.
#[tokio::test(flavor = "multi_thread")]
async fn s24_a_code_acknowledged_right_before_a_kill_arrives_and_verifies() {
    let mail = MailSink::open().await;
    let installation = Installation::mailing(&mail);
    let program = installation.start();
    let id = program.browser().start("jo@example.com").await.unwrap();
    program.kill();
    let program = installation.start();
    let code = &mail.codes("jo@example.com", 1).await[0];
    assert_eq!(program.browser().check(&id, code).await.unwrap(), Outcome::Approved);
}

/// As before, but the mail server is down, so the message was not sent before the kill.
#[tokio::test(flavor = "multi_thread")]
async fn s24_a_message_in_the_outbox_is_sent_after_a_kill() {
    let port = MailSink::open().await.port();
    let installation = Installation::mailing_to(port);
    let program = installation.start();
    let id = program.browser().start("jo@example.com").await.unwrap();
    program.kill();
    let mail = MailSink::at(port).await;
    let program = installation.start();
    let code = &mail.codes("jo@example.com", 1).await[0];
    assert_eq!(program.browser().check(&id, code).await.unwrap(), Outcome::Approved);
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_a_code_is_accepted_once_although_the_server_is_killed_during_hundreds_of_checks() {
    let mail = MailSink::open().await;
    let installation = Installation::mailing(&mail);
    let mut rng = Rng::new(SEED);
    for round in 0..5 {
        let program = installation.start();
        let browser = program.browser();
        let address = format!("{round}@example.com");
        let id = browser.start(&address).await.unwrap();
        let code = mail.codes(&address, 1).await.remove(0);
        let mut checks = JoinSet::new();
        for _ in 0..200 {
            let (browser, id, code) = (browser.clone(), id.clone(), code.clone());
            checks.spawn(async move { browser.check(&id, &code).await });
        }
        let mut outcomes = Vec::new();
        let most = usize::try_from(rng.below(100)).unwrap();
        let mut program = Some(program);
        while let Some(outcome) = checks.join_next().await {
            outcomes.extend(outcome.unwrap().ok());
            if outcomes.len() >= most
                && let Some(program) = program.take()
            {
                program.kill();
            }
        }
        let program = installation.start();
        for _ in 0..2 {
            outcomes.push(program.browser().check(&id, &code).await.unwrap());
        }
        let approved = outcomes.iter().filter(|outcome| **outcome == Outcome::Approved).count();
        assert!(approved <= 1, "{outcomes:?}");
        assert_eq!(outcomes.last(), Some(&Outcome::AlreadyUsed));
        assert!(outcomes.iter().all(|o| matches!(o, Outcome::Approved | Outcome::AlreadyUsed)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s5_guesses_at_a_recipient_add_up_over_kills() {
    let mail = MailSink::open().await;
    let installation =
        Installation::mailing(&mail).with("LATCHKEY_LIMITS__RECIPIENT_SENDS_PER_10_MINUTES", "10");
    for (life, length) in [(1, 6), (2, 6), (3, 6), (4, 8)] {
        let program = installation.start();
        program.browser().start("jo@example.com").await.unwrap();
        let codes = mail.codes("jo@example.com", life).await;
        assert_eq!(codes.last().unwrap().len(), length);
        program.kill();
    }
}
