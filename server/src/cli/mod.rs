//! The command line, and the only place that writes to standard output and standard error
//! (log lines apart).
//!
//! `keys`, `openapi` and `completions` print their result alone to standard output, so that it can be
//! redirected. The output of the other commands is for people.

mod check;
mod keys;
mod probe;
mod send_test;
mod serve;

use std::{
    error::Error,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use otp::Channel;

use crate::{
    config::{Config, Sources},
    error_chain::chain,
    http,
};

/// `EX_CONFIG` of `sysexits.h`; service managers know not to try again.
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
    Serve {
        /// Start although the machine's clock is far from the latest time in the database. Once, after you have
        /// looked at the clock: see "The clock" in docs/CONFIGURATION.md
        #[arg(long)]
        accept_clock: bool,
    },
    /// Check that the configuration is complete and the providers would take messages
    Check,
    /// Send a message with a made-up code, to see it arrive
    SendTest {
        /// E-mail address, or phone number as +44...
        #[arg(long, value_name = "RECIPIENT")]
        to: String,
        /// Provider to send it by, instead of the first that takes it
        #[arg(long, value_name = "NAME")]
        provider: Option<String>,
        /// Channel to send it by: "email", "sms", "whatsapp" or "voice" [default: "email" or "sms"]
        #[arg(long, value_name = "CHANNEL", value_parser = channel)]
        channel: Option<Channel>,
    },
    /// Print a fresh master secret and how to use it, or the keys of a site
    Keys {
        /// The keys to print instead of the master secret
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

/// A failed command.
enum CommandError {
    /// The configuration cannot be used.
    Config(Box<dyn Error>),
    /// Something else went wrong.
    Other(Box<dyn Error>),
    /// The command has printed the reason already.
    Reported,
}

impl<E: Error + 'static> From<E> for CommandError {
    fn from(error: E) -> Self {
        Self::Other(Box::new(error))
    }
}

/// Runs one command and returns the exit code of the process.
pub async fn run(cli: Cli) -> ExitCode {
    match Box::pin(execute(cli)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(CommandError::Reported) => ExitCode::FAILURE,
        Err(CommandError::Config(error)) => complain(&*error, ExitCode::from(EXIT_CONFIG)),
        Err(CommandError::Other(error)) => complain(&*error, ExitCode::FAILURE),
    }
}

async fn execute(Cli { config, command }: Cli) -> Result<(), CommandError> {
    let mut out = io::stdout();
    let config = || load(config);
    match command {
        Command::Serve { accept_clock } => serve::serve(&config()?, accept_clock).await,
        Command::Check => check::check(&config()?, &mut out).await,
        Command::SendTest { to, provider, channel } => {
            send_test::send_test(&config()?, &to, provider.as_deref(), channel, &mut out).await
        }
        Command::Keys { keys } => keys::print(keys, config, &mut out, &mut io::stderr()),
        Command::Openapi => print_openapi(&mut out),
        Command::Completions { shell } => print_completions(shell, &mut out),
    }
}

fn channel(word: &str) -> Result<Channel, String> {
    Channel::parse(word).ok_or_else(|| {
        let words: Vec<_> = Channel::ALL.iter().map(|channel| channel.as_str()).collect();
        format!("must be one of: {}", words.join(", "))
    })
}

fn load(file: Option<PathBuf>) -> Result<Config, CommandError> {
    Config::load(&Sources::of_process(file)).map_err(|error| CommandError::Config(Box::new(error)))
}

fn complain(error: &dyn Error, code: ExitCode) -> ExitCode {
    // Nothing can be done where standard error is closed.
    let _ = writeln!(io::stderr(), "latchkey: {}", chain(error));
    code
}

fn print_openapi(out: &mut impl Write) -> Result<(), CommandError> {
    out.write_all(http::api::description().as_bytes())?;
    Ok(())
}

fn print_completions(shell: Shell, out: &mut impl Write) -> Result<(), CommandError> {
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
