//! The contract of sweeps.

use super::*;

pub(in crate::store) async fn a_sweep_leaves_an_event_that_outlives_its_verification(
    store: impl Store,
) {
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

pub(in crate::store) async fn a_sweep_drops_what_is_over_and_nothing_else(store: impl Store) {
    let old = create(&store).await;
    let later = START + RETENTION + Duration::from_millis(1);
    let young = opened(later);
    let id = young.id();
    store
        .apply(change(id, move |records| records.verification = Some(young.clone().into())))
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

pub(in crate::store) async fn a_sweep_keeps_counters_as_long_as_something_in_them_is_needed(
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

pub(in crate::store) async fn a_sweep_tells_when_it_has_left_something(store: impl Store) {
    const MANY: usize = 1200;
    let open = |_| {
        let verification = opened(START);
        change(verification.id(), move |records| {
            records.verification = Some(verification.clone().into());
        })
    };
    // Not all at once: a store that is too slow for that would refuse some.
    for _ in 0..MANY / 100 {
        in_parallel(&store, 100, open).await;
    }
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
