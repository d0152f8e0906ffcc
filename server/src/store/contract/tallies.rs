//! The contract of tallies.

use super::*;

fn keys() -> CounterKeys {
    let tallies = TallyKeys {
        server: true,
        site: Some("demo".into()),
        country: Some("GB".into()),
        prefix: Some("+44770".into()),
    };
    CounterKeys { tallies, ..CounterKeys::default() }
}

/// Texts of the server and of a prefix.
pub(super) type Counted = (u64, u64);

/// Counts a text of the server and of a prefix, and gives the numbers before it.
fn texting(
    keys: CounterKeys,
    decide: fn(Counted) -> Decision<Counted>,
) -> impl Step<Output = Counted> {
    let run = move |records: &mut Records| {
        let Tallies { server, prefix, .. } = &mut records.tallies;
        let counted = [server, prefix].map(|tally| {
            let counted = tally.texts.hour.sum(HOUR, START);
            tally.texts.add(START);
            counted
        });
        records.verification = Some(opened(START).into());
        decide(counted.into())
    };
    Change { id: opened(START).id(), counters: keys, run }
}

/// Counts a text of the server and of a prefix, and gives the numbers before it.
pub(super) fn text() -> impl Step<Output = Counted> {
    texting(keys(), Decision::Commit)
}

pub(in crate::store) async fn tallies_of_parallel_steps_add_up_and_survive_a_restart<S: Store>(
    store: S,
    reopen: impl Fn(S) -> S,
) {
    let steps = in_parallel_results(&store, 300, |_| texting(keys(), Decision::Commit)).await;
    assert!(steps.iter().all(Result::is_ok));
    let store = reopen(store);
    assert_eq!(store.apply(texting(keys(), Decision::Commit)).await.unwrap(), (300, 300));
    let mut elsewhere = keys();
    elsewhere.tallies.prefix = Some("+44771".into());
    assert_eq!(store.apply(texting(elsewhere, Decision::Commit)).await.unwrap(), (301, 0));
    let mut other_site = keys();
    other_site.tallies.site = Some("shop".into());
    assert_eq!(store.apply(texting(other_site, Decision::Commit)).await.unwrap(), (302, 0));
}

pub(in crate::store) async fn tallies_of_a_failing_step_are_not_kept(store: impl Store) {
    let count = || texting(keys(), Decision::Commit);
    store.apply(count()).await.unwrap();
    let steps = in_parallel_results(&store, 90, |number| {
        let run = move |records: &mut Records| {
            records.tallies.server.texts.add(START);
            assert!(number % 3 > 0, "on purpose");
            Decision::Commit(())
        };
        Change { id: opened(START).id(), counters: keys(), run }
    })
    .await;
    assert_eq!(steps.iter().filter(|result| result.is_ok()).count(), 60);
    assert_eq!(store.apply(count()).await.unwrap().0, 61);
}

pub(in crate::store) async fn an_aborted_step_keeps_its_tallies_alone(store: impl Store) {
    store.apply(texting(keys(), Decision::Abort)).await.unwrap();
    assert_eq!(store.apply(texting(keys(), Decision::Commit)).await.unwrap(), (1, 1));
    let id = opened(START).id();
    let run = move |records: &mut Records| {
        records.verification = Some(opened(START).into());
        Decision::Abort(())
    };
    store.apply(Change { id, counters: keys(), run }).await.unwrap();
    assert_eq!(store.read(id).await.unwrap(), None);
}

pub(in crate::store) async fn a_sweep_drops_tallies_that_nobody_has_changed_for_long<S: Store>(
    store: S,
    reopen: impl Fn(S) -> S,
) {
    const DAYS: u32 = 91;
    store.apply(texting(keys(), Decision::Commit)).await.unwrap();
    store.sweep(START + DAY, RETENTION).await.unwrap();
    let store = reopen(store);
    assert_eq!(store.apply(texting(keys(), Decision::Commit)).await.unwrap(), (1, 1));
    store.sweep(START + DAY * DAYS, RETENTION).await.unwrap();
    let store = reopen(store);
    assert_eq!(store.apply(texting(keys(), Decision::Commit)).await.unwrap(), (0, 0));
}
