//! S24: what was acknowledged survives `kill -9` at any instant.

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
    browser::{Browser, Lost},
    dice::Dice,
    installation::Installation,
    ledger::Entry,
    postbox::Postbox,
};

/// Names how often the program is killed; unset, a hundred times.
const KILLS: &str = "LATCHKEY_TEST_KILLS";
const SEED: u64 = 20_261_121;
/// Connections that ask at the same time, each as fast as it is answered.
const CONNECTIONS: u64 = 6;
/// Acknowledgements of one life, at the most.
const LIFE: u64 = 50;
/// Verifications of earlier lives that each new one is asked about.
const SAMPLES: u64 = 20;

/// Kills the program over and over while it works at full speed. `LATCHKEY_TEST_KILLS=1000` makes
/// the long run of it (`make soak`).
#[expect(clippy::print_stderr, reason = "the long run is looked at by people")]
#[tokio::test(flavor = "multi_thread")]
async fn s24_killed_at_any_instant_it_loses_nothing_that_was_acknowledged() {
    let kills = std::env::var(KILLS).map_or(100, |kills| kills.parse().unwrap());
    let postbox = Postbox::open().await;
    let installation = Installation::mailing(&postbox)
        // Long enough for what is opened in the first life to be checked in the last one.
        .with("LATCHKEY_POLICY__LIFETIME", "3600")
        .with("LATCHKEY_POLICY__WINDOW", "86400")
        .with("LATCHKEY_POLICY__RESEND_WAITS", "0");
    let mut dice = Dice::new(SEED);
    let world = Arc::new(World::new(postbox));
    for life in 0..kills {
        if dice.once_in(10) {
            // Not even the start is safe.
            let program = installation.spawn();
            tokio::time::sleep(Duration::from_micros(dice.below(60_000))).await;
            program.kill();
        }
        let program = installation.start();
        world.compare(world.touched(&mut dice), &program.browser()).await;
        let enough = world.answers() + dice.below(LIFE);
        let dead = CancellationToken::new();
        let mut connections = JoinSet::new();
        for number in 0..CONNECTIONS {
            let (world, dead, browser) = (world.clone(), dead.clone(), program.browser());
            let dice = Dice::new(SEED ^ (life << 8) ^ number);
            connections.spawn(async move { world.ask_until_lost(&browser, dice, &dead).await });
        }
        tokio::select! {
            () = world.has_answers(enough) => {}
            Some(ended) = connections.join_next() => panic!("before the kill: {ended:?}"),
        }
        // Somewhere between this answer and the next ones.
        tokio::time::sleep(Duration::from_micros(dice.below(3000))).await;
        program.kill();
        dead.cancel();
        while let Some(ended) = connections.join_next().await {
            ended.unwrap();
        }
    }
    let program = installation.start();
    world.compare(world.all(), &program.browser()).await;
    world.every_message_arrives_and_every_code_is_accepted_once(&program.browser()).await;
    eprintln!(
        "{kills} kills, {} verifications, {} answers, {} messages arrived twice",
        world.all().len(),
        world.answers(),
        world.postbox.duplicates(),
    );
}

/// What the people out there know.
struct World {
    postbox: Postbox,
    entries: Mutex<Entries>,
    answers: AtomicU64,
    answered: Notify,
}

#[derive(Default)]
struct Entries {
    all: Vec<Entry>,
    /// Those that a connection has asked about in this life.
    touched: BTreeSet<usize>,
    /// Those that no connection is busy with and that are not over.
    open: Vec<usize>,
}

