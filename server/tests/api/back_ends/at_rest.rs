//! The files or tables of the database, as somebody reads them who has copied them.

use std::collections::BTreeMap;

use serde_json::json;
use server::site::SecretDigest;

use super::{
    Reply,
    results::{REDEEM, token},
};
use crate::{
    app::{START, TestApp, eventually, wrong},
    postgres::TestServer,
};

const SHOP: &str = "lk_sec_shop";

/// Everything personal that the journey below hands over, as typed and in canonical form.
const PERSONAL: [&str; 9] = [
    "Jane.Doe+s7@Example.com",
    "jane.doe+s7@example.com",
    "Jane.Doe",
    "jane.doe",
    "2079460123",
    "7946 0123",
    "order-1042",
    "session-of-jane",
    "jane-signs-up",
];

/// A shop whose events are never accepted, so that they stay.
fn shop() -> String {
    let digest = SecretDigest::of(SHOP);
    format!(
        "[webhook]\nallowed_networks = [\"127.0.0.1\"]\n\
         [[sites]]\nname = \"shop\"\nsecret_keys = [\"{digest}\"]\nsms.line_types = [\"fixed_line\"]\n\
         [sites.webhook]\nurl = \"http://127.0.0.1:9/\"\n"
    )
}

/// Asserts that no file of the database holds anything personal; gives the number of verifications.
fn assert_nothing_personal(app: &TestApp) -> u32 {
    // Keeps the log of the file while it is looked at.
    let verifications = app.count("SELECT count(*) FROM verification");
    let stored = app.stored();
    let names = if app.database().is_some() {
        ["counters", "outbox", "verification"]
    } else {
        ["latchkey.db", "latchkey.db-wal", "latchkey.db-shm"]
    };
    for name in names {
        assert!(stored.iter().any(|(stored, _)| stored == name), "{name} is looked at");
    }
    for (name, file) in stored {
        for needle in PERSONAL {
            let found = file.windows(needle.len()).any(|window| window == needle.as_bytes());
            assert!(!found, "{needle} is in {name}");
        }
    }
    verifications
}

#[tokio::test(flavor = "multi_thread")]
async fn s7_nothing_personal_is_in_the_files_of_the_database() {
    let app = TestApp::start().await;
    std::fs::write(app.folder().join("latchkey.toml"), shop()).unwrap();
    let app = app.restart().await;
    let shop = app.back_end(SHOP);
    let body = json!({"to": "Jane.Doe+s7@Example.com", "purpose": "jane-signs-up",
                      "state": "session-of-jane", "metadata": {"order": "order-1042"}});
    let created = shop.repeatable("create", "/v1/verifications", &body).await;
    let (path, id) = (created.header("location"), created.json["id"].as_str().unwrap());
    let code = app.code(1).await;
    shop.check(path, &wrong(&code)).await;
    app.advance(60);
    let ok = |reply: &Reply| assert!((200..300).contains(&reply.status), "{}", reply.text);
    ok(&shop.post(&format!("{path}/sends"), &json!({})).await);
    let code = app.code(2).await;
    let checked = shop.repeatable("check", &format!("{path}/checks"), &json!({"code": code})).await;
    assert_eq!(checked.json["result"], "approved");
    let token = app.tokens().sign(&token(id, "shop", START)).unwrap();
    ok(&shop.repeatable("redeem", REDEEM, &json!({"token": token})).await);
    let to = json!({"to": "020 7946 0123", "country": "GB"});
    let cancelled = shop.post("/v1/verifications", &to).await;
    ok(&shop.delete(cancelled.header("location")).await);
    app.start_email("jane.doe+s7@example.com").await;
    app.start_sms("020 7946 0123").await;
    app.code(5).await;
    assert_eq!(assert_nothing_personal(&app), 4);

    // A start sweeps, here long after everything is over.
    app.advance(40 * 24 * 3600);
    let app = app.restart().await;
    eventually("the sweep", async || {
        tokio::task::yield_now().await;
        (assert_nothing_personal(&app) == 0).then_some(())
    })
    .await;
}

/// Every table with its columns, as lines of a document.
fn tables(app: &TestApp) -> Vec<String> {
    if let Some(url) = app.database() {
        let select = "SELECT '| `' || table_name || '` | '
                          || string_agg('`' || column_name || '`', ', ' ORDER BY ordinal_position) || ' |'
                      FROM information_schema.columns WHERE table_schema = 'latchkey'
                      GROUP BY table_name ORDER BY table_name";
        return TestServer::get().sql(url, select).lines().map(str::to_owned).collect();
    }
    let database = rusqlite::Connection::open(app.folder().join("data/latchkey.db")).unwrap();
    let select = "SELECT t.name, group_concat('`' || c.name || '`', ', ' ORDER BY c.cid)
                  FROM sqlite_schema t, pragma_table_info(t.name) c
                  WHERE t.type = 'table' GROUP BY t.name ORDER BY t.name";
    let mut select = database.prepare(select).unwrap();
    let tables = select.query_map([], |row| {
        let (table, columns): (String, String) = (row.get(0)?, row.get(1)?);
        Ok(format!("| `{table}` | {columns} |"))
    });
    tables.unwrap().collect::<Result<_, _>>().unwrap()
}

/// The table that a line with this beginning describes, and the line.
fn of_table<'a>(line: &'a str, beginning: &str) -> Option<(&'a str, &'a str)> {
    Some((line.strip_prefix(beginning)?.split_once('`')?.0, line))
}

/// The section of `docs/SECURITY.md` about a copy of the database has a line for each table with all
/// its columns, and no other lines.
#[tokio::test(flavor = "multi_thread")]
async fn s7_every_column_of_the_database_is_described() {
    let app = TestApp::start().await;
    let tables = tables(&app);
    let document = include_str!("../../../../docs/SECURITY.md");
    let section = document.split_once("## A copy of the database").unwrap().1;
    let section = section.split_once("\n## ").unwrap().0;
    // Lines of PostgreSQL alone take the place of those of the same table.
    let own: BTreeMap<_, _> =
        section.lines().filter_map(|line| of_table(line, "| PostgreSQL: `")).collect();
    let mut all: BTreeMap<_, _> =
        section.lines().filter_map(|line| of_table(line, "| `")).collect();
    if app.database().is_some() {
        all.extend(own);
    }
    let described = all.values().map(|line| {
        let line = line.replace("PostgreSQL: ", "");
        format!("{} |", line.rsplit_once(" | ").unwrap().0)
    });
    let described: Vec<_> = described.collect();
    assert_eq!(described, tables);
}
