//! Databases that are refused, and why.

use std::{path::PathBuf, process::Command};

use super::*;
use crate::{
    error_chain::chain,
    store::{Store, postgres::session_settings},
};

/// A server of one test alone that offers TLS by TCP, its URL, and the file of its certificate authority.
fn server_with_tls(folder: &Path) -> (TestServer, String, PathBuf) {
    let authority = folder.join("ca.pem");
    let server = TestServer::start_with(|data| {
        let openssl = |arguments: &str| {
            let mut openssl = Command::new("openssl");
            let made = openssl.args(arguments.split(' ')).current_dir(data).output().unwrap();
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        };
        let extension = "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE";
        std::fs::write(data.join("leaf.ext"), extension).unwrap();
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        openssl(&format!("req -x509 {key} -days 2 -subj /CN=Test -keyout ca.key -out ca.pem"));
        openssl(&format!("req {key} -subj /CN=localhost -keyout leaf.key -out leaf.csr"));
        openssl(
            "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile leaf.ext -out leaf.pem",
        );
        std::fs::copy(data.join("ca.pem"), &authority).unwrap();
        ["ssl=on", "ssl_cert_file=leaf.pem", "ssl_key_file=leaf.key"].map(str::to_owned).to_vec()
    });
    let port = server.sql(&server.url("postgres"), "SHOW port");
    (server, format!("postgres://latchkey@localhost:{port}/postgres"), authority)
}

/// The reason why a store cannot be opened.
async fn refusal(url: &str) -> String {
    let opened = PostgresStore::open(&settings(url), &keyring("A")).await;
    let inspected = PostgresStore::inspect(&settings(url), Some(Some(&keyring("A")))).await;
    let [opened, inspected] = [opened.err(), inspected.err()].map(|error| chain(&error.unwrap()));
    assert_eq!(opened, inspected, "`latchkey check` says the same");
    opened
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_of_a_newer_version_is_refused() {
    let url = TestServer::get().database();
    drop(open(&url).await);
    TestServer::get().sql(&url, "UPDATE latchkey.schema_version SET version = 1000");
    assert!(refusal(&url).await.contains("schema version 1000"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s39_the_schema_of_another_program_is_refused_and_left_as_it_was() {
    let url = TestServer::get().database();
    TestServer::get().sql(&url, "CREATE SCHEMA latchkey; CREATE TABLE latchkey.song (title text)");
    assert!(refusal(&url).await.contains("another program"));
    let tables = "SELECT string_agg(relname, ',') FROM pg_class
                  WHERE relnamespace = 'latchkey'::regnamespace";
    assert_eq!(TestServer::get().sql(&url, tables), "song");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn looking_at_a_database_makes_nothing_and_gives_its_time() {
    let url = TestServer::get().database();
    let keyring = keyring("A");
    let settings = settings(&url);
    let look = || PostgresStore::inspect(&settings, Some(Some(&keyring)));
    let found = look().await.unwrap();
    assert_eq!(found.latest, None);
    assert!(crate::clock::Clock::distance_of_wall(found.time) < std::time::Duration::from_secs(5));
    let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname = 'latchkey'";
    assert_eq!(TestServer::get().sql(&url, schemas), "0");
    drop(open(&url).await);
    assert_eq!(look().await.unwrap().latest, Some(otp::Timestamp::default()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_reason_why_a_database_cannot_be_used_is_told_in_words() {
    let server = TestServer::get();
    let url = server.database();
    drop(open(&url).await);
    server.sql(&url, "CREATE ROLE stranger LOGIN; CREATE ROLE locked NOLOGIN");
    for (url, words) in [
        (server.url("nowhere"), "createdb nowhere"),
        (url.replace("latchkey@", "stranger@"), "may not create the schema"),
        (url.replace("latchkey@", "locked@"), "refuses the user or the password"),
        ("postgres://jo@127.0.0.1:1/otp".to_owned(), "cannot be reached"),
        (
            "postgres://jo@127.0.0.1:1/otp?sslmode=verify-full&sslrootcert=/nowhere".to_owned(),
            "sslrootcert",
        ),
    ] {
        let reason = refusal(&url).await;
        assert!(reason.contains(words), "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s23_a_certificate_that_is_not_verified_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (server, url, authority) = server_with_tls(folder.path());
    // Loopback is plain unless TLS is asked for.
    open(&url).await.ping().await.unwrap();
    let tls = format!("{url}?sslmode=require");
    assert!(refusal(&tls).await.contains("no verified TLS connection"));
    let known = format!("{tls}&sslrootcert={}", authority.display());
    let store = open(&known).await;
    store.ping().await.unwrap();
    let encrypted = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                     WHERE ssl AND application_name LIKE 'latchkey %'";
    assert_eq!(server.sql(&url, encrypted), "3");
    // The name in the certificate is `localhost`.
    let other_name = known.replace("@localhost", "@127.0.0.1");
    assert!(refusal(&other_name).await.contains("no verified TLS connection"));
    // A server without TLS is not talked to in clear.
    let without = TestServer::start_with(|_| vec!["ssl=off".to_owned()]);
    let port = without.sql(&without.url("postgres"), "SHOW port");
    let authority = authority.display();
    let url = format!(
        "postgres://latchkey@localhost:{port}/postgres?sslmode=require&sslrootcert={authority}"
    );
    assert!(refusal(&url).await.contains("no verified TLS connection"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_that_takes_no_writes_is_refused() {
    let server = TestServer::get();
    let url = server.database();
    let name = url.rsplit('/').next().unwrap();
    server.sql(&url, &format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
    assert!(refusal(&url).await.contains("takes no writes"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s24_answered_changes_are_durable_whatever_the_database_is_set_to() {
    let server = TestServer::get();
    let url = server.database();
    let name = url.rsplit('/').next().unwrap();
    let alter = format!(
        "ALTER DATABASE {name} SET synchronous_commit = off;
         ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'"
    );
    server.sql(&url, &alter);
    let names = ["synchronous_commit", "transaction_isolation", "statement_timeout"];
    let found = session_settings(&settings(&url), &names).await;
    assert_eq!(found, ["on", "read committed", "800ms"]);
    // The locks of a server that stops in the middle are free before others give up for good (S26).
    let found = session_settings(&settings(&url), &["idle_in_transaction_session_timeout"]).await;
    assert_eq!(found, ["1s"]);
    open(&url).await.ping().await.unwrap();
}
