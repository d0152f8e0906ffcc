//! The `latchkey` binary: reads the command line and hands over.

use std::process::ExitCode;

use clap::Parser;
use server::cli::{self, Cli};

/// A request is a few dozen small allocations, freed on another thread than the one that made them;
/// that is what this allocator is good at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    cli::run(Cli::parse()).await
}
