//! The contract of the outbox.

use super::*;

pub(in crate::store) async fn a_message_is_leased_to_one_caller_until_the_lease_ends(
    store: impl Store,
) {
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

pub(in crate::store) async fn a_message_given_back_is_due_at_its_time_with_its_tries(
    store: impl Store,
) {
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

pub(in crate::store) async fn a_message_is_not_given_back_by_who_has_lost_it(store: impl Store) {
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

pub(in crate::store) async fn a_message_is_hastened_unless_somebody_holds_it(store: impl Store) {
    let id = create(&store).await;
    let key = code_key(id, 1);
    let hasten = |at| change_outbox(&store, id, OutboxChange::Hasten { key, at });
    hasten(START).await;
    assert_eq!(store.next_due(Queue::Codes).await.unwrap(), Some(LEASED), "it is held");
    let at = START + Duration::from_secs(300);
    let back = OutboxChange::Retry {
        key,
        leased_until: LEASED,
        at,
        tries: 1,
        unanswered: 0,
        tried: "[]".into(),
    };
    change_outbox(&store, id, back).await;
    hasten(at + LEASE).await;
    assert_eq!(store.next_due(Queue::Codes).await.unwrap(), Some(at), "never later");
    hasten(START).await;
    let claimed = store.claim(Queue::Codes, START, LEASE, 10).await.unwrap();
    assert_eq!((claimed.len(), claimed[0].tries, &*claimed[0].tried), (1, 1, "[]"));
    change_outbox(&store, id, OutboxChange::Remove { key }).await;
    hasten(START).await;
    assert_eq!(store.next_due(Queue::Codes).await.unwrap(), None, "what is gone stays gone");
}

pub(in crate::store) async fn a_lease_is_renewed_by_who_holds_it(store: impl Store) {
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

pub(in crate::store) async fn a_removed_message_never_comes_back(store: impl Store) {
    let id = create(&store).await;
    let key = code_key(id, 1);
    change_outbox(&store, id, OutboxChange::Remove { key }).await;
    // Removing what is gone is no error: a late worker may do so.
    change_outbox(&store, id, OutboxChange::Remove { key }).await;
    assert_eq!(store.claim(Queue::Codes, START + LEASE * 100, LEASE, 10).await.unwrap(), []);
    assert_eq!(store.next_due(Queue::Codes).await.unwrap(), None);
}

pub(in crate::store) async fn a_claim_takes_the_longest_waiting_first_and_no_more_than_its_limit(
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

pub(in crate::store) async fn a_message_that_is_scheduled_is_nobodys_until_its_time(
    store: impl Store,
) {
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

pub(in crate::store) async fn a_message_that_is_scheduled_again_stays_as_it_was(store: impl Store) {
    let id = create(&store).await;
    let schedule = |at| OutboxChange::Schedule { message: event(id, 1), at };
    change_outbox(&store, id, schedule(START)).await;
    // A worker that missed the first answer schedules again.
    change_outbox(&store, id, schedule(START + LEASE)).await;
    assert_eq!(store.next_due(Queue::Events).await.unwrap(), Some(START));
}

pub(in crate::store) async fn each_queue_is_claimed_settled_and_due_by_itself(store: impl Store) {
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

pub(in crate::store) async fn a_flood_of_one_queue_keeps_the_other_from_nothing(store: impl Store) {
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
