//! The contract of [`Store`], written once and run against every back end.
//!
//! A back end joins by a module at the end, with a function that makes a fresh store and one that
//! opens the same store again, as after a restart.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use otp::{
    Channel, Code, Outcome, Policy, Recipient, State, Timestamp, Verification, VerificationId,
    alert::Alert,
    digest::{Pepper, Peppers},
    known::Mark,
    quota::Quota,
    tally::{DAY, HOUR, Tallies},
    verification::Opening,
};
use rand::rngs::SysRng;

use super::*;
use crate::keyring::Keyring;

const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const LEASE: Duration = Duration::from_secs(60);
/// End of the lease under which [`create`] adds a message.
const LEASED: Timestamp = Timestamp::from_millis(START.as_millis() + 60_000);
const RETENTION: Duration = Duration::from_secs(24 * 3600);
const QUOTA: Quota = Quota { limit: 7, per: Duration::from_secs(60) };

fn peppers() -> Peppers {
    Peppers::new([Pepper::new([7; 32])]).unwrap()
}

/// Master secrets, each a letter, newest first.
pub(super) fn keyring(letters: &str) -> Keyring {
    // 32 bytes in base64.
    let secrets: Vec<_> = letters.chars().map(|letter| letter.to_string().repeat(43)).collect();
    Keyring::parse(secrets.iter().map(String::as_str)).unwrap()
}

pub(super) fn opened(now: Timestamp) -> Verification {
    let opening = Opening {
        id: VerificationId::generate(now, &mut SysRng).unwrap(),
        site: "demo".into(),
        recipient: Recipient::parse("jo@example.com", None, None).unwrap(),
        purpose: String::new(),
        locale: "en".into(),
        policy: Policy::default(),
        details: otp::Details::default(),
    };
    Verification::open(opening, Channel::Email, &Code::parse("123456").unwrap(), &peppers(), now)
}

fn code_key(verification: VerificationId, number: u32) -> MessageKey {
    MessageKey { queue: Queue::Codes, verification, number }
}

fn message(verification: VerificationId, number: u32) -> Message {
    let key = code_key(verification, number);
    Message {
        key,
        expires_at: START + Duration::from_secs(300),
        tries: 0,
        unanswered: 0,
        tried: String::new(),
        leased_until: LEASED,
        sealed: vec![1, 2, 3],
    }
}

fn event(verification: VerificationId, number: u32) -> Message {
    let key = MessageKey { queue: Queue::Events, verification, number };
    Message { key, ..message(verification, number) }
}

/// Keys of counters: the caller's is `byte`, the recipient's the next one.
fn counter_keys(byte: u8) -> CounterKeys {
    let key = |byte| CounterKey { digest: [byte; 16], kept_for: LEASE };
    CounterKeys {
        callers: vec![CallerKey { key: key(byte), elsewhere: None, times: 1 }],
        recipient: Some(key(byte + 1)),
        ..CounterKeys::default()
    }
}

/// A step made of a closure.
struct Change<F> {
    id: VerificationId,
    counters: CounterKeys,
    run: F,
}

impl<T, F> Step for Change<F>
where
    T: Send + 'static,
    F: FnMut(&mut Records) -> Decision<T> + Send + 'static,
{
    type Output = T;

    fn verification(&self) -> VerificationId {
        self.id
    }

    fn now(&self) -> Timestamp {
        START
    }

    fn counters(&self, _verification: Option<&Verification>) -> CounterKeys {
        self.counters.clone()
    }

    fn run(&mut self, records: &mut Records) -> Decision<T> {
        (self.run)(records)
    }
}

fn change<T: Send + 'static>(
    id: VerificationId,
    mut run: impl FnMut(&mut Records) -> T + Send + 'static,
) -> impl Step<Output = T> {
    let counters = CounterKeys::default();
    Change { id, counters, run: move |records: &mut Records| Decision::Commit(run(records)) }
}

/// Takes one event from the recipient's quota.
fn counting(id: VerificationId) -> impl Step<Output = bool> {
    let run = |records: &mut Records| {
        Decision::Commit(records.recipient.wrong_checks.take(QUOTA, START).is_ok())
    };
    Change { id, counters: counter_keys(1), run }
}

/// Opens a verification with its message, leased until `START + LEASE`.
async fn create(store: &impl Store) -> VerificationId {
    let verification = opened(START);
    let id = verification.id();
    let step = change(id, move |records| {
        records.verification = Some(verification.clone());
        records.outbox.push(OutboxChange::Enqueue { message: message(id, 1) });
    });
    store.apply(step).await.unwrap();
    id
}

