//! Two servers over one database.

use super::{super::*, *};

/// Runs steps at the same time, every other one on the other server.
async fn on_both<S: Step>(
    servers: &[PostgresStore; 2],
    count: usize,
    step: impl Fn(usize) -> S,
) -> Vec<S::Output> {
    let run = |number: usize| {
        let (store, step) = (servers[number % 2].clone(), step(number));
        tokio::spawn(async move { store.apply(step).await.unwrap() })
    };
    let tasks: Vec<_> = (0..count).map(run).collect();
    let mut outputs = Vec::new();
    for task in tasks {
        outputs.push(task.await.unwrap());
    }
    outputs
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s46_of_200_parallel_right_checks_on_two_servers_one_is_approved() {
    let (servers, _) = two_servers().await;
    for _ in 0..5 {
        let id = create(&servers[0]).await;
        let outcomes = on_both(&servers, 200, move |_| checking(id, "123456")).await;
        let approved = outcomes.iter().filter(|outcome| **outcome == Some(Outcome::Approved));
        assert_eq!(approved.count(), 1);
        let used = outcomes.iter().filter(|outcome| **outcome == Some(Outcome::AlreadyUsed));
        assert_eq!(used.count(), 199);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s46_of_200_parallel_wrong_checks_on_two_servers_one_budget_is_spent() {
    let (servers, _) = two_servers().await;
    let id = create(&servers[1]).await;
    let outcomes = on_both(&servers, 200, move |n| checking(id, &format!("{n:06}"))).await;
    let mut left: Vec<_> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            Some(Outcome::Incorrect { attempts_left }) => Some(*attempts_left),
            _ => None,
        })
        .collect();
    left.sort_unstable();
    assert_eq!(left, [0, 1, 2, 3, 4]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s46_counters_that_are_new_on_two_servers_never_exceed_their_quota() {
    let (servers, _) = two_servers().await;
    // Most of them in the moment in which there is no row to lock yet.
    for recipient in 0..20 {
        let taken = on_both(&servers, 20, move |_| {
            let id = VerificationId::generate(START, &mut SysRng).unwrap();
            let run = |records: &mut Records| {
                Decision::Commit(records.recipient.wrong_checks.take(QUOTA, START).is_ok())
            };
            Change { id, counters: counter_keys(10 + 2 * recipient), run }
        })
        .await;
        assert_eq!(taken.iter().filter(|taken| **taken).count(), 7);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s46_a_request_that_is_sent_to_both_servers_is_answered_anew_once() {
    let (servers, _) = two_servers().await;
    let id = create(&servers[0]).await;
    for name in 0..20 {
        let first = on_both(&servers, 10, move |_| Keep { id, name, abort: false }).await;
        assert_eq!(first.iter().filter(|first| **first).count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn steps_that_lock_the_same_rows_in_any_order_end() {
    let (servers, _) = two_servers().await;
    let ids = [create(&servers[0]).await, create(&servers[1]).await];
    let step = move |number: usize| {
        let byte = |offset: usize| u8::try_from((number * 7 + offset) % 11).unwrap();
        let mut counters = counter_keys(byte(0));
        counters.callers.extend(counter_keys(byte(5)).callers);
        counters.recipient = counter_keys(100 + byte(3)).recipient;
        counters.tallies.site = Some(format!("site {}", number % 3));
        let run = |records: &mut Records| {
            for caller in &mut records.callers {
                let _ = caller.counters.checks.take(QUOTA, START);
            }
            records.recipient.wrong_checks.add(QUOTA.per, 1, START);
            records.tallies.site.texts.add(START);
            Decision::Commit(())
        };
        Change { id: ids[number % 2], counters, run }
    };
    assert_eq!(on_both(&servers, 400, step).await.len(), 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tallies_of_two_servers_add_up() {
    let (servers, _) = two_servers().await;
    on_both(&servers, 100, |_| text()).await;
    on_both(&servers, 100, |_| text()).await;
    for (number, server) in [(200, 0), (201, 1), (202, 0)] {
        assert_eq!(servers[server].apply(text()).await.unwrap(), (number, number));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s46_a_message_is_claimed_by_one_of_two_servers() {
    let (servers, _) = two_servers().await;
    for _ in 0..40 {
        create(&servers[0]).await;
    }
    let claims = (0..16).map(|number| {
        let server = servers[number % 2].clone();
        tokio::spawn(async move { server.claim(Queue::Codes, LEASED, LEASE, 5).await.unwrap() })
    });
    let mut claimed = Vec::new();
    for claim in claims.collect::<Vec<_>>() {
        claimed.extend(claim.await.unwrap().into_iter().map(|message| message.key));
    }
    // Whoever was passed over is there for the next one.
    claimed.extend(
        servers[1]
            .claim(Queue::Codes, LEASED, LEASE, 50)
            .await
            .unwrap()
            .iter()
            .map(|message| message.key),
    );
    assert_eq!(claimed.len(), 40);
    claimed.sort_unstable();
    claimed.dedup();
    assert_eq!(claimed.len(), 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s46_a_message_that_another_server_is_claiming_is_passed_over() {
    let ([store, _], url) = two_servers().await;
    let ids = [create(&store).await, create(&store).await, create(&store).await];
    let other = session(&url).await;
    let lease = "UPDATE outbox SET due_at = due_at + 60000 WHERE verification = $1";
    other.execute(lease, &[&&ids[1].as_bytes()[..]]).await.unwrap();
    let claimed = store.claim(Queue::Codes, LEASED, LEASE, 10).await.unwrap();
    let mut claimed: Vec<_> = claimed.iter().map(|message| message.key.verification).collect();
    claimed.sort_unstable();
    let mut free = [ids[0], ids[2]];
    free.sort_unstable();
    assert_eq!(claimed, free);
    other.batch_execute("COMMIT").await.unwrap();
    assert_eq!(store.claim(Queue::Codes, LEASED, LEASE, 10).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s46_a_server_that_starts_revokes_no_lease_of_another() {
    let ([one, _other], url) = two_servers().await;
    let id = create(&one).await;
    let third = open(&url).await;
    let just_before = LEASED - Duration::from_millis(1);
    assert_eq!(third.claim(Queue::Codes, just_before, LEASE, 10).await.unwrap(), []);
    // The lease of one that has died ends by itself.
    drop(one);
    assert_eq!(third.claim(Queue::Codes, LEASED, LEASE, 10).await.unwrap()[0].key, code_key(id, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_servers_sweep_at_once_without_harm() {
    let (servers, _) = two_servers().await;
    for _ in 0..60 {
        create(&servers[0]).await;
    }
    let end = START + RETENTION * 2;
    let (one, other) =
        tokio::join!(servers[0].sweep(end, RETENTION), servers[1].sweep(end, RETENTION));
    let rest = servers[0].sweep(end, RETENTION).await.unwrap();
    let swept = [one.unwrap(), other.unwrap(), rest];
    assert_eq!(swept.iter().map(|swept| swept.verifications).sum::<usize>(), 60);
    assert_eq!(swept.iter().map(|swept| swept.messages).sum::<usize>(), 60);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s46_a_server_that_starts_a_little_behind_the_others_deletes_nothing() {
    let ([one, other], _) = two_servers().await;
    let id = create(&one).await;
    let ahead = START + Duration::from_secs(600);
    one.sweep(ahead, RETENTION).await.unwrap();
    other.resume(START).await.unwrap();
    assert_eq!(other.latest_time().await.unwrap(), ahead);
    assert_eq!(other.read(id).await.unwrap().unwrap().state(START), State::Pending);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s37_all_servers_know_by_how_much_the_counters_are_ahead() {
    let ([one, other], _) = two_servers().await;
    let lead = Duration::from_secs(10 * 365 * 24 * 3600);
    one.resume(START + lead).await.unwrap();
    one.resume(START).await.unwrap();
    let step = Change {
        id: opened(START).id(),
        counters: CounterKeys::default(),
        run: |records: &mut Records| Decision::Commit(records.counters_lead),
    };
    assert_eq!(other.apply(step).await.unwrap(), lead);
}

/// A step that counts the recipient of the verification that it finds, as the use cases do.
struct OfRecipient {
    id: VerificationId,
}

impl Step for OfRecipient {
    type Output = Option<usize>;

    fn verification(&self) -> VerificationId {
        self.id
    }

    fn now(&self) -> Timestamp {
        START
    }

    fn counters(&self, verification: Option<&Verification>) -> CounterKeys {
        verification.map(|_| counter_keys(1)).unwrap_or_default()
    }

    fn run(&mut self, records: &mut Records) -> Decision<Option<usize>> {
        if records.verification.is_none() {
            return Decision::Abort(None);
        }
        records.recipient.wrong_checks.add(QUOTA.per, 1, START);
        Decision::Commit(Some(records.callers.len()))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_step_whose_counters_follow_from_another_one_of_its_batch_runs_in_the_next() {
    let ([store, _], url) = two_servers().await;
    let held = create(&store).await;
    let holder = session(&url).await;
    let lock = "SELECT id FROM verification WHERE id = $1 FOR UPDATE";
    holder.query(lock, &[&&held.as_bytes()[..]]).await.unwrap();
    let spawn_checking = {
        let store = store.clone();
        tokio::spawn(async move { store.apply(checking(held, "000000")).await })
    };
    until_one_waits(&holder).await;
    // Both wait for the writer, and get into one batch.
    let fresh = opened(START);
    let id = fresh.id();
    let open = change(id, move |records| records.verification = Some(fresh.clone().into()));
    let (opened, counted, ()) =
        tokio::join!(store.apply(open), store.apply(OfRecipient { id }), async {
            holder.batch_execute("COMMIT").await.unwrap();
        });
    opened.unwrap();
    assert_eq!(counted.unwrap(), Some(1));
    spawn_checking.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_servers_that_start_at_once_share_one_key() {
    let url = TestServer::get().database();
    let starts = (0..6).map(|_| {
        let url = url.clone();
        tokio::spawn(async move { open(&url).await })
    });
    let mut names = Vec::new();
    for start in starts.collect::<Vec<_>>() {
        names.push(start.await.unwrap().pseudonyms().request("shop", "key"));
    }
    names.dedup();
    assert_eq!(names.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s37_master_secrets_rotate_over_servers_that_run() {
    let ([_one, other], url) = two_servers().await;
    let id = create(&other).await;
    let open = async |letters| PostgresStore::open(&settings(&url), &keyring(letters)).await;
    // First everywhere beside the old one, then alone.
    for letters in ["BA", "A", "BA", "B", "BA", "B"] {
        let store = open(letters).await.unwrap();
        assert!(store.read(id).await.unwrap().is_some(), "{letters}");
    }
    assert!(other.read(id).await.unwrap().is_some(), "one that runs goes on");
    let refused = open("A").await.unwrap_err();
    assert!(crate::error_chain::chain(&refused).contains("master secret"), "{refused:?}");
}
