//! The command line, and the only place that writes to standard output and standard error
//! (log lines apart).
//!
//! What a command prints is for people, except where its output is the point: `keys`, `openapi`
//! and `completions` print that alone to standard output, so that it can be redirected.

mod check;
mod keys;
mod probe;
mod send_test;
mod serve;
mod webhook_secret;

use std::{
    error::Error,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::{
    config::{Config, Sources},
    error_chain::chain,
    http,
};

/// What `sysexits.h` calls a configuration error; service managers know not to try again.
const EXIT_CONFIG: u8 = 78;

/// Proves that a person controls an e-mail address or a phone number.
#[derive(Debug, Parser)]
#[command(name = "latchkey", version, max_term_width = 100)]
pub struct Cli {
    /// Configuration file [default: `$LATCHKEY_CONFIG`, or latchkey.toml if there is one]
    #[arg(long, short, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the pages, the element and the API
    Serve,
    /// Say whether the configuration is complete and the providers would take messages
    Check,
    /// Send a message with a made-up code, to see it arrive
    SendTest {
        /// E-mail address, or phone number as +44...
        #[arg(long, value_name = "RECIPIENT")]
        to: String,
    },
    /// Print a fresh master secret and how to use it, or the keys of a site
    Keys {
        /// Which keys instead of the master secret
        #[command(subcommand)]
        keys: Option<keys::Keys>,
    },
    /// Print the description of the JSON API (OpenAPI 3.1)
    Openapi,
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// Why a command ends other than well.
enum Failure {
    /// The configuration cannot be used.
    Config(Box<dyn Error>),
    /// Something else went wrong.
    Other(Box<dyn Error>),
    /// The command's own output says it.
    Told,
}

impl<E: Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Other(Box::new(error))
    }
}

/// Runs one command; gives what the process should exit with.
pub async fn run(cli: Cli) -> ExitCode {
    let mut out = io::stdout();
    let outcome = match cli.command {
        Command::Keys { keys: Some(keys::Keys::Webhook { site }) } => load(cli.config)
            .and_then(|config| webhook_secret::print(&config, &site, &mut out, &mut io::stderr())),
        Command::Keys { keys } => keys::print(keys, &mut out, &mut io::stderr()),
        Command::Openapi => print_openapi(&mut out),
        Command::Completions { shell } => print_completions(shell, &mut out),
        command => match load(cli.config) {
            Err(failure) => Err(failure),
            Ok(config) => match command {
                Command::Serve => serve::serve(&config).await,
                Command::Check => check::check(&config, &mut out).await,
                Command::SendTest { to } => send_test::send_test(&config, &to, &mut out).await,
                Command::Keys { .. } | Command::Openapi | Command::Completions { .. } => Ok(()),
            },
        },
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Told) => ExitCode::FAILURE,
        Err(Failure::Config(error)) => complain(&*error, ExitCode::from(EXIT_CONFIG)),
        Err(Failure::Other(error)) => complain(&*error, ExitCode::FAILURE),
    }
}

fn load(file: Option<PathBuf>) -> Result<Config, Failure> {
    Config::load(&Sources::of_process(file)).map_err(|error| Failure::Config(Box::new(error)))
}

fn complain(error: &dyn Error, code: ExitCode) -> ExitCode {
    // Where standard error is closed there is nobody to tell.
    let _ = writeln!(io::stderr(), "latchkey: {}", chain(error));
    code
}

fn print_openapi(out: &mut impl Write) -> Result<(), Failure> {
    out.write_all(http::api::description().as_bytes())?;
    Ok(())
}

fn print_completions(shell: Shell, out: &mut impl Write) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "latchkey", &mut script);
    out.write_all(&script)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn the_command_line_makes_sense() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_shell_is_told_the_commands() {
        for shell in Shell::value_variants() {
            let mut out = Vec::new();
            assert!(print_completions(*shell, &mut out).is_ok());
            assert!(String::from_utf8(out).unwrap().contains("send-test"), "{shell}");
        }
    }
}