fn checking(id: VerificationId, digits: &'static str) -> impl Step<Output = Option<Outcome>> {
    change(id, move |records| {
        records.verification.as_mut().map(|found| found.check(digits, None, &peppers(), START))
    })
}

async fn change_outbox(store: &impl Store, id: VerificationId, outbox: OutboxChange) {
    store.apply(change(id, move |records| records.outbox.push(outbox.clone()))).await.unwrap();
}

pub(super) async fn what_was_opened_is_read_and_an_unknown_id_is_no_error(store: impl Store) {
    let id = create(&store).await;
    assert_eq!(store.read(id).await.unwrap().unwrap().state(START), State::Pending);
    let unknown = VerificationId::generate(START, &mut SysRng).unwrap();
    assert_eq!(store.read(unknown).await.unwrap(), None);
    assert_eq!(store.apply(checking(unknown, "123456")).await.unwrap(), None);
}

pub(super) async fn s3_of_200_parallel_right_checks_one_is_approved(store: impl Store) {
    let id = create(&store).await;
    let outcomes = in_parallel(&store, 200, move |_| checking(id, "123456")).await;
    let approved = outcomes.iter().filter(|outcome| **outcome == Some(Outcome::Approved)).count();
    let used = outcomes.iter().filter(|outcome| **outcome == Some(Outcome::AlreadyUsed)).count();
    assert_eq!((approved, used), (1, 199));
}

pub(super) async fn s4_of_200_parallel_wrong_checks_the_budget_is_compared(store: impl Store) {
    let id = create(&store).await;
    let outcomes = in_parallel(&store, 200, move |_| checking(id, "000000")).await;
    let mut compared: Vec<_> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            Some(Outcome::Incorrect { attempts_left }) => Some(*attempts_left),
            _ => None,
        })
        .collect();
    compared.sort_unstable();
    assert_eq!(compared, [0, 1, 2, 3, 4]);
}

pub(super) async fn counters_shared_by_many_verifications_never_exceed_their_quota(
    store: impl Store,
) {
    let taken = in_parallel(&store, 100, |_| {
        counting(VerificationId::generate(START, &mut SysRng).unwrap())
    })
    .await;
    assert_eq!(taken.iter().filter(|taken| **taken).count(), 7);
}

pub(super) async fn an_aborted_step_leaves_no_trace_and_a_committed_refusal_is_kept(
    store: impl Store,
) {
    type Refusal = Result<(), ()>;
    let id = create(&store).await;
    let step = |decide: fn(Refusal) -> Decision<Refusal>| Change {
        id,
        counters: counter_keys(1),
        run: move |records: &mut Records| {
            records.verification.as_mut().unwrap().check("000000", None, &peppers(), START);
            let taken = records.recipient.wrong_checks.take(QUOTA, START);
            records.outbox.push(OutboxChange::Remove { key: code_key(id, 1) });
            assert!(taken.is_ok());
            decide(Err(()))
        },
    };
    assert_eq!(store.apply(step(Decision::Abort)).await.unwrap(), Err(()));
    assert_eq!(store.read(id).await.unwrap().unwrap().attempts_left(), 5);
    assert_eq!(store.next_due(Queue::Codes).await.unwrap(), Some(LEASED));

    assert_eq!(store.apply(step(Decision::Commit)).await.unwrap(), Err(()));
    assert_eq!(store.read(id).await.unwrap().unwrap().attempts_left(), 4);
    assert_eq!(store.next_due(Queue::Codes).await.unwrap(), None);
    for _ in 1..7 {
        assert!(store.apply(counting(id)).await.unwrap(), "the aborted one was not counted");
    }
    assert!(!store.apply(counting(id)).await.unwrap(), "the committed one was");
}

pub(super) async fn s5_a_step_that_counts_a_recipient_without_a_key_fails(store: impl Store) {
    let id = create(&store).await;
    let uncounted = change(id, |records: &mut Records| {
        records.recipient.wrong_checks.take(QUOTA, START).unwrap();
        records.verification.as_mut().unwrap().check("123456", None, &peppers(), START)
    });
    assert!(store.apply(uncounted).await.is_err());
    assert_eq!(store.read(id).await.unwrap().unwrap().state(START), State::Pending);
}

pub(super) async fn an_answer_of_an_aborted_step_is_not_saved(store: impl Store) {
    let id = create(&store).await;
    let saving = |abort| Keep { id, name: 9, abort };
    assert!(store.apply(saving(true)).await.unwrap());
    assert!(store.apply(saving(false)).await.unwrap(), "it is the first that is kept");
    assert!(!store.apply(saving(false)).await.unwrap());
}

