//! Embedded files: out of the binary in a release, from disk in a debug build.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
};

use axum::body::Bytes;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rust_embed::Embed;
use sha2::{Digest, Sha256};

/// Output of `cargo xtask site`: `manifest.json`, and in `assets` each file in three forms.
#[derive(Embed)]
#[folder = "../target/site"]
struct Built;

/// Files that clients look for at the root of every site.
#[derive(Embed)]
#[folder = "../public"]
struct Public;

/// Paths below the site root of `cargo leptos watch`, by the plain name of the file.
const WATCHED: [(&str, &str); 10] = [
    ("dark.css", "dark.css"),
    ("embed.css", "embed.css"),
    ("embed.js", "embed.js"),
    ("frame.js", "frame.js"),
    ("island.js", "pkg/latchkey.js"),
    ("island_bg.wasm", "pkg/latchkey.wasm"),
    ("loader.js", "loader.js"),
    ("main.css", "pkg/latchkey.css"),
    ("reference.css", "reference.css"),
    ("work.js", "work.js"),
];

/// One file, in up to three forms.
#[derive(Debug, Default)]
pub(super) struct File {
    /// Name in the source: `island.js`.
    pub(super) plain: String,
    /// Name that changes with the content: `island.0123456789ab.js`.
    pub(super) hashed: String,
    pub(super) identity: Bytes,
    pub(super) brotli: Option<Bytes>,
    pub(super) gzip: Option<Bytes>,
}

impl File {
    /// A file without compressed forms.
    fn plain(name: &str, content: Bytes) -> Self {
        let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(&content));
        let (plain, hashed) = (name.to_owned(), format!("{hash}-{name}"));
        Self { plain, hashed, identity: content, ..Self::default() }
    }

    pub(super) fn content_type(&self) -> &'static str {
        match self.plain.rsplit_once('.').map_or("", |(_, extension)| extension) {
            "css" => "text/css; charset=utf-8",
            "ico" => "image/x-icon",
            "js" => "text/javascript; charset=utf-8",
            "png" => "image/png",
            "svg" => "image/svg+xml",
            "txt" => "text/plain; charset=utf-8",
            "wasm" => "application/wasm",
            _ => "application/octet-stream",
        }
    }
}

/// The files that clients look for at the root.
pub(super) fn public() -> impl Iterator<Item = File> {
    Public::iter().filter_map(|name| Some(File::plain(&name, bytes(Public::get(&name)?.data))))
}

/// Every file that pages load, by its hashed name.
#[derive(Debug, Default)]
pub(super) struct Site {
    files: HashMap<String, File>,
}

impl Site {
    /// The files of this build; empty if it was made without them.
    pub(super) fn load() -> Self {
        match std::env::var_os("LEPTOS_SITE_ROOT").filter(|_| cfg!(debug_assertions)) {
            Some(root) => watched(Path::new(&root)),
            None => built(|path| Built::get(path).map(|file| bytes(file.data))),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The file with this hashed name.
    pub(super) fn find(&self, hashed: &str) -> Option<&File> {
        self.files.get(hashed)
    }

    /// The file with this plain name.
    pub(super) fn find_plain(&self, plain: &str) -> Option<&File> {
        self.files.values().find(|file| file.plain == plain)
    }

    /// URL of a file; empty if there is no such file.
    pub(super) fn url(&self, plain: &str) -> String {
        self.find_plain(plain).map(|file| format!("/assets/{}", file.hashed)).unwrap_or_default()
    }

    /// Content of a text file; empty if there is no such file.
    pub(super) fn text(&self, plain: &str) -> String {
        let text = |file: &File| String::from_utf8_lossy(&file.identity).into_owned();
        self.find_plain(plain).map(text).unwrap_or_default()
    }
}

impl FromIterator<File> for Site {
    fn from_iter<I: IntoIterator<Item = File>>(files: I) -> Self {
        Self { files: files.into_iter().map(|file| (file.hashed.clone(), file)).collect() }
    }
}

fn bytes(data: Cow<'static, [u8]>) -> Bytes {
    match data {
        Cow::Borrowed(embedded) => Bytes::from_static(embedded),
        Cow::Owned(read) => read.into(),
    }
}

/// A site made by `cargo xtask site`.
fn built(read: impl Fn(&str) -> Option<Bytes>) -> Site {
    let names = read("manifest.json").and_then(|json| serde_json::from_slice(&json).ok());
    let names: BTreeMap<String, String> = names.unwrap_or_default();
    let files = names.into_iter().filter_map(|(plain, hashed)| {
        let form = |suffix: &str| read(&format!("assets/{hashed}{suffix}"));
        let (identity, brotli, gzip) = (form("")?, form(".br"), form(".gz"));
        Some(File { plain, hashed, identity, brotli, gzip })
    });
    files.collect()
}

/// A site made by `cargo leptos watch`, whose names do not change with the content. They get a hash
/// here, so that a reload never shows what a browser kept.
fn watched(root: &Path) -> Site {
    let file = |(plain, path): (&str, &str)| {
        Some(File::plain(plain, fs::read(root.join(path)).ok()?.into()))
    };
    WATCHED.into_iter().filter_map(file).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_built_site_is_read_by_its_manifest() {
        let site = built(|path| {
            Some(Bytes::from_static(match path {
                "manifest.json" => br#"{"main.css":"main.aa.css","gone.css":"gone.aa.css"}"#,
                "assets/main.aa.css" => b"body{}",
                "assets/main.aa.css.br" => b"b",
                _ => return None,
            }))
        });

        assert_eq!(site.url("main.css"), "/assets/main.aa.css");
        assert_eq!(site.text("main.css"), "body{}");
        let file = site.find("main.aa.css").unwrap();
        assert_eq!((file.brotli.as_deref(), file.gzip.as_deref()), (Some(&b"b"[..]), None));
        assert_eq!(site.url("gone.css"), "");
    }

    #[test]
    fn a_watched_site_gets_names_that_change_with_the_content() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("pkg")).unwrap();
        let url = |content: &str| {
            fs::write(root.path().join("pkg/latchkey.js"), content).unwrap();
            watched(root.path()).url("island.js")
        };

        assert_ne!(url("first"), url("second"));
        assert!(url("first").ends_with("-island.js"));
    }

    #[test]
    fn what_is_not_there_has_no_url_and_no_text() {
        let site = built(|_| None);

        assert!(site.is_empty());
        assert_eq!((site.url("island.js"), site.text("main.css")), Default::default());
    }

    #[test]
    fn files_are_announced_as_what_they_are() {
        for (name, expected) in [
            ("island.js", "text/javascript; charset=utf-8"),
            ("island_bg.wasm", "application/wasm"),
            ("main.css", "text/css; charset=utf-8"),
            ("no-extension", "application/octet-stream"),
        ] {
            assert_eq!(File::plain(name, Bytes::new()).content_type(), expected);
        }
    }
}
