//! Build steps of the site that is embedded in the server; `scripts/build.sh` runs them. And a way to the
//! simulator of attacks, which is a crate of its own: it needs the server, which needs the site.
//!
//! They call libraries instead of installed tools, so Cargo.lock pins the version of wasm-bindgen for
//! the glue and for the WebAssembly alike.

mod bindgen;
mod compress;
mod site;

use std::{
    error::Error,
    ffi::OsString,
    io::Write,
    path::Path,
    process::{Command, ExitCode},
};

const USAGE: &str = "\
usage: cargo xtask bindgen <in.wasm> <out-dir>   write island.js and island_bg.wasm
       cargo xtask site <in-dir> <out-dir>       hash and compress files, write manifest.json
       cargo xtask attack [<options>]            attack a server, print what gets through
";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let result = match arguments.iter().map(|word| word.to_str()).collect::<Option<Vec<_>>>() {
        Some(words) => match words[..] {
            ["bindgen", wasm, out] => bindgen::generate(Path::new(wasm), Path::new(out)),
            ["site", source, out] => site::build(Path::new(source), Path::new(out))
                .map(|summary| print(&summary.to_string()))
                .map_err(Into::into),
            ["attack", ref options @ ..] => return attack(options),
            _ => Err(USAGE.into()),
        },
        None => Err("the arguments are not valid UTF-8".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_error(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

/// Runs the simulator, and ends as it does.
fn attack(options: &[&str]) -> ExitCode {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["run", "--quiet", "--release", "--package", "attack", "--"])
        .args(options)
        .status();
    match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            print_error(&error);
            ExitCode::FAILURE
        }
    }
}

fn print(text: &str) {
    // A closed pipe is not an error.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints an error and its sources on one line.
fn print_error(error: &dyn Error) {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        line = format!("{line}: {cause}");
        source = cause.source();
    }
    let _ = writeln!(std::io::stderr(), "{line}");
}