/// Adds an event for each change that it sees, and remembers what it was told.
#[derive(Debug, Default)]
struct Recorder {
    seen: Mutex<Vec<(Option<State>, State)>>,
    alerts: Mutex<Vec<Alert>>,
    commits: AtomicUsize,
}

impl Observer for Recorder {
    fn changed(
        &self,
        before: Option<&Verification>,
        after: &mut Verification,
        now: Timestamp,
        outbox: &mut Vec<OutboxChange>,
    ) {
        let states = (before.map(|before| before.state(now)), after.state(now));
        self.seen.lock().unwrap().push(states);
        let message = event(after.id(), after.number_event());
        outbox.push(OutboxChange::Schedule { message, at: now });
    }

    fn alerted(
        &self,
        alerts: &[Alert],
        verification: VerificationId,
        now: Timestamp,
        outbox: &mut Vec<OutboxChange>,
    ) {
        let numbered = alerts.iter().zip(100..);
        outbox.extend(numbered.map(|(_, number)| OutboxChange::Schedule {
            message: event(verification, number),
            at: now,
        }));
    }

    fn committed(&self, alerts: &[Alert]) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.alerts.lock().unwrap().extend_from_slice(alerts);
    }
}

pub(super) async fn an_observer_is_told_of_the_alerts_of_committed_and_of_aborted_steps(
    store: impl Store,
) {
    let recorder = Arc::new(Recorder::default());
    let store = store.observed_by(recorder.clone());
    // The verifications that they are about are not stored.
    let (committed, aborted) = (opened(START).id(), opened(START).id());
    for (id, commits) in [(committed, true), (aborted, false)] {
        let step = Change {
            id,
            counters: CounterKeys::default(),
            run: move |records: &mut Records| {
                let (site, destination) = ("shop".to_owned(), "GB".to_owned());
                records.alerts.push(Alert::DestinationOpened { site, destination });
                if commits { Decision::Commit(()) } else { Decision::Abort(()) }
            },
        };
        store.apply(step).await.unwrap();
    }
    assert_eq!(recorder.alerts.lock().unwrap().len(), 2);
    assert_eq!(recorder.seen.lock().unwrap().len(), 0);
    let messages = store.claim(Queue::Events, START, LEASE, 10).await.unwrap();
    let told = |id| messages.iter().any(|message| message.key.verification == id);
    assert!(messages.len() == 2 && told(committed) && told(aborted));
}

pub(super) async fn an_observer_sees_each_change_and_its_additions_are_committed_with_it(
    store: impl Store,
) {
    let recorder = Arc::new(Recorder::default());
    let store = store.observed_by(recorder.clone());
    let id = create(&store).await;
    store.apply(checking(id, "12345")).await.unwrap();
    let aborted = Change {
        id,
        counters: CounterKeys::default(),
        run: |records: &mut Records| {
            records.verification.as_mut().unwrap().cancel(START);
            Decision::Abort(())
        },
    };
    store.apply(aborted).await.unwrap();
    store.apply(checking(id, "123456")).await.unwrap();

    let seen = [(None, State::Pending), (Some(State::Pending), State::Approved)];
    assert_eq!(*recorder.seen.lock().unwrap(), seen, "a malformed guess changes nothing");
    assert_eq!(recorder.commits.load(Ordering::Relaxed), 2);
    let events = store.claim(Queue::Events, START, LEASE, 10).await.unwrap();
    let numbers: Vec<_> = events.iter().map(|message| message.key.number).collect();
    assert_eq!(numbers, [1, 2], "the numbers that the observer has given were stored");
}

pub(super) async fn a_step_that_panics_leaves_no_trace_and_the_store_lives(store: impl Store) {
    let id = create(&store).await;
    let panicking = change(id, |records: &mut Records| {
        records.verification.as_mut().unwrap().cancel(START);
        std::panic::panic_any("on purpose");
    });
    assert!(store.apply(panicking).await.is_err());
    assert_eq!(store.apply(checking(id, "123456")).await.unwrap(), Some(Outcome::Approved));
}

