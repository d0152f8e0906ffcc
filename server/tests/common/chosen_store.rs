//! The store that this run of the tests is over.

use crate::postgres::TestServer;

/// The URL of a new database, if this run is one over PostgreSQL (`LATCHKEY_TEST_STORE=postgres`).
pub(crate) fn database() -> Option<String> {
    let chosen = std::env::var("LATCHKEY_TEST_STORE").ok()?;
    assert_eq!(chosen, "postgres", "the other store is the default");
    Some(TestServer::get().database())
}
