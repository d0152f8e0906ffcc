//! Gives every asset a name that changes with its content, so that browsers may keep it for ever.
//!
//! A name stands for exactly one content, so a file that is already there is left alone: building
//! twice costs nothing, and the server is not compiled again for assets that did not change.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Write as _},
    fs, io,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::compress::ENCODINGS;

/// Hexadecimal digits of the hash that go into a name: 48 bits, for a handful of files.
const HASH_DIGITS: usize = 12;

#[derive(Debug, thiserror::Error)]
#[error("{doing} {}", path.display())]
pub(crate) struct SiteError {
    doing: &'static str,
    path: PathBuf,
    #[source]
    source: io::Error,
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SiteError {
    move |source| SiteError { doing, path: path.to_owned(), source }
}

/// What one run did, for the person watching.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    /// (plain name, bytes as they are, bytes in brotli) of every asset.
    assets: Vec<(String, usize, usize)>,
    /// Files of earlier builds that were removed.
    removed: usize,
}

impl fmt::Display for Summary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, plain, brotli) in &self.assets {
            writeln!(out, "  {name:<16} {plain:>8} B, {brotli:>7} B in brotli")?;
        }
        write!(out, "  {} assets, {} stale files removed", self.assets.len(), self.removed)
    }
}

/// Publishes every file of `source` into `out/assets` and writes `out/manifest.json`, which maps
/// each plain name to the hashed one. Whatever else lies in `out/assets` is removed.
pub(crate) fn build(source: &Path, out: &Path) -> Result<Summary, SiteError> {
    let assets = out.join("assets");
    fs::create_dir_all(&assets).map_err(failed("creating", &assets))?;

    let mut manifest = BTreeMap::new();
    let mut current = BTreeSet::new();
    let mut summary = Summary::default();
    for (name, path) in files_of(source)? {
        let bytes = fs::read(&path).map_err(failed("reading", &path))?;
        let hashed = hashed_name(&name, &bytes);

        write_once(&assets.join(&hashed), || Ok(bytes.clone()))?;
        for (suffix, encode) in ENCODINGS {
            let packed = format!("{hashed}.{suffix}");
            write_once(&assets.join(&packed), || encode(&bytes))?;
            current.insert(packed);
        }

        let brotli = assets.join(format!("{hashed}.br"));
        let packed = fs::metadata(&brotli).map_err(failed("reading", &brotli))?.len();
        summary.assets.push((name.clone(), bytes.len(), usize::try_from(packed).unwrap_or(0)));
        current.insert(hashed.clone());
        manifest.insert(name, hashed);
    }

    for (name, path) in files_of(&assets)? {
        if !current.contains(&name) {
            fs::remove_file(&path).map_err(failed("removing", &path))?;
            summary.removed += 1;
        }
    }
    write_manifest(&out.join("manifest.json"), &manifest)?;
    Ok(summary)
}

/// `island.js` becomes `island.0123456789ab.js`.
fn hashed_name(name: &str, bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let mut hash = String::new();
    for byte in digest.iter().take(HASH_DIGITS / 2) {
        // Writing into a string cannot fail.
        let _ = write!(hash, "{byte:02x}");
    }
    match name.rsplit_once('.') {
        Some((stem, extension)) => format!("{stem}.{hash}.{extension}"),
        None => format!("{name}.{hash}"),
    }
}

/// The plain files directly in `directory`, by name.
fn files_of(directory: &Path) -> Result<BTreeMap<String, PathBuf>, SiteError> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(directory).map_err(failed("listing", directory))? {
        let path = entry.map_err(failed("listing", directory))?.path();
        if path.is_file()
            && let Some(name) = path.file_name().and_then(|name| name.to_str())
        {
            files.insert(name.to_owned(), path.clone());
        }
    }
    Ok(files)
}

/// Writes a file whose name tells its content, unless it is there.
///
/// It appears whole or not at all: an interrupted run must not leave half a file under a name
/// that later runs would trust.
fn write_once(path: &Path, content: impl FnOnce() -> io::Result<Vec<u8>>) -> Result<(), SiteError> {
    if path.exists() {
        return Ok(());
    }
    let bytes = content().map_err(failed("compressing", path))?;
    let unfinished = path.with_extension("unfinished");
    fs::write(&unfinished, bytes).map_err(failed("writing", &unfinished))?;
    fs::rename(&unfinished, path).map_err(failed("writing", path))
}

/// The server is compiled again whenever the manifest is touched, so it is written only when it
/// says something new.
fn write_manifest(path: &Path, manifest: &BTreeMap<String, String>) -> Result<(), SiteError> {
    let text = format!("{:#}\n", serde_json::json!(manifest));
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    fs::write(path, text).map_err(failed("writing", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Place {
        _root: tempfile::TempDir,
        source: PathBuf,
        out: PathBuf,
    }

    fn place(files: &[(&str, &str)]) -> Place {
        let root = tempfile::tempdir().unwrap();
        let (source, out) = (root.path().join("in"), root.path().join("out"));
        fs::create_dir(&source).unwrap();
        for (name, content) in files {
            fs::write(source.join(name), content).unwrap();
        }
        Place { _root: root, source, out }
    }

    fn manifest(place: &Place) -> BTreeMap<String, String> {
        let text = fs::read_to_string(place.out.join("manifest.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn every_asset_is_published_under_its_hash_with_both_encodings_beside_it() {
        let place = place(&[("main.css", "body{}"), ("island_bg.wasm", "not really")]);
        build(&place.source, &place.out).unwrap();

        let names: Vec<String> = files_of(&place.out.join("assets")).unwrap().into_keys().collect();
        // The first digits of `printf 'body{}' | sha256sum`.
        assert_eq!(manifest(&place)["main.css"], "main.7c98040a5416.css");
        assert_eq!(names.len(), 6);
        for name in
            ["main.7c98040a5416.css", "main.7c98040a5416.css.br", "main.7c98040a5416.css.gz"]
        {
            assert!(names.iter().any(|other| other == name), "{name} in {names:?}");
        }
    }

    #[test]
    fn a_changed_file_gets_a_new_name_and_the_old_one_goes() {
        let place = place(&[("loader.js", "first")]);
        build(&place.source, &place.out).unwrap();
        let before = manifest(&place)["loader.js"].clone();

        fs::write(place.source.join("loader.js"), "second").unwrap();
        let summary = build(&place.source, &place.out).unwrap();

        assert_ne!(manifest(&place)["loader.js"], before);
        assert_eq!(summary.removed, 3);
        assert!(!place.out.join("assets").join(before).exists());
    }

    #[test]
    fn building_again_touches_nothing() {
        let place = place(&[("loader.js", "same")]);
        build(&place.source, &place.out).unwrap();
        let stamps = |place: &Place| {
            let mut files = files_of(&place.out.join("assets")).unwrap();
            files.insert("manifest".into(), place.out.join("manifest.json"));
            files
                .into_values()
                .map(|f| fs::metadata(f).unwrap().modified().unwrap())
                .collect::<Vec<_>>()
        };
        let before = stamps(&place);

        build(&place.source, &place.out).unwrap();

        assert_eq!(stamps(&place), before);
    }

    #[test]
    fn a_source_that_is_not_there_is_named_in_the_error() {
        let place = place(&[]);
        let error = build(&place.source.join("missing"), &place.out).unwrap_err();
        assert!(error.to_string().ends_with("in/missing"), "{error}");
    }
}
