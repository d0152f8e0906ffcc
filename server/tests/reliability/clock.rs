//! S28: the system clock is set back or forward by an hour while the program is down. S37: by days.
//!
//! The tests do not set the clock of the machine. They move the time that the program has stored, which is
//! the same to it: a stored time an hour from now is a clock that was set back by an hour.

use app::wire::Outcome;

use crate::{installation::Installation, mail_sink::MailSink};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// Moves the stored time forward.
fn advance_stored_time(installation: &Installation, milliseconds: i64) {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
    let noted = format!(
        "UPDATE clock SET latest = (CASE WHEN latest > {now} THEN latest ELSE {now} END) + ({milliseconds})
         RETURNING 1"
    );
    assert_eq!(installation.sql(&noted), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn s28_a_clock_that_was_set_back_revives_no_expired_code() {
    let mail = MailSink::open().await;
    let installation = Installation::mailing(&mail);
    let program = installation.start();
    let id = program.browser().start("jo@example.com").await.unwrap();
    let code = &mail.codes("jo@example.com", 1).await[0];
    program.browser().delivered(&id).await;
    program.kill();
    advance_stored_time(&installation, HOUR);

    let program = installation.start();
    assert_eq!(program.browser().check(&id, code).await.unwrap(), Outcome::Expired);
    assert_eq!(program.browser().view(&id).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn s28_after_a_clock_was_set_back_codes_and_limits_run_as_ever() {
    let mail = MailSink::open().await;
    let installation =
        Installation::mailing(&mail).with("LATCHKEY_LIMITS__RECIPIENT_SENDS_PER_10_MINUTES", "1");
    drop(installation.start());
    advance_stored_time(&installation, HOUR);
    let program = installation.start();
    let id = program.browser().start("jo@example.com").await.unwrap();
    let code = &mail.codes("jo@example.com", 1).await[0];
    assert_eq!(program.browser().check(&id, code).await.unwrap(), Outcome::Approved);
    let again = [("channel", "email"), ("email", "jo@example.com")];
    let refused = program.browser().form("/", &again).send().await.unwrap();
    assert_eq!(refused.status(), 429);
    let wait: i64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    // A window is counted in twenty slots.
    let (window, slot) = (600, 30);
    assert!(wait <= window + slot, "ten minutes, without the hour: {wait}");
    program.kill();
    // A few seconds of margin, for the time since the last store.
    advance_stored_time(&installation, (window + slot + 10) * 1000);
    let program = installation.start();
    program.browser().start("jo@example.com").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn s37_a_clock_days_away_from_the_database_needs_a_word_of_the_operator() {
    let mail = MailSink::open().await;
    let installation =
        Installation::mailing(&mail).with("LATCHKEY_LIMITS__RECIPIENT_SENDS_PER_10_MINUTES", "1");
    drop(installation.start());
    advance_stored_time(&installation, -100 * DAY);
    assert_eq!(installation.spawn().exit().code(), Some(1));
    assert!(
        installation.log().contains("start once with --accept-clock"),
        "{}",
        installation.log()
    );
    drop(installation.start_with(&["--accept-clock"]));
    let program = installation.start();
    let id = program.browser().start("jo@example.com").await.unwrap();
    let code = &mail.codes("jo@example.com", 1).await[0];
    program.kill();

    // As after a run in the future.
    advance_stored_time(&installation, 3000 * DAY);
    assert_eq!(installation.spawn().exit().code(), Some(1));
    drop(installation.start_with(&["--accept-clock"]));
    let program = installation.start();
    assert_eq!(program.browser().check(&id, code).await.unwrap(), Outcome::Expired);
    let id = program.browser().start("sam@example.com").await.unwrap();
    let code = &mail.codes("sam@example.com", 1).await[0];
    assert_eq!(program.browser().check(&id, code).await.unwrap(), Outcome::Approved);
    program.kill();
    let program = installation.start();
    let again = [("channel", "email"), ("email", "sam@example.com")];
    let refused = program.browser().form("/", &again).send().await.unwrap();
    assert_eq!(refused.status(), 429);
    let wait: i64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!(wait <= 630, "ten minutes, without the years: {wait}");
}