impl World {
    fn new(postbox: Postbox) -> Self {
        let (entries, answers, answered) = Default::default();
        Self { postbox, entries, answers, answered }
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, Entries> {
        self.entries.lock().unwrap()
    }

    fn answers(&self) -> u64 {
        self.answers.load(Ordering::SeqCst)
    }

    async fn has_answers(&self, enough: u64) {
        loop {
            let more = self.answered.notified();
            if self.answers() >= enough {
                return;
            }
            more.await;
        }
    }

    fn count_answer(&self) {
        self.answers.fetch_add(1, Ordering::SeqCst);
        self.answered.notify_waiters();
    }

    /// What the last life may have changed, and some of what it should not have.
    fn touched(&self, dice: &mut Dice) -> BTreeSet<usize> {
        let mut entries = self.entries();
        let mut touched = std::mem::take(&mut entries.touched);
        if let Some(count) = u64::try_from(entries.all.len()).ok().filter(|count| *count > 0) {
            touched.extend((0..SAMPLES).map(|_| usize::try_from(dice.below(count)).unwrap()));
        }
        touched
    }

    fn all(&self) -> BTreeSet<usize> {
        (0..self.entries().all.len()).collect()
    }

    /// Nothing is less than it was known to be, nothing more than was asked for.
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
            let codes = self.postbox.codes(&entry.address, entry.sends()).await;
            assert_eq!(codes.len(), entry.sends() as usize, "{entry:?}");
            for code in codes {
                entry.checked(true, Some(browser.check(&entry.id, &code).await.unwrap()));
            }
        }
    }

    /// Works through verifications, new ones and those that earlier lives have left open.
    async fn ask_until_lost(&self, browser: &Browser, mut dice: Dice, dead: &CancellationToken) {
        let lost: Result<(), Lost> = async {
            loop {
                let left = if dice.once_in(3) { self.entries().open.pop() } else { None };
                let index = match left {
                    Some(index) => index,
                    None => self.open_one(browser, &mut dice).await?,
                };
                self.entries().touched.insert(index);
                let asked = self.ask(index, browser, &mut dice, dead).await;
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

    async fn open_one(&self, browser: &Browser, dice: &mut Dice) -> Result<usize, Lost> {
        let address = format!("{:x}@example.com", dice.below(u64::MAX));
        let id = browser.start(&address).await?;
        self.count_answer();
        let mut entries = self.entries();
        entries.all.push(Entry::started(id, address));
        Ok(entries.all.len() - 1)
    }

    /// Does a few things with one verification, one after another.
    async fn ask(
        &self,
        index: usize,
        browser: &Browser,
        dice: &mut Dice,
        dead: &CancellationToken,
    ) -> Result<(), Lost> {
        for _ in 0..dice.below(6) {
            let entry = self.entries().all[index].clone();
            let record = |change: &dyn Fn(&mut Entry)| change(&mut self.entries().all[index]);
            // Two codes are live at a time, so there are never more than two messages.
            if entry.sends() == 1 && entry.state() == State::Pending && dice.once_in(4) {
                let status = browser.resend(&entry.id).await;
                record(&|entry| entry.resent(status.as_ref().ok().map(|_| ())));
                assert_eq!(status?, StatusCode::OK);
                self.count_answer();
                continue;
            }
            let codes = tokio::select! {
                codes = self.postbox.codes(&entry.address, entry.sends()) => codes,
                () = dead.cancelled() => return Ok(()),
            };
            let right = dice.once_in(3);
            let guess = if right { codes[0].clone() } else { none_of(&codes) };
            let outcome = browser.check(&entry.id, &guess).await;
            record(&|entry| entry.checked(right, outcome.as_ref().ok().copied()));
            outcome?;
            self.count_answer();
        }
        Ok(())
    }
}

fn none_of(codes: &[String]) -> String {
    let guesses = ["000000", "111111", "222222"].into_iter();
    guesses.map(str::to_owned).find(|guess| !codes.contains(guess)).unwrap()
}

/// The case that people meet: the answer was given, and the machine went down with it.
#[tokio::test(flavor = "multi_thread")]
async fn s24_a_code_that_was_promised_right_before_a_kill_arrives_and_verifies() {
    let postbox = Postbox::open().await;
    let installation = Installation::mailing(&postbox);
    let program = installation.start();
    let id = program.browser().start("jo@example.com").await.unwrap();
    program.kill();
    let program = installation.start();
    let code = &postbox.codes("jo@example.com", 1).await[0];
    assert_eq!(program.browser().check(&id, code).await.unwrap(), Outcome::Approved);
}

/// As before, but the message cannot have gone out before the kill.
#[tokio::test(flavor = "multi_thread")]
async fn s24_a_message_that_only_the_outbox_knows_goes_out_after_a_kill() {
    let port = Postbox::open().await.port();
    let installation = Installation::mailing_to(port);
    let program = installation.start();
    let id = program.browser().start("jo@example.com").await.unwrap();
    program.kill();
    let postbox = Postbox::at(port).await;
    let program = installation.start();
    let code = &postbox.codes("jo@example.com", 1).await[0];
    assert_eq!(program.browser().check(&id, code).await.unwrap(), Outcome::Approved);
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_a_code_is_accepted_once_though_the_server_is_killed_while_hundreds_try() {
    let postbox = Postbox::open().await;
    let installation = Installation::mailing(&postbox);
    let mut dice = Dice::new(SEED);
    for round in 0..5 {
        let program = installation.start();
        let browser = program.browser();
        let address = format!("{round}@example.com");
        let id = browser.start(&address).await.unwrap();
        let code = postbox.codes(&address, 1).await.remove(0);
        let mut checks = JoinSet::new();
        for _ in 0..200 {
            let (browser, id, code) = (browser.clone(), id.clone(), code.clone());
            checks.spawn(async move { browser.check(&id, &code).await });
        }
        let mut outcomes = Vec::new();
        let most = usize::try_from(dice.below(100)).unwrap();
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
async fn s5_wrong_checks_of_a_recipient_add_up_over_kills() {
    let postbox = Postbox::open().await;
    let installation = Installation::mailing(&postbox)
        .with("LATCHKEY_LIMITS__RECIPIENT_WRONG_CHECKS_PER_DAY", "7");
    let mut wrong_checks = 0;
    for life in 1.. {
        let program = installation.start();
        let browser = program.browser();
        let id = browser.start("jo@example.com").await.unwrap();
        let codes = postbox.codes("jo@example.com", life).await;
        for _ in 0..3 {
            let guess = none_of(&codes);
            let response =
                browser.call("check", &serde_json::json!([id, guess])).send().await.unwrap();
            if response.status() == StatusCode::TOO_MANY_REQUESTS {
                assert_eq!(wrong_checks, 7);
                return;
            }
            wrong_checks += 1;
        }
        program.kill();
    }
}