pub(super) async fn a_failing_step_does_not_take_its_neighbours_down(store: impl Store) {
    let id = create(&store).await;
    // Every third one fails: the message is in the outbox already.
    let steps = in_parallel_results(&store, 30, move |number| {
        let fresh = opened(START);
        let enqueued = if number % 3 == 0 { id } else { fresh.id() };
        change(fresh.id(), move |records| {
            records.verification = Some(fresh.clone());
            let message = Message { leased_until: START, ..message(enqueued, 1) };
            records.outbox.push(OutboxChange::Enqueue { message });
            fresh.id()
        })
    })
    .await;
    for (number, result) in steps.into_iter().enumerate() {
        match result {
            Ok(id) => assert!(store.read(id).await.unwrap().is_some()),
            Err(_) => assert_eq!(number % 3, 0),
        }
    }
    assert_eq!(store.claim(Queue::Codes, START, LEASE, 100).await.unwrap().len(), 20);
}

pub(super) async fn a_message_is_leased_to_one_caller_until_the_lease_ends(store: impl Store) {
    let id = create(&store).await;
    let end = START + LEASE;
    let just_before = end - Duration::from_millis(1);
    assert_eq!(store.claim(Queue::Codes, just_before, LEASE, 10).await.unwrap(), []);
    assert_eq!(store.next_due(Queue::Codes).await.unwrap(), Some(end));
    let leased = Message { leased_until: end + LEASE, ..message(id, 1) };
    assert_eq!(store.claim(Queue::Codes, end, LEASE, 10).await.unwrap(), [leased]);
    assert_eq!(store.claim(Queue::Codes, end, LEASE, 10).await.unwrap(), []);
    assert_eq!(store.next_due(Queue::Codes).await.unwrap(), Some(end + LEASE));
}

pub(super) async fn a_message_given_back_is_due_at_its_time_with_its_tries(store: impl Store) {
    let id = create(&store).await;
    let key = code_key(id, 1);
    let at = START + Duration::from_secs(2);
    let back = OutboxChange::Retry {
        key,
        leased_until: LEASED,
        at,
        tries: 3,
        unanswered: 1,
        tried: "[]".into(),
    };
    change_outbox(&store, id, back).await;
    assert_eq!(
        store.claim(Queue::Codes, at - Duration::from_millis(1), LEASE, 10).await.unwrap(),
        []
    );
    let claimed = store.claim(Queue::Codes, at, LEASE, 10).await.unwrap();
    assert_eq!((claimed[0].tries, claimed[0].unanswered, &*claimed[0].tried), (3, 1, "[]"));
}

pub(super) async fn a_message_is_not_given_back_by_who_has_lost_it(store: impl Store) {
    let id = create(&store).await;
    let key = code_key(id, 1);
    let [taken] = &store.claim(Queue::Codes, LEASED, LEASE, 10).await.unwrap()[..] else {
        panic!("it is due")
    };
    let give_back = |leased_until| {
        let back = OutboxChange::Retry {
            key,
            leased_until,
            at: LEASED,
            tries: 9,
            unanswered: 0,
            tried: String::new(),
        };
        change_outbox(&store, id, back)
    };
    give_back(LEASED).await;
    assert_eq!(
        store.claim(Queue::Codes, LEASED, LEASE, 10).await.unwrap(),
        [],
        "another is trying it"
    );
    give_back(taken.leased_until).await;
    assert_eq!(store.claim(Queue::Codes, LEASED, LEASE, 10).await.unwrap().len(), 1);
}

pub(super) async fn a_lease_is_renewed_by_who_holds_it(store: impl Store) {
    let id = create(&store).await;
    let key = code_key(id, 1);
    let until = LEASED + LEASE;
    let renew =
        |leased_until| change_outbox(&store, id, OutboxChange::Renew { key, leased_until, until });
    renew(LEASED).await;
    assert_eq!(store.claim(Queue::Codes, LEASED, LEASE, 10).await.unwrap(), []);
    let claimed = store.claim(Queue::Codes, until, LEASE, 10).await.unwrap();
    assert_eq!(claimed.len(), 1, "it ends all the same");
    renew(LEASED).await;
    assert_eq!(store.next_due(Queue::Codes).await.unwrap(), Some(until + LEASE), "another has it");
}

pub(super) async fn a_removed_message_never_comes_back(store: impl Store) {
    let id = create(&store).await;
    let key = code_key(id, 1);
    change_outbox(&store, id, OutboxChange::Remove { key }).await;
    // Removing what is gone is no error: a late worker may do so.
    change_outbox(&store, id, OutboxChange::Remove { key }).await;
    assert_eq!(store.claim(Queue::Codes, START + LEASE * 100, LEASE, 10).await.unwrap(), []);
    assert_eq!(store.next_due(Queue::Codes).await.unwrap(), None);
}

