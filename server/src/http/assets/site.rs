//! Where the files come from: out of the binary in a release, from disk while developing.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    fs, io,
    path::Path,
};

use axum::body::Bytes;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// What `cargo leptos watch` leaves in its site root, and what each file is called here.
const WATCHED: [(&str, &str); 9] = [
    ("dark.css", "dark.css"),
    ("embed.css", "embed.css"),
    ("embed.js", "embed.js"),
    ("frame.js", "frame.js"),
    ("island.js", "pkg/latchkey.js"),
    ("island_bg.wasm", "pkg/latchkey.wasm"),
    ("loader.js", "loader.js"),
    ("main.css", "pkg/latchkey.css"),
    ("reference.css", "reference.css"),
];

/// One file in its three forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asset {
    /// What it is called in the source: `island.js`.
    pub(super) plain: Cow<'static, str>,
    /// What browsers ask for: `island.0123456789ab.js`.
    pub(super) hashed: Cow<'static, str>,
    pub(super) identity: Bytes,
    pub(super) brotli: Option<Bytes>,
    pub(super) gzip: Option<Bytes>,
}

impl Asset {
    pub(super) fn content_type(&self) -> &'static str {
        match self.plain.rsplit_once('.').map_or("", |(_, extension)| extension) {
            "css" => "text/css; charset=utf-8",
            "ico" => "image/x-icon",
            "js" => "text/javascript; charset=utf-8",
            "json" => "application/json",
            "png" => "image/png",
            "svg" => "image/svg+xml",
            "txt" => "text/plain; charset=utf-8",
            "wasm" => "application/wasm",
            "webp" => "image/webp",
            "woff2" => "font/woff2",
            _ => "application/octet-stream",
        }
    }
}

/// Every file that pages load.
#[derive(Debug, Default)]
pub(super) struct Site {
    by_hashed: HashMap<Cow<'static, str>, Asset>,
    hashed: HashMap<Cow<'static, str>, Cow<'static, str>>,
}

impl Site {
    /// What the binary carries, or in a debug build what lies on disk; empty if there is nothing.
    pub(super) fn load() -> Self {
        let carried = carried();
        if !cfg!(debug_assertions) || !carried.is_empty() {
            return Self::of(carried);
        }
        let assets = match std::env::var_os("LEPTOS_SITE_ROOT") {
            Some(root) => watched(Path::new(&root)),
            None => built(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/site")),
        };
        Self::of(assets.unwrap_or_default())
    }

    pub(super) fn of(assets: Vec<Asset>) -> Self {
        let hashed = assets.iter().map(|a| (a.plain.clone(), a.hashed.clone())).collect();
        let by_hashed = assets.into_iter().map(|asset| (asset.hashed.clone(), asset)).collect();
        Self { by_hashed, hashed }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_hashed.is_empty()
    }

    /// The file that browsers call `hashed`.
    pub(super) fn find(&self, hashed: &str) -> Option<&Asset> {
        self.by_hashed.get(hashed)
    }

    /// The file by its name in the source.
    pub(super) fn find_plain(&self, plain: &str) -> Option<&Asset> {
        self.hashed.get(plain).and_then(|hashed| self.by_hashed.get(hashed))
    }

    /// Where browsers get the file; empty if there is no such file.
    pub(super) fn url(&self, plain: &str) -> String {
        self.hashed.get(plain).map(|hashed| format!("/assets/{hashed}")).unwrap_or_default()
    }

    /// What a file of text says; empty if there is no such file.
    pub(super) fn text(&self, plain: &str) -> String {
        let asset = self.find_plain(plain);
        asset.map(|asset| String::from_utf8_lossy(&asset.identity).into_owned()).unwrap_or_default()
    }
}

/// The table that `build.rs` made.
fn carried() -> Vec<Asset> {
    include!(concat!(env!("OUT_DIR"), "/site.rs"))
}

/// A site made by `cargo xtask site`.
fn built(site: &Path) -> io::Result<Vec<Asset>> {
    let manifest = fs::read(site.join("manifest.json"))?;
    let names: BTreeMap<String, String> = serde_json::from_slice(&manifest)?;
    let read = |name: &str| fs::read(site.join("assets").join(name)).map(Bytes::from);
    names
        .into_iter()
        .map(|(plain, hashed)| {
            Ok(Asset {
                identity: read(&hashed)?,
                brotli: Some(read(&format!("{hashed}.br"))?),
                gzip: Some(read(&format!("{hashed}.gz"))?),
                plain: plain.into(),
                hashed: hashed.into(),
            })
        })
        .collect()
}

/// A site made by `cargo leptos watch`, whose names do not change with the content: they get a
/// hash here, so that a reload never shows what a browser kept.
fn watched(root: &Path) -> io::Result<Vec<Asset>> {
    let mut assets = Vec::new();
    for (plain, path) in WATCHED {
        let bytes = match fs::read(root.join(path)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(&bytes));
        assets.push(Asset {
            plain: plain.into(),
            hashed: format!("{hash}-{plain}").into(),
            identity: bytes.into(),
            brotli: None,
            gzip: None,
        });
    }
    Ok(assets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_built_site_is_read_by_its_manifest() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("assets")).unwrap();
        fs::write(root.path().join("manifest.json"), r#"{"main.css":"main.aa.css"}"#).unwrap();
        for (suffix, content) in [("", "body{}"), (".br", "b"), (".gz", "g")] {
            fs::write(root.path().join(format!("assets/main.aa.css{suffix}")), content).unwrap();
        }

        let site = Site::of(built(root.path()).unwrap());

        assert_eq!(site.url("main.css"), "/assets/main.aa.css");
        assert_eq!(site.text("main.css"), "body{}");
        assert_eq!(site.find("main.aa.css").unwrap().brotli.as_deref(), Some(&b"b"[..]));
    }

    #[test]
    fn a_watched_site_gets_names_that_change_with_the_content() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("pkg")).unwrap();
        let url = |content: &str| {
            fs::write(root.path().join("pkg/latchkey.js"), content).unwrap();
            Site::of(watched(root.path()).unwrap()).url("island.js")
        };

        assert_ne!(url("first"), url("second"));
        assert!(url("first").ends_with("-island.js"));
    }

    #[test]
    fn what_is_not_there_has_no_url_and_no_text() {
        let site = Site::of(Vec::new());

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
            let asset = Asset {
                plain: name.into(),
                hashed: name.into(),
                identity: Bytes::new(),
                brotli: None,
                gzip: None,
            };
            assert_eq!(asset.content_type(), expected);
        }
    }
}
