//! Assets under names with a hash of their content, so that browsers may cache them for ever.
//!
//! A file that exists already is not written again: a second build is cheap, and the server is not
//! recompiled for assets that did not change.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Write as _},
    fs, io,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::compress::ENCODINGS;

/// Hexadecimal digits of the hash in a name: 48 bits, enough for a few files.
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

/// Result of one run, for display.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    /// Every asset: plain name, size in bytes, compressed size in bytes.
    assets: Vec<(String, usize, usize)>,
    /// Number of files of earlier builds that were removed.
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

/// Writes every file of `source` into `out/assets`, and `out/manifest.json`, which maps each plain
/// name to the hashed one. Removes all other files in `out/assets`.
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

/// Writes a file named by its content, unless it exists.
///
/// The write is atomic: an interrupted run must not leave an incomplete file, which later runs would
/// keep.
fn write_once(path: &Path, content: impl FnOnce() -> io::Result<Vec<u8>>) -> Result<(), SiteError> {
    if path.exists() {
        return Ok(());
    }
    let bytes = content().map_err(failed("compressing", path))?;
    let unfinished = path.with_extension("unfinished");
    fs::write(&unfinished, bytes).map_err(failed("writing", &unfinished))?;
    fs::rename(&unfinished, path).map_err(failed("writing", path))
}

/// Writes the manifest if it changed, since the server is recompiled whenever it is touched.
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

    struct Folders {
        _root: tempfile::TempDir,
        source: PathBuf,
        out: PathBuf,
    }

    fn folders(files: &[(&str, &str)]) -> Folders {
        let root = tempfile::tempdir().unwrap();
        let (source, out) = (root.path().join("in"), root.path().join("out"));
        fs::create_dir(&source).unwrap();
        for (name, content) in files {
            fs::write(source.join(name), content).unwrap();
        }
        Folders { _root: root, source, out }
    }

    fn manifest(folders: &Folders) -> BTreeMap<String, String> {
        let text = fs::read_to_string(folders.out.join("manifest.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn every_asset_is_written_under_its_hash_with_both_encodings() {
        let folders = folders(&[("main.css", "body{}"), ("island_bg.wasm", "not really")]);
        build(&folders.source, &folders.out).unwrap();

        let names: Vec<String> =
            files_of(&folders.out.join("assets")).unwrap().into_keys().collect();
        // The first digits of `printf 'body{}' | sha256sum`.
        assert_eq!(manifest(&folders)["main.css"], "main.7c98040a5416.css");
        assert_eq!(names.len(), 6);
        for name in
            ["main.7c98040a5416.css", "main.7c98040a5416.css.br", "main.7c98040a5416.css.gz"]
        {
            assert!(names.iter().any(|other| other == name), "{name} in {names:?}");
        }
    }

    #[test]
    fn a_changed_file_gets_a_new_name_and_the_old_file_is_removed() {
        let folders = folders(&[("loader.js", "first")]);
        build(&folders.source, &folders.out).unwrap();
        let before = manifest(&folders)["loader.js"].clone();

        fs::write(folders.source.join("loader.js"), "second").unwrap();
        let summary = build(&folders.source, &folders.out).unwrap();

        assert_ne!(manifest(&folders)["loader.js"], before);
        assert_eq!(summary.removed, 3);
        assert!(!folders.out.join("assets").join(before).exists());
    }

    #[test]
    fn a_second_build_writes_nothing() {
        let folders = folders(&[("loader.js", "same")]);
        build(&folders.source, &folders.out).unwrap();
        let stamps = |folders: &Folders| {
            let mut files = files_of(&folders.out.join("assets")).unwrap();
            files.insert("manifest".into(), folders.out.join("manifest.json"));
            files
                .into_values()
                .map(|f| fs::metadata(f).unwrap().modified().unwrap())
                .collect::<Vec<_>>()
        };
        let before = stamps(&folders);

        build(&folders.source, &folders.out).unwrap();

        assert_eq!(stamps(&folders), before);
    }

    #[test]
    fn a_missing_source_is_named_in_the_error() {
        let folders = folders(&[]);
        let error = build(&folders.source.join("missing"), &folders.out).unwrap_err();
        assert!(error.to_string().ends_with("in/missing"), "{error}");
    }
}
