//! Checks `docs/SECURITY.md` against the sources: every promise names tests that exist, and every
//! number that the sources cite is promised.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Folders whose sources cite promises.
const FOLDERS: [&str; 12] = [
    "app",
    "attack",
    "embed",
    "end2end",
    "frontend",
    "fuzz",
    "otp-types",
    "scripts",
    "server",
    "style",
    "tools",
    "xtask",
];
/// Folders in them that hold no source of this project.
const FOREIGN: [&str; 3] = ["node_modules", "target", "test-results"];
const EXTENSIONS: [&str; 8] = ["css", "ftl", "js", "mjs", "py", "rs", "sh", "ts"];

/// Opens a promise, as in `- **S3** A code is accepted once.`
const PROMISE: &str = "- **S";
/// Opens the list of its tests.
const TESTS: &str = "Tests:";

#[test]
fn every_promise_names_tests_that_exist_and_every_cited_number_is_promised() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let document = fs::read_to_string(root.join("docs/SECURITY.md")).unwrap();
    let mut sources = Vec::new();
    for folder in FOLDERS.map(|folder| root.join(folder)) {
        // The fixtures below cite numbers that nobody promises.
        read(&folder, &mut sources, &|path| path.ends_with("tests/promises.rs"));
    }
    assert!(sources.len() > 100, "only {} sources were found", sources.len());
    let flaws = flaws(&document, &sources);
    assert!(
        flaws.is_empty(),
        "docs/SECURITY.md or the sources need mending:\n{}",
        flaws.join("\n")
    );
}

#[test]
fn a_document_and_sources_that_agree_have_no_flaws() {
    assert_eq!(flaws(DOCUMENT, &sources()), [""; 0]);
}

#[test]
fn a_broken_document_is_reported() {
    for (from, to, flaw) in [
        ("once.\n  Tests: `s3_once`, `s3_after_a_restart`", "once.", "S3 names no test"),
        ("`s3_once`", "`s3_twice`", "S3 names the test `s3_twice`, which does not exist"),
        (
            "`S11: nothing acts`",
            "`S11: all acts`",
            "S11 names the test `S11: all acts`, which does not exist",
        ),
        ("- **S11** ", "- **S3** ", "S3 is promised twice"),
        ("- **S3** ", "- **S4** ", "store.rs cites S3, which is not promised"),
        ("- **S3** ", "- **Sx** ", "`- **Sx** A code is accepted once.` has no number"),
    ] {
        let broken = DOCUMENT.replacen(from, to, 1);
        assert_ne!(broken, DOCUMENT, "{from}");
        let flaws = flaws(&broken, &sources());
        assert!(flaws.contains(&flaw.to_owned()), "{flaw}: {flaws:?}");
    }
}

#[test]
fn a_broken_source_is_reported() {
    for (line, flaw) in [
        ("// Refuses it (S99).", Some("new.rs cites S99, which is not promised")),
        ("async fn s98_it_holds() {}", Some("new.rs cites S98, which is not promised")),
        ("test('S97: it holds', async () => {});", Some("new.rs cites S97, which is not promised")),
        // Not numbers of promises.
        ("let (s95, s94_left, S256, PKCS11, S3Client) = names();", None),
    ] {
        let mut sources = sources();
        sources.push(("new.rs".to_owned(), line.to_owned()));
        let flaws = flaws(DOCUMENT, &sources);
        assert_eq!(flaws, flaw.into_iter().collect::<Vec<_>>(), "{line}");
    }
    let without_a_test = &sources()[..1];
    let flaw = "S11 names the test `S11: nothing acts`, which does not exist";
    assert_eq!(flaws(DOCUMENT, without_a_test), [flaw]);
}

const DOCUMENT: &str = "\
## Promises

- **S3** A code is accepted once.
  Tests: `s3_once`, `s3_after_a_restart`
- **S11** Nothing acts on GET, as in `GET /`.
  Tests: `S11: nothing acts`

## Not promised

