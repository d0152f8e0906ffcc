//! S28: the machine's clock is set back or forward by an hour while the program is down.
//!
//! Nobody sets the clock of the machine that runs tests; what the program has noted about the time
//! is moved instead, which looks the same to it: a last life that ended an hour from now is a clock
//! that was set back by an hour.

use app::wire::Outcome;
use rusqlite::Connection;

use crate::{installation::Installation, postbox::Postbox};

const HOUR: i64 = 3_600_000;

/// The last life ended so many milliseconds later than it did.
fn ended_later(installation: &Installation, milliseconds: i64) {
    let database = Connection::open(installation.database()).unwrap();
    let noted = "UPDATE clock SET latest = max(latest, unixepoch('subsec') * 1000) + ?1";
    assert_eq!(database.execute(noted, [milliseconds]).unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn s28_a_clock_that_was_set_back_revives_no_expired_code() {
    let postbox = Postbox::open().await;
    let installation = Installation::mailing(&postbox);
    let program = installation.start();
    let id = program.browser().start("jo@example.com").await.unwrap();
    let code = &postbox.codes("jo@example.com", 1).await[0];
    program.browser().delivered(&id).await;
    program.kill();
    ended_later(&installation, HOUR);

    let program = installation.start();
    assert_eq!(program.browser().check(&id, code).await.unwrap(), Outcome::Expired);
    assert_eq!(program.browser().view(&id).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn s28_after_a_clock_was_set_back_codes_and_limits_run_as_ever() {
    let postbox = Postbox::open().await;
    let installation = Installation::mailing(&postbox)
        .with("LATCHKEY_LIMITS__RECIPIENT_SENDS_PER_10_MINUTES", "1");
    drop(installation.start());
    ended_later(&installation, HOUR);
    let program = installation.start();
    let id = program.browser().start("jo@example.com").await.unwrap();
    let code = &postbox.codes("jo@example.com", 1).await[0];
    assert_eq!(program.browser().check(&id, code).await.unwrap(), Outcome::Approved);
    let again = [("channel", "email"), ("email", "jo@example.com")];
    let refused = program.browser().form("/", &again).send().await.unwrap();
    assert_eq!(refused.status(), 429);
    let wait: i64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    // A twentieth of the window is the grain of its count.
    let (window, grain) = (600, 30);
    assert!(wait <= window + grain, "ten minutes, not that and an hour: {wait}");
    program.kill();
    // A little may have gone by since the time was noted.
    ended_later(&installation, (window + grain + 10) * 1000);
    let program = installation.start();
    program.browser().start("jo@example.com").await.unwrap();
}
