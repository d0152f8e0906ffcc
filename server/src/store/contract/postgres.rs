//! The contract on the PostgreSQL store, and tests of many servers over one database.

use std::{path::Path, time::Duration};

use tokio::{runtime::Handle, task::block_in_place};

use self::server::TestServer;
use crate::store::{
    PostgresSettings, PostgresStore, Queue, Store, StoreError,
    contract::{self, keyring},
};

#[path = "../../../tests/common/postgres.rs"]
mod server;

pub(super) fn settings(url: &str) -> PostgresSettings {
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
