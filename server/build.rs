//! Puts the site that `cargo xtask site` made into a release of the server.
//!
//! Only releases carry it. A debug build reads it from disk when it starts, so that neither tests
//! nor the linter wait for WebAssembly, nor are compiled again because a colour changed.

use std::{
    collections::BTreeMap,
    env,
    error::Error,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or("no manifest directory")?);
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("no output directory")?);
    let table = if env::var("PROFILE")? == "release" {
        table(&package.join("../target/site"))?
    } else {
        "vec![]".to_owned()
    };
    fs::write(out.join("site.rs"), table)?;
    Ok(())
}

/// An expression that lists every asset; empty where the site has not been built.
///
/// A path that does not exist counts as changed, so a build without the site is done again as
/// soon as there is one.
fn table(site: &Path) -> Result<String, Box<dyn Error>> {
    let manifest = site.join("manifest.json");
    println!("cargo::rerun-if-changed={}", manifest.display());
    if !manifest.exists() {
        println!("cargo::warning=no site to carry: run scripts/build.sh for a whole release");
        return Ok("vec![]".to_owned());
    }
    let names: BTreeMap<String, String> = serde_json::from_slice(&fs::read(&manifest)?)?;
    let mut table = "vec![\n".to_owned();
    for (plain, hashed) in names {
        let file = site.join("assets").join(&hashed).canonicalize()?;
        let file = file.to_str().ok_or("the path of the site is not valid UTF-8")?;
        writeln!(
            table,
            "Asset {{ plain: {plain:?}.into(), hashed: {hashed:?}.into(), \
             identity: Bytes::from_static(include_bytes!({file:?})), \
             brotli: Some(Bytes::from_static(include_bytes!(concat!({file:?}, \".br\")))), \
             gzip: Some(Bytes::from_static(include_bytes!(concat!({file:?}, \".gz\")))) }},",
        )?;
    }
    table.push(']');
    Ok(table)
}
