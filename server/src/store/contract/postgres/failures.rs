//! Failures of the database and of connections.

use super::{super::*, *};

/// Ends the sessions of all servers over the database of this one.
const END_ALL: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                       WHERE datname = current_database() AND pid <> pg_backend_pid()";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s26_a_batch_that_is_cut_off_in_the_middle_leaves_nothing() {
    let ([store, _], url) = two_servers().await;
    let id = create(&store).await;
    let wrong = move || Change {
        id,
        counters: counter_keys(1),
        run: move |records: &mut Records| {
            records.recipient.wrong_checks.take(QUOTA, START).unwrap();
            records.outbox.push(OutboxChange::Remove { key: code_key(id, 1) });
            let verification = records.verification.as_mut().unwrap();
            Decision::Commit(verification.check("000000", None, &peppers(), START))
        },
    };
    // The verification is written already when the batch waits for a row that another server is adding.
    let other = session(&url).await;
    let add = "INSERT INTO counters VALUES ($1, 0, '{}')";
    other.execute(add, &[&&counter_keys(1).recipient.unwrap().digest[..]]).await.unwrap();
    let task = {
        let store = store.clone();
        tokio::spawn(async move { store.apply(wrong()).await })
    };
    until_one_waits(&other).await;
    other.batch_execute(END_ALL).await.unwrap();
    let cut_off = task.await.unwrap();
    assert!(matches!(cut_off, Err(StoreError::Unavailable(_))), "{cut_off:?}");
    other.batch_execute("ROLLBACK").await.unwrap();

    assert_eq!(store.read(id).await.unwrap().unwrap().attempts_left(), 5);
    assert_eq!(store.next_due(Queue::Codes).await.unwrap(), Some(LEASED));
    let outcome = store.apply(wrong()).await.unwrap();
    assert_eq!(outcome, Outcome::Incorrect { attempts_left: 4 }, "it has connected again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_row_that_another_server_adds_first_makes_the_batch_run_again() {
    let ([store, _], url) = two_servers().await;
    let id = create(&store).await;
    let other = session(&url).await;
    let spent = {
        let mut counters = otp::counters::RecipientCounters::default();
        (0..7).for_each(|_| counters.wrong_checks.take(QUOTA, START).unwrap());
        serde_json::to_string(&counters).unwrap()
    };
    let digest = counter_keys(1).recipient.unwrap().digest;
    let add = "INSERT INTO counters VALUES ($1, 9223372036854775807, $2)";
    other.execute(add, &[&&digest[..], &spent]).await.unwrap();
    let task = {
        let store = store.clone();
        tokio::spawn(async move { store.apply(counting(id)).await })
    };
    until_one_waits(&other).await;
    other.batch_execute("COMMIT").await.unwrap();
    assert!(!task.await.unwrap().unwrap(), "the quota that the other one has spent counts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s26_a_store_whose_connections_were_closed_is_back_by_itself() {
    let ([store, _], url) = two_servers().await;
    let id = create(&store).await;
    let other = session(&url).await;
    other.batch_execute("COMMIT").await.unwrap();
    let name = other.query_one("SELECT current_database()", &[]).await.unwrap().get::<_, String>(0);
    let allow = async |allowed| {
        let alter =
            format!("UPDATE pg_database SET datallowconn = {allowed} WHERE datname = '{name}'");
        other.batch_execute(&alter).await.unwrap();
    };
    allow(false).await;
    other.batch_execute(END_ALL).await.unwrap();
    let began = tokio::time::Instant::now();
    assert!(store.apply(checking(id, "123456")).await.is_err());
    assert!(store.read(id).await.is_err());
    assert!(store.ping().await.is_err());
    assert!(began.elapsed() < Duration::from_secs(3), "a second each");
    allow(true).await;
    while store.ping().await.is_err() {}
    assert_eq!(store.apply(checking(id, "123456")).await.unwrap(), Some(Outcome::Approved));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s26_a_step_that_waits_too_long_for_another_server_is_refused_and_not_done_later() {
    let ([store, _], url) = two_servers().await;
    let id = create(&store).await;
    let holder = session(&url).await;
    let lock = "SELECT id FROM verification WHERE id = $1 FOR UPDATE";
    holder.query(lock, &[&&id.as_bytes()[..]]).await.unwrap();
    let began = tokio::time::Instant::now();
    let refused = store.apply(checking(id, "000000")).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert!(began.elapsed() < Duration::from_secs(1));
    // One that is given up while its batch waits for the lock.
    let asked = store.apply(checking(id, "000000"));
    assert!(tokio::time::timeout(Duration::from_millis(100), asked).await.is_err());
    holder.batch_execute("COMMIT").await.unwrap();
    let outcome = store.apply(checking(id, "123456")).await.unwrap();
    assert_eq!(outcome, Some(Outcome::Approved));
    assert_eq!(store.read(id).await.unwrap().unwrap().attempts_left(), 5, "nothing was counted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s7_a_record_that_is_moved_to_another_row_is_not_read_and_fails_alone() {
    let ([store, _], url) = two_servers().await;
    let (one, other) = (create(&store).await, create(&store).await);
    let client = session(&url).await;
    let moved = "UPDATE verification SET sealed =
                 (SELECT sealed FROM verification WHERE id = $1) WHERE id = $2";
    client.execute(moved, &[&&one.as_bytes()[..], &&other.as_bytes()[..]]).await.unwrap();
    client.batch_execute("COMMIT").await.unwrap();
    assert!(matches!(store.read(other).await, Err(StoreError::Corrupt(_))));
    let (corrupt, fine) =
        tokio::join!(store.apply(checking(other, "123456")), store.apply(checking(one, "123456")));
    assert!(matches!(corrupt, Err(StoreError::Corrupt(_))), "{corrupt:?}");
    assert_eq!(fine.unwrap(), Some(Outcome::Approved));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s7_no_table_shows_a_recipient() {
    let ([store, _], url) = two_servers().await;
    let id = create(&store).await;
    store.apply(counting(id)).await.unwrap();
    let client = session(&url).await;
    // Bytes that are letters as they are.
    client.batch_execute("SET bytea_output = 'escape'").await.unwrap();
    let tables =
        "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'latchkey'";
    let mut read = 0;
    for table in client.query(tables, &[]).await.unwrap() {
        let rows = format!(
            "SELECT coalesce(string_agg(t::text, ''), '') FROM {} t",
            table.get::<_, &str>(0)
        );
        let text: String = client.query_one(&rows, &[]).await.unwrap().get(0);
        assert!(!text.contains("jo@example.com"));
        read += usize::from(!text.is_empty());
    }
    assert!(read >= 6, "{read}");
}
