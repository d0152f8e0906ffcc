//! S46, S47: several programs over one PostgreSQL database.

use std::process::Command;

use app::wire::Outcome;
use futures_util::future::join_all;

use crate::{installation::Installation, mail_sink::MailSink, postgres::TestServer};

#[tokio::test(flavor = "multi_thread")]
async fn s46_a_verification_that_began_at_one_server_ends_at_another() {
    let mail = MailSink::open().await;
    let installation = Installation::mailing(&mail).on_a_server();
    let (one, other) = (installation.start(), installation.start());
    let id = one.browser().start("jo@example.com").await.unwrap();
    let code = &mail.codes("jo@example.com", 1).await[0];
    let wrong = ["000000", "111111", "222222"].into_iter().filter(|guess| guess != code);
    let wrong: Vec<_> = wrong.collect();
    let left = |outcome| match outcome {
        Outcome::Incorrect { attempts_left } => attempts_left,
        outcome => panic!("{outcome:?}"),
    };
    assert_eq!(left(other.browser().check(&id, wrong[0]).await.unwrap()), 4);
    assert_eq!(left(one.browser().check(&id, wrong[1]).await.unwrap()), 3);
    // Half of them on each.
    let browsers = [one.browser(), other.browser()];
    let checks = (0..40).map(|number| browsers[number % 2].check(&id, code));
    let outcomes = join_all(checks).await.into_iter().map(Result::unwrap);
    let approved = outcomes.filter(|outcome| *outcome == Outcome::Approved).count();
    assert_eq!(approved, 1);
    one.kill();
    assert_eq!(browsers[1].check(&id, code).await.unwrap(), Outcome::AlreadyUsed);
    browsers[1].start("sam@example.com").await.unwrap();
    assert_eq!(mail.codes("sam@example.com", 1).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn s47_a_server_whose_clock_differs_from_the_databases_is_not_ready() {
    let mail = MailSink::open().await;
    let installation = Installation::mailing(&mail).on_a_server();
    let program = installation.start();
    program.browser().becomes_ready().await;
    program.kill();
    // A server starts with the latest time in the database, so it is ahead now.
    let ahead = "UPDATE clock SET latest = (extract(epoch FROM now()) + 60) * 1000 RETURNING 1";
    assert_eq!(installation.sql(ahead), "1");
    let program = installation.start();
    program.browser().becomes_unready().await;
    assert!(installation.log().contains("the clocks of this server and of the database differ"));
}

#[test]
fn check_says_in_words_what_is_wrong_with_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::get();
    let latchkey = |command: &str, url: &str| {
        let mut latchkey = Command::new(env!("CARGO_BIN_EXE_latchkey"));
        let latchkey = latchkey.arg(command).current_dir(&folder).env_clear();
        let output = latchkey.env("DATABASE_URL", url).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    };
    let fine = latchkey("check", &server.database());
    assert!(fine.0 == Some(0) && fine.1.contains("the database can be used"), "{fine:?}");
    for (url, words) in [
        (server.url("nowhere"), "createdb nowhere"),
        ("postgres://jo:hunter2@127.0.0.1:1/otp".to_owned(), "it cannot be reached"),
    ] {
        for command in ["check", "serve"] {
            let (code, text) = latchkey(command, &url);
            assert!(code == Some(1) && text.contains(words), "{command}: {text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}