pub(super) async fn a_claim_takes_the_longest_waiting_first_and_no_more_than_its_limit(
    store: impl Store,
) {
    let mut ids = Vec::new();
    for seconds in [5, 1, 3] {
        let id = create(&store).await;
        let key = code_key(id, 1);
        let at = START + Duration::from_secs(seconds);
        let back = OutboxChange::Retry {
            key,
            leased_until: LEASED,
            at,
            tries: 1,
            unanswered: 0,
            tried: String::new(),
        };
        change_outbox(&store, id, back).await;
        ids.push(id);
    }
    let claimed = store.claim(Queue::Codes, START + LEASE, LEASE, 2).await.unwrap();
    let claimed: Vec<_> = claimed.iter().map(|message| message.key.verification).collect();
    assert_eq!(claimed, [ids[1], ids[2]]);
}

pub(super) async fn a_message_that_is_scheduled_is_nobodys_until_its_time(store: impl Store) {
    let id = create(&store).await;
    let at = START + Duration::from_secs(900);
    let scheduled = Message { leased_until: START, ..event(id, 0) };
    let schedule = OutboxChange::Schedule { message: scheduled, at };
    change_outbox(&store, id, schedule).await;
    let claim = |now| store.claim(Queue::Events, now, LEASE, 10);
    assert_eq!(claim(at - Duration::from_millis(1)).await.unwrap(), []);
    assert_eq!(store.next_due(Queue::Events).await.unwrap(), Some(at));
    let leased = Message { leased_until: at + LEASE, ..event(id, 0) };
    assert_eq!(claim(at).await.unwrap(), [leased]);
    assert_eq!(claim(at).await.unwrap(), []);
}

pub(super) async fn a_message_that_is_scheduled_again_stays_as_it_was(store: impl Store) {
    let id = create(&store).await;
    let schedule = |at| OutboxChange::Schedule { message: event(id, 1), at };
    change_outbox(&store, id, schedule(START)).await;
    // A worker that missed the first answer schedules again.
    change_outbox(&store, id, schedule(START + LEASE)).await;
    assert_eq!(store.next_due(Queue::Events).await.unwrap(), Some(START));
}

pub(super) async fn each_queue_is_claimed_settled_and_due_by_itself(store: impl Store) {
    let id = create(&store).await;
    let schedule = OutboxChange::Schedule { message: event(id, 1), at: START };
    change_outbox(&store, id, schedule).await;
    assert_eq!(store.next_due(Queue::Codes).await.unwrap(), Some(LEASED));
    assert_eq!(store.next_due(Queue::Events).await.unwrap(), Some(START));
    let claim = |queue, now| store.claim(queue, now, LEASE, 10);
    assert_eq!(claim(Queue::Codes, START).await.unwrap(), []);
    let [claimed] = &claim(Queue::Events, LEASED).await.unwrap()[..] else { panic!("it is due") };
    assert_eq!(claimed.key, event(id, 1).key);
    // The same verification, the same number, the same lease: and still another message.
    let [code] = &claim(Queue::Codes, LEASED).await.unwrap()[..] else { panic!("it is due") };
    let (leased_until, at) = (code.leased_until, LEASED);
    let back = OutboxChange::Retry {
        key: code.key,
        leased_until,
        at,
        tries: 1,
        unanswered: 0,
        tried: String::new(),
    };
    change_outbox(&store, id, back).await;
    assert_eq!(store.next_due(Queue::Events).await.unwrap(), Some(LEASED + LEASE));
    change_outbox(&store, id, OutboxChange::Remove { key: code.key }).await;
    assert_eq!(store.next_due(Queue::Codes).await.unwrap(), None);
    assert_eq!(claim(Queue::Events, LEASED + LEASE).await.unwrap().len(), 1);
}

pub(super) async fn a_flood_of_one_queue_keeps_the_other_from_nothing(store: impl Store) {
    let id = create(&store).await;
    let flood = change(id, move |records: &mut Records| {
        for number in 1..=100 {
            let schedule = OutboxChange::Schedule { message: event(id, number), at: START };
            records.outbox.push(schedule);
        }
    });
    store.apply(flood).await.unwrap();
    let claimed = store.claim(Queue::Codes, LEASED, LEASE, 1).await.unwrap();
    assert_eq!(claimed.len(), 1);
    assert_eq!(store.claim(Queue::Events, LEASED, LEASE, 100).await.unwrap().len(), 100);
}

pub(super) async fn a_sweep_leaves_an_event_that_outlives_its_verification(store: impl Store) {
    let id = create(&store).await;
    let end = START + RETENTION + LEASE;
    let lasting = Message { expires_at: end, ..event(id, 1) };
    let schedule = OutboxChange::Schedule { message: lasting, at: START };
    change_outbox(&store, id, schedule).await;
    let swept = store.sweep(end - Duration::from_millis(1), RETENTION).await.unwrap();
    assert_eq!((swept.verifications, swept.messages), (1, 1), "the code, and not the event");
    assert_eq!(store.next_due(Queue::Events).await.unwrap(), Some(START));
    assert_eq!(store.sweep(end, RETENTION).await.unwrap().messages, 1);
}

