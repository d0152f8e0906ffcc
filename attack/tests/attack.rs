//! The attacks and the honest days at a size that a debug build bears, and what each of them notices when the
//! rule against it is switched off.

use attack::{Report, Setup, Sizes, guess, honest, lock_out, pump};

const SMALL: Sizes = Sizes::SMALL;

/// A server with these settings.
fn server(settings: &[(&str, &str)]) -> Setup {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Setup { seed: 1, settings: settings.iter().map(own).collect(), ..Setup::default() }
}

fn assert_kept(report: &Report) {
    assert!(!report.promises.is_empty() && report.is_kept(), "{report}");
}

fn assert_broken(report: &Report) {
    assert!(!report.is_kept(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn s33_a_pump_from_one_address_gets_no_more_out_than_is_tolerated() {
    assert_kept(&pump::run(&server(&[]), SMALL, true).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn s33_a_pump_from_many_networks_gets_no_more_out_than_is_tolerated() {
    assert_kept(&pump::run(&server(&[]), SMALL, false).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pump_of_a_server_without_guard_is_noticed() {
    let unguarded = server(&[("LATCHKEY_SMS__GUARD", "off")]);
    assert_broken(&pump::run(&unguarded, SMALL, false).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn s34_a_day_of_guessing_at_one_recipient_stays_below_the_daily_risk() {
    assert_kept(&guess::one(&server(&[])).await.unwrap().0);
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_at_a_server_with_a_high_daily_risk_are_noticed() {
    let risky = server(&[("LATCHKEY_POLICY__DAILY_RISK", "0.001")]);
    assert_broken(&guess::one(&risky).await.unwrap().0);
}

#[tokio::test(flavor = "multi_thread")]
async fn s34_a_day_of_guessing_at_many_recipients_finds_less_than_one_code_in_a_thousand_days() {
    assert_kept(&guess::many(&server(&[]), SMALL, 240).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn s35_the_victim_of_a_lock_out_verifies_and_so_does_the_back_end() {
    assert_kept(&lock_out::run(&server(&[])).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn s33_honest_people_are_refused_nothing_after_two_weeks() {
    assert_kept(&honest::run(&server(&[]), SMALL).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn honest_people_whom_a_cold_guard_refuses_are_noticed() {
    let cold = server(&[("LATCHKEY_SMS__GUARD_LEARNING", "0")]);
    let sizes = Sizes { people: 600, history: 0, ..SMALL };
    assert_broken(&honest::run(&cold, sizes).await.unwrap());
}
