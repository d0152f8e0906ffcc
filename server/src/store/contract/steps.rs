//! The contract of steps, and of their observer.

use super::*;

pub(in crate::store) async fn what_was_opened_is_read_and_an_unknown_id_is_no_error(
    store: impl Store,
) {
    let id = create(&store).await;
    assert_eq!(store.read(id).await.unwrap().unwrap().state(START), State::Pending);
    let unknown = VerificationId::generate(START, &mut SysRng).unwrap();
    assert_eq!(store.read(unknown).await.unwrap(), None);
    assert_eq!(store.apply(checking(unknown, "123456")).await.unwrap(), None);
}

pub(in crate::store) async fn s3_of_200_parallel_right_checks_one_is_approved(store: impl Store) {
    let id = create(&store).await;
    let outcomes = in_parallel(&store, 200, move |_| checking(id, "123456")).await;
    let approved = outcomes.iter().filter(|outcome| **outcome == Some(Outcome::Approved)).count();
    let used = outcomes.iter().filter(|outcome| **outcome == Some(Outcome::AlreadyUsed)).count();
    assert_eq!((approved, used), (1, 199));
}

pub(in crate::store) async fn s4_of_200_parallel_wrong_checks_the_budget_is_compared(
    store: impl Store,
) {
    let id = create(&store).await;
    let outcomes = in_parallel(&store, 200, move |n| checking(id, &format!("{n:06}"))).await;
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

pub(in crate::store) async fn counters_shared_by_many_verifications_never_exceed_their_quota(
    store: impl Store,
) {
    let taken = in_parallel(&store, 100, |_| {
        counting(VerificationId::generate(START, &mut SysRng).unwrap())
    })
    .await;
    assert_eq!(taken.iter().filter(|taken| **taken).count(), 7);
}

pub(in crate::store) async fn an_aborted_step_leaves_no_trace_and_a_committed_refusal_is_kept(
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

pub(in crate::store) async fn s5_a_step_that_counts_a_recipient_without_a_key_fails(
    store: impl Store,
) {
    let id = create(&store).await;
    let uncounted = change(id, |records: &mut Records| {
        records.recipient.wrong_checks.take(QUOTA, START).unwrap();
        records.verification.as_mut().unwrap().check("123456", None, &peppers(), START)
    });
    assert!(store.apply(uncounted).await.is_err());
    assert_eq!(store.read(id).await.unwrap().unwrap().state(START), State::Pending);
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

pub(in crate::store) async fn an_observer_is_told_of_the_alerts_of_committed_and_of_aborted_steps(
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

pub(in crate::store) async fn an_observer_sees_each_change_and_its_additions_are_committed_with_it(
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

pub(in crate::store) async fn a_step_that_panics_leaves_no_trace_and_the_store_lives(
    store: impl Store,
) {
    let id = create(&store).await;
    let panicking = change(id, |records: &mut Records| {
        records.verification.as_mut().unwrap().cancel(START);
        std::panic::panic_any("on purpose");
    });
    assert!(store.apply(panicking).await.is_err());
    assert_eq!(store.apply(checking(id, "123456")).await.unwrap(), Some(Outcome::Approved));
}

pub(in crate::store) async fn a_failing_step_does_not_take_its_neighbours_down(store: impl Store) {
    let id = create(&store).await;
    // Every third one fails: the message is in the outbox already.
    let steps = in_parallel_results(&store, 30, move |number| {
        let fresh = opened(START);
        let enqueued = if number % 3 == 0 { id } else { fresh.id() };
        change(fresh.id(), move |records| {
            records.verification = Some(fresh.clone().into());
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