/// A step that saves an answer unless there is one already; gives whether it did.
struct Keep {
    id: VerificationId,
    name: u8,
    abort: bool,
}

impl Step for Keep {
    type Output = bool;

    fn verification(&self) -> VerificationId {
        self.id
    }

    fn now(&self) -> Timestamp {
        START
    }

    fn idempotency_key(&self) -> Option<[u8; 16]> {
        Some([self.name; 16])
    }

    fn run(&mut self, records: &mut Records) -> Decision<bool> {
        let is_first = records.saved_answer.is_none();
        let saved_answer = || SavedAnswer { sealed: vec![self.name], expires_at: START + LEASE };
        assert_eq!(*records.saved_answer.get_or_insert_with(saved_answer), saved_answer());
        if self.abort { Decision::Abort(is_first) } else { Decision::Commit(is_first) }
    }
}

pub(super) async fn a_request_is_answered_anew_once_however_many_send_it(store: impl Store) {
    let id = create(&store).await;
    let tries = (0..50).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.apply(Keep { id, name: 9, abort: false }).await.unwrap() })
    });
    let mut first = 0;
    for task in tries.collect::<Vec<_>>() {
        first += usize::from(task.await.unwrap());
    }
    assert_eq!(first, 1);
    assert!(store.apply(Keep { id, name: 8, abort: false }).await.unwrap());
}

pub(super) async fn a_sweep_drops_what_is_over_and_nothing_else(store: impl Store) {
    let old = create(&store).await;
    let later = START + RETENTION + Duration::from_millis(1);
    let young = opened(later);
    let id = young.id();
    store
        .apply(change(id, move |records| records.verification = Some(young.clone())))
        .await
        .unwrap();
    let mut counters = counter_keys(1);
    counters.recipient.as_mut().unwrap().kept_for = later.since(START) + LEASE;
    let run = |records: &mut Records| {
        records.callers[0].counters.checks.take(QUOTA, START).unwrap();
        records.recipient.wrong_checks.take(QUOTA, START).unwrap();
        Decision::Commit(())
    };
    let counting = Change { id, counters, run };
    store.apply(counting).await.unwrap();
    store.apply(Keep { id, name: 9, abort: false }).await.unwrap();
    let swept = store.sweep(later, RETENTION).await.unwrap();
    assert_eq!(
        swept,
        Swept { verifications: 1, counters: 1, saved_answers: 1, messages: 1, more: false }
    );
    assert_eq!(store.read(old).await.unwrap(), None);
    assert!(store.read(id).await.unwrap().is_some());
}

pub(super) async fn a_sweep_keeps_counters_as_long_as_something_in_them_is_needed(
    store: impl Store,
) {
    let id = create(&store).await;
    let run = |records: &mut Records| {
        records.recipient.known.remember(Mark(7), START);
        Decision::Commit(records.recipient.known.needed_until())
    };
    let until = store.apply(Change { id, counters: counter_keys(1), run }).await.unwrap();
    let swept = async |now| {
        // The first one ends at the last key, and the second begins again.
        let first = store.sweep(now, RETENTION).await.unwrap().counters;
        first + store.sweep(now, RETENTION).await.unwrap().counters
    };
    assert_eq!(swept(until - Duration::from_millis(1)).await, 0);
    let run =
        |records: &mut Records| Decision::Commit(records.recipient.known.contains(Mark(7), START));
    assert!(store.apply(Change { id, counters: counter_keys(1), run }).await.unwrap());
    assert_eq!(swept(until).await, 1);
}

pub(super) async fn a_sweep_tells_when_it_has_left_something(store: impl Store) {
    const MANY: usize = 1200;
    let open = |_| {
        let verification = opened(START);
        change(verification.id(), move |records| records.verification = Some(verification.clone()))
    };
    in_parallel(&store, MANY, open).await;
    let mut dropped = 0;
    loop {
        let swept = store.sweep(START + RETENTION + LEASE, RETENTION).await.unwrap();
        dropped += swept.verifications;
        if !swept.more {
            break;
        }
    }
    assert_eq!(dropped, MANY);
}

pub(super) async fn the_store_is_pinged(store: impl Store) {
    store.ping().await.unwrap();
}

