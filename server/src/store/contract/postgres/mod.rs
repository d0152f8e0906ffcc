//! The contract on the PostgreSQL store, and tests of that store alone.

use std::path::Path;

use tokio::{runtime::Handle, task::block_in_place};

use self::server::TestServer;
use crate::store::{PostgresSettings, PostgresStore, contract::keyring};

mod failures;
mod many_servers;
mod opening;
#[path = "../../../../tests/common/postgres.rs"]
mod server;

fn settings(url: &str) -> PostgresSettings {
    PostgresSettings::parse(url, Path::new("."), 1).unwrap()
}

async fn open(url: &str) -> PostgresStore {
    PostgresStore::open(&settings(url), &keyring("A")).await.unwrap()
}

/// A store and a function that opens it again.
async fn fresh() -> (PostgresStore, impl Fn(PostgresStore) -> PostgresStore) {
    let url = TestServer::get().database();
    let store = open(&url).await;
    let reopen = move |store: PostgresStore| {
        drop(store);
        block_in_place(|| Handle::current().block_on(open(&url)))
    };
    (store, reopen)
}

contract! { fresh().await }

/// Two servers over one new database, and its URL.
async fn two_servers() -> ([PostgresStore; 2], String) {
    let url = TestServer::get().database();
    // Both find nothing, and make the tables at the same time.
    let (one, other) = tokio::join!(open(&url), open(&url));
    ([one, other], url)
}

/// Another session of the database, which holds locks until its transaction ends.
async fn session(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("SET search_path = latchkey; BEGIN").await.unwrap();
    client
}

/// Polls until a session of a server waits for a lock.
async fn until_one_waits(client: &tokio_postgres::Client) {
    let waiting = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while client.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) == 0 {
        // The view shows the state of the beginning of the transaction otherwise.
        client.batch_execute("SELECT pg_stat_clear_snapshot()").await.unwrap();
    }
}
