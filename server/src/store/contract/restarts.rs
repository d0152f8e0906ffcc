//! The contract of what a restart leaves as it was.

use super::*;

/// The tests that close the store and open it again.
pub(in crate::store) async fn s24_all_that_was_answered_is_there_after_a_restart<S: Store>(
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

pub(in crate::store) async fn s28_the_latest_time_is_known_after_a_restart<S: Store>(
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

pub(in crate::store) async fn a_restart_brings_nothing_forward_that_is_scheduled<S: Store>(
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
pub(in crate::store) async fn s37_what_a_wrong_clock_has_stored_goes_back_with_it<S: Store>(
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
        records.verification = Some(verification.clone().into());
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

pub(in crate::store) async fn s37_counters_keep_their_names_over_a_restart<S: Store>(
    store: S,
    reopen: impl Fn(S) -> S,
) {
    let name = |store: &S| store.pseudonyms().request("shop", "key");
    let before = name(&store);
    assert_eq!(name(&reopen(store)), before);
}

pub(in crate::store) async fn s40_a_restart_brings_no_message_forward_that_was_given_back<
    S: Store,
>(
    store: S,
    reopen: impl Fn(S) -> S,
) {
    let id = create(&store).await;
    let at = START + Duration::from_secs(300);
    let back = OutboxChange::Retry {
        key: code_key(id, 1),
        leased_until: LEASED,
        at,
        tries: 1,
        unanswered: 0,
        tried: "[]".into(),
    };
    change_outbox(&store, id, back).await;
    let store = reopen(store);
    assert_eq!(store.next_due(Queue::Codes).await.unwrap(), Some(at));
}