/// The tests that close the store and open it again.
pub(super) async fn s24_all_that_was_answered_is_there_after_a_restart<S: Store>(
    store: S,
    reopen: impl Fn(S) -> S,
) {
    let id = create(&store).await;
    assert!(matches!(
        store.apply(checking(id, "000000")).await.unwrap(),
        Some(Outcome::Incorrect { attempts_left: 4 })
    ));
    for _ in 0..7 {
        assert!(store.apply(counting(id)).await.unwrap());
    }
    assert!(store.apply(Keep { id, name: 9, abort: false }).await.unwrap());
    let store = reopen(store);
    assert_eq!(store.read(id).await.unwrap().unwrap().attempts_left(), 4);
    assert!(!store.apply(counting(id)).await.unwrap(), "the quota is still spent");
    assert!(
        !store.apply(Keep { id, name: 9, abort: false }).await.unwrap(),
        "the answer is still kept"
    );
    assert_eq!(store.apply(checking(id, "123456")).await.unwrap(), Some(Outcome::Approved));
    let store = reopen(store);
    assert_eq!(store.apply(checking(id, "123456")).await.unwrap(), Some(Outcome::AlreadyUsed));
}

pub(super) async fn s28_the_latest_time_is_known_after_a_restart<S: Store>(
    store: S,
    reopen: impl Fn(S) -> S,
) {
    assert_eq!(store.latest_time().await.unwrap(), Timestamp::default());
    create(&store).await;
    let store = reopen(store);
    assert_eq!(store.latest_time().await.unwrap(), START);
    store.sweep(START + LEASE, RETENTION).await.unwrap();
    store.sweep(START, RETENTION).await.unwrap();
    let store = reopen(store);
    assert_eq!(store.latest_time().await.unwrap(), START + LEASE);
}

pub(super) async fn a_restart_brings_nothing_forward_that_is_scheduled<S: Store>(
    store: S,
    reopen: impl Fn(S) -> S,
) {
    let id = create(&store).await;
    let at = START + Duration::from_secs(900);
    let schedule = OutboxChange::Schedule { message: event(id, 0), at };
    change_outbox(&store, id, schedule).await;
    let store = reopen(store);
    assert_eq!(store.next_due(Queue::Events).await.unwrap(), Some(at));
}

/// A store that was started years ahead, and then again at [`START`].
pub(super) async fn s37_what_a_wrong_clock_has_stored_goes_back_with_it<S: Store>(
    store: S,
    reopen: impl Fn(S) -> S,
) {
    let lead = Duration::from_secs(10 * 365 * 24 * 3600);
    let ahead = START + lead;
    store.resume(ahead).await.unwrap();
    let verification = opened(ahead);
    let id = verification.id();
    let moved = |message: Message| Message { expires_at: message.expires_at + lead, ..message };
    let (code, scheduled) = (moved(message(id, 1)), moved(event(id, 1)));
    let run = move |records: &mut Records| {
        records.verification = Some(verification.clone());
        records.recipient.wrong_checks.take(QUOTA, ahead).unwrap();
        records.outbox.push(OutboxChange::Enqueue { message: code.clone() });
        records
            .outbox
            .push(OutboxChange::Schedule { message: scheduled.clone(), at: ahead + LEASE });
        Decision::Commit(records.counters_lead)
    };
    let mut counters = counter_keys(1);
    counters.recipient.as_mut().unwrap().kept_for = lead + LEASE;
    let step = Change { id, counters, run };
    assert_eq!(store.apply(step).await.unwrap(), Duration::ZERO);

    store.resume(START).await.unwrap();
    let store = reopen(store);
    // An ordinary start afterwards moves nothing.
    store.resume(START).await.unwrap();
    assert_eq!(store.latest_time().await.unwrap(), START);
    assert_eq!(store.read(id).await.unwrap(), None);
    assert_eq!(store.next_due(Queue::Codes).await.unwrap(), None);
    assert_eq!(store.next_due(Queue::Events).await.unwrap(), Some(START + LEASE));
    let claimed = store.claim(Queue::Events, START + LEASE, LEASE, 10).await.unwrap();
    assert_eq!(claimed[0].expires_at, event(id, 1).expires_at);
    // From now on counters are kept in a time that goes on ahead of the clock.
    let run = move |records: &mut Records| {
        records.callers[0].counters.checks.take(QUOTA, ahead).unwrap();
        Decision::Commit((records.counters_lead, records.recipient.wrong_checks.clone()))
    };
    let step = Change { id, counters: counter_keys(1), run };
    let (found, counted) = store.apply(step).await.unwrap();
    assert_eq!(found, lead);
    assert_ne!(counted, otp::quota::SlidingWindow::default());
    assert_eq!(store.sweep(START, RETENTION).await.unwrap().counters, 0);
    // The first one ends at the last key, and the second begins again.
    let mut swept = 0;
    for _ in 0..2 {
        swept += store.sweep(START + LEASE, RETENTION).await.unwrap().counters;
    }
    assert_eq!(swept, 2);
}

