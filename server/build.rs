//! Prepares the folder that a release of the server embeds: the site that `cargo xtask site` made.
//!
//! A debug build reads the site from disk when it starts, so neither tests nor the linter wait for
//! WebAssembly.

use std::{env, fs, io, path::Path};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let site = Path::new("../target/site");
    // `rust_embed` resolves the folder while it compiles, so it exists even if nothing is in it yet.
    fs::create_dir_all(site)?;
    if env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        let manifest = site.join("manifest.json");
        // A path that does not exist counts as changed, so a release without the site is built again
        // once there is one.
        println!("cargo::rerun-if-changed={}", manifest.display());
        println!("cargo::rerun-if-changed=../public");
        if !manifest.exists() {
            println!("cargo::warning=no site to embed: run scripts/build.sh for a whole release");
        }
    }
    Ok(())
}
