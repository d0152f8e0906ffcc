//! `cargo xtask attack`: attacks a server and prints what got through.

use std::{
    fmt::Display,
    io::{Write, stderr, stdout},
    process::ExitCode,
};

use attack::{Fault, Report, Setup, Sizes, guess, honest, lock_out, pump};
use clap::{Parser, ValueEnum};
use reqwest::Url;
use tokio::time::Instant;

/// Attacks a server of its own, as scripts do, and prints what got through. Fails if a promise of
/// docs/SECURITY.md is broken.
#[derive(Parser)]
#[command(name = "attack")]
struct Arguments {
    /// Scenarios to run; all of them by default
    #[arg(value_enum)]
    scenarios: Vec<Scenario>,
    /// Attack this development server on this machine instead, in real time, without honest days. All comes from
    /// one address, unless 127.0.0.1 is among its trusted proxies and its development hosts; the guard of a new
    /// site only records
    #[arg(long)]
    url: Option<Url>,
    /// Run at the size of the tests
    #[arg(long)]
    small: bool,
    /// Seed of the randomness
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Numbers that a pump asks for
    #[arg(long)]
    numbers: Option<u32>,
    /// Recipients that are guessed at
    #[arg(long)]
    recipients: Option<u32>,
    /// People of an honest day
    #[arg(long)]
    people: Option<u32>,
    /// Honest days before it
    #[arg(long)]
    history: Option<u32>,
    /// A setting of the server, as `LATCHKEY_SMS__GUARD=off`
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    settings: Vec<(String, String)>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scenario {
    /// Texts to many numbers, from one address
    PumpOne,
    /// Texts to many numbers, from many networks
    PumpMany,
    /// Guesses at one recipient, and at many
    Guess,
    /// Messages that keep a victim from verifying
    LockOut,
    /// People who mean it
    Honest,
}

fn setting(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("must be NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            let mut line = fault.to_string();
            let mut source = fault.source();
            while let Some(cause) = source {
                line = format!("{line}: {cause}");
                source = cause.source();
            }
            let _ = writeln!(stderr(), "{line}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all promises are kept.
async fn run(arguments: Arguments) -> Result<bool, Fault> {
    let Arguments { scenarios, url, small, seed, settings, .. } = arguments;
    let sizes = if small { Sizes::SMALL } else { Sizes::FULL };
    let sizes = Sizes {
        numbers: arguments.numbers.unwrap_or(sizes.numbers),
        recipients: arguments.recipients.unwrap_or(sizes.recipients),
        people: arguments.people.unwrap_or(sizes.people),
        history: arguments.history.unwrap_or(sizes.history),
        ..sizes
    };
    let runs = |scenario| scenarios.is_empty() || scenarios.contains(&scenario);
    if url.is_some() && scenarios.contains(&Scenario::Honest) {
        return Err("honest days need a clock that is set forward: leave --url out".into());
    }
    let runs_honest = url.is_none() && runs(Scenario::Honest);
    let setup = Setup { url, seed, settings };
    print(format_args!("Seed {seed}\n"));
    let mut all_kept = true;
    let mut finish = |began: Instant, report: &Report| {
        print(format_args!("{report}  took {:.1} s\n", began.elapsed().as_secs_f64()));
        all_kept &= report.is_kept();
    };
    for (scenario, from_one_address) in [(Scenario::PumpOne, true), (Scenario::PumpMany, false)] {
        if runs(scenario) {
            let began = Instant::now();
            finish(began, &pump::run(&setup, sizes, from_one_address).await?);
        }
    }
    if runs(Scenario::Guess) {
        let began = Instant::now();
        let (report, sends) = guess::one(&setup).await?;
        finish(began, &report);
        let began = Instant::now();
        finish(began, &guess::many(&setup, sizes, sends).await?);
    }
    if runs(Scenario::LockOut) {
        let began = Instant::now();
        finish(began, &lock_out::run(&setup).await?);
    }
    if runs_honest {
        let began = Instant::now();
        finish(began, &honest::run(&setup, sizes).await?);
    }
    Ok(all_kept)
}

fn print(text: impl Display) {
    // A closed pipe is no error.
    let _ = writeln!(stdout(), "{text}");
}