pub(super) async fn s37_counters_keep_their_names_over_a_restart<S: Store>(
    store: S,
    reopen: impl Fn(S) -> S,
) {
    let name = |store: &S| store.pseudonyms().request("shop", "key");
    let before = name(&store);
    assert_eq!(name(&reopen(store)), before);
}

async fn in_parallel<S: Step>(
    store: &impl Store,
    count: usize,
    step: impl Fn(usize) -> S,
) -> Vec<S::Output> {
    let results = in_parallel_results(store, count, step).await;
    results.into_iter().map(Result::unwrap).collect()
}

async fn in_parallel_results<S: Step>(
    store: &impl Store,
    count: usize,
    step: impl Fn(usize) -> S,
) -> Vec<Result<S::Output, StoreError>> {
    let start = Arc::new(tokio::sync::Barrier::new(count));
    let spawn = |number| {
        let (store, step, start) = (store.clone(), step(number), start.clone());
        tokio::spawn(async move {
            start.wait().await;
            store.apply(step).await
        })
    };
    let tasks: Vec<_> = (0..count).map(spawn).collect();
    let mut results = Vec::with_capacity(count);
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

/// Makes one test of each function of the suite, for one back end.
///
/// `$fresh` is an expression that gives a new empty store and a function that closes a store and
/// opens the same again.
macro_rules! contract {
    ($fresh:expr; $($simple:ident)+; $($reopening:ident)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $simple() {
                let (store, _reopen) = $fresh;
                crate::store::contract::$simple(store).await;
            }
        )+
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $reopening() {
                let (store, reopen) = $fresh;
                crate::store::contract::$reopening(store, reopen).await;
            }
        )+
    };
    ($fresh:expr) => {
        contract! { $fresh;
            what_was_opened_is_read_and_an_unknown_id_is_no_error
            s3_of_200_parallel_right_checks_one_is_approved
            s4_of_200_parallel_wrong_checks_the_budget_is_compared
            counters_shared_by_many_verifications_never_exceed_their_quota
            an_aborted_step_leaves_no_trace_and_a_committed_refusal_is_kept
            s5_a_step_that_counts_a_recipient_without_a_key_fails
            an_answer_of_an_aborted_step_is_not_saved
            an_observer_is_told_of_the_alerts_of_committed_and_of_aborted_steps
            an_observer_sees_each_change_and_its_additions_are_committed_with_it
            a_step_that_panics_leaves_no_trace_and_the_store_lives
            a_failing_step_does_not_take_its_neighbours_down
            a_message_is_leased_to_one_caller_until_the_lease_ends
            a_message_given_back_is_due_at_its_time_with_its_tries
            a_message_is_not_given_back_by_who_has_lost_it
            a_lease_is_renewed_by_who_holds_it
            a_removed_message_never_comes_back
            a_claim_takes_the_longest_waiting_first_and_no_more_than_its_limit
            a_message_that_is_scheduled_is_nobodys_until_its_time
            a_message_that_is_scheduled_again_stays_as_it_was
            each_queue_is_claimed_settled_and_due_by_itself
            a_flood_of_one_queue_keeps_the_other_from_nothing
            a_sweep_leaves_an_event_that_outlives_its_verification
            a_request_is_answered_anew_once_however_many_send_it
            a_sweep_drops_what_is_over_and_nothing_else
            a_sweep_keeps_counters_as_long_as_something_in_them_is_needed
            a_sweep_tells_when_it_has_left_something
            tallies_of_a_failing_step_are_not_kept
            an_aborted_step_keeps_its_tallies_alone
            the_store_is_pinged;
            s24_all_that_was_answered_is_there_after_a_restart
            s28_the_latest_time_is_known_after_a_restart
            s37_what_a_wrong_clock_has_stored_goes_back_with_it
            s37_counters_keep_their_names_over_a_restart
            a_restart_brings_nothing_forward_that_is_scheduled
            tallies_of_parallel_steps_add_up_and_survive_a_restart
            a_sweep_drops_tallies_that_nobody_has_changed_for_long
        }
    };
}

mod at_rest;
mod sqlite;
mod tallies;

pub(super) use self::tallies::*;