- **More.** See `s12_more`.
";

fn sources() -> Vec<(String, String)> {
    let store = "//! S3: accepted once.\nfn s3_once() {}\nasync fn s3_after_a_restart<S>() {}";
    let page = "test('S11: nothing acts', async ({ page }) => {});";
    [("store.rs", store), ("page.ts", page)].map(|(path, text)| (path.into(), text.into())).into()
}

/// Everything in which a document and sources, as pairs of path and text, disagree.
fn flaws(document: &str, sources: &[(String, String)]) -> Vec<String> {
    let mut flaws = Vec::new();
    let promises = promises(document, &mut flaws);
    let tests: BTreeSet<&str> = sources.iter().flat_map(|(_, text)| tests_in(text)).collect();
    for (number, named) in &promises {
        if named.is_empty() {
            flaws.push(format!("S{number} names no test"));
        }
        for name in named.iter().filter(|name| !tests.contains(*name)) {
            flaws.push(format!("S{number} names the test `{name}`, which does not exist"));
        }
    }
    for (path, text) in sources {
        for number in cited(text).difference(&promises.keys().copied().collect()) {
            flaws.push(format!("{path} cites S{number}, which is not promised"));
        }
    }
    flaws
}

/// The names of tests that each number promises to be shown by.
fn promises<'a>(document: &'a str, flaws: &mut Vec<String>) -> BTreeMap<u32, Vec<&'a str>> {
    let mut promises = BTreeMap::new();
    let mut items = document.split("\n- ");
    items.next();
    for item in items.filter(|item| item.starts_with(&PROMISE[2..])) {
        // A blank line ends the item.
        let item = item.split("\n\n").next().unwrap_or_default();
        let number = item[PROMISE.len() - 2..].split("**").next().unwrap_or_default();
        let Ok(number) = number.parse() else {
            let line = item.lines().next().unwrap_or_default();
            flaws.push(format!("`- {line}` has no number"));
            continue;
        };
        let tests = item.split_once(TESTS).map_or("", |(_, tests)| tests);
        let named = tests.split('`').skip(1).step_by(2).collect();
        if promises.insert(number, named).is_some() {
            flaws.push(format!("S{number} is promised twice"));
        }
    }
    promises
}

/// The names of functions in Rust and the titles of tests in Playwright.
fn tests_in(text: &str) -> impl Iterator<Item = &str> {
    let functions = text.split("fn ").skip(1).map(|rest| {
        let end = rest.find(|c| !is_of_a_word(c)).unwrap_or(rest.len());
        &rest[..end]
    });
    let titles = text.split("test('").skip(1).filter_map(|rest| rest.split('\'').next());
    functions.chain(titles)
}

/// The numbers in `S12`, a word of its own, and in names of functions such as `s12_it_holds`.
fn cited(text: &str) -> BTreeSet<u32> {
    let mut before = "";
    let mut numbers = BTreeSet::new();
    for word in text.split(|c| !is_of_a_word(c)).filter(|word| !word.is_empty()) {
        let number = match word.strip_prefix('s').and_then(|rest| rest.split_once('_')) {
            Some((number, _)) if before == "fn" => Some(number),
            _ => word.strip_prefix('S'),
        };
        numbers.extend(
            number.filter(|number| number.len() < 3).and_then(|number| number.parse::<u32>().ok()),
        );
        before = word;
    }
    numbers
}

fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Adds the sources below a folder, as pairs of path and text; none where there is no such folder.
fn read(folder: &Path, sources: &mut Vec<(String, String)>, is_left_out: &dyn Fn(&Path) -> bool) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if path.is_dir() {
            if !FOREIGN.iter().any(|foreign| path.ends_with(foreign)) {
                read(&path, sources, is_left_out);
            }
        } else if extension.is_some_and(|extension| EXTENSIONS.contains(&extension))
            && !is_left_out(&path)
        {
            let text = fs::read_to_string(&path).unwrap();
            sources.push((path.display().to_string(), text));
        }
    }
}
