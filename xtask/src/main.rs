//! Builds the site that the server carries; `scripts/build.sh` calls it between the compilers.
//!
//! The two tasks are library calls rather than tools to install: their versions come from
//! Cargo.lock, so the glue always fits the WebAssembly it was made for.

mod bindgen;
mod compress;
mod site;

use std::{error::Error, ffi::OsString, io::Write, path::Path, process::ExitCode};

const USAGE: &str = "\
usage: cargo xtask bindgen <in.wasm> <out-dir>   write island.js and island_bg.wasm
       cargo xtask site <in-dir> <out-dir>       hash and compress files, write manifest.json
";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let ended = match arguments.iter().map(|word| word.to_str()).collect::<Option<Vec<_>>>() {
        Some(words) => match words[..] {
            ["bindgen", wasm, out] => bindgen::generate(Path::new(wasm), Path::new(out)),
            ["site", source, out] => site::build(Path::new(source), Path::new(out))
                .map(|summary| say(&summary.to_string()))
                .map_err(Into::into),
            _ => Err(USAGE.into()),
        },
        None => Err("the arguments are not valid UTF-8".into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

fn say(text: &str) {
    // Nobody reading the output is no reason to fail.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// The whole chain on one line, since each link says only what it was doing itself.
fn complain(error: &dyn Error) {
    let mut line = error.to_string();
    let mut link = error.source();
    while let Some(cause) = link {
        line = format!("{line}: {cause}");
        link = cause.source();
    }
    let _ = writeln!(std::io::stderr(), "{line}");
}
