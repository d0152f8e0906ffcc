//! Source files as far as rules about who knows whom need to read them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// One file of Rust.
pub(crate) struct Source {
    /// Relative to the workspace, with `/`.
    pub(crate) path: String,
    /// Without comments, contents of strings, and tests.
    pub(crate) code: String,
    /// As it is.
    pub(crate) text: String,
}

/// The folder of the workspace.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every file of Rust below a folder of the workspace, except those that only tests are made of.
pub(crate) fn below(folder: &str) -> Vec<Source> {
    let mut sources = Vec::new();
    read(&workspace().join(folder), &mut sources);
    assert!(!sources.is_empty(), "there is source below {folder}");
    sources
}

fn read(folder: &Path, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        // A back end's suite of tests is named after what it checks.
        if matches!(name, "tests" | "contract") {
            continue;
        }
        if path.is_dir() {
            read(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let path = path.strip_prefix(workspace()).unwrap().to_str().unwrap().replace('\\', "/");
            sources.push(Source { path, code: code(&text), text });
        }
    }
}

impl Source {
    /// The modules of its own crate that it names by `crate::`.
    pub(crate) fn modules_named(&self) -> BTreeSet<String> {
        let mut modules = BTreeSet::new();
        for (start, _) in self.code.match_indices("crate::") {
            let before = self.code[..start].chars().next_back();
            if before.is_some_and(is_of_a_word) {
                continue;
            }
            let rest = &self.code[start + "crate::".len()..];
            match rest.strip_prefix('{') {
                Some(group) => modules.extend(heads(group)),
                None => modules.extend([word(rest).to_owned()]),
            }
        }
        modules
    }

    /// Whether its code holds these letters as whole words.
    pub(crate) fn says(&self, words: &str) -> bool {
        self.code.match_indices(words).any(|(start, _)| {
            let before = self.code[..start].chars().next_back();
            let after = self.code[start + words.len()..].chars().next();
            !before.is_some_and(is_of_a_word) && !after.is_some_and(is_of_a_word)
        })
    }
}

/// The first word of each item of a `use` group, whose opening brace is passed.
fn heads(group: &str) -> Vec<String> {
    let mut heads = Vec::new();
    let (mut depth, mut at_head) = (0, true);
    for (index, c) in group.char_indices() {
        match c {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => at_head = true,
            c if at_head && is_of_a_word(c) => {
                heads.push(word(&group[index..]).to_owned());
                at_head = false;
            }
            _ => {}
        }
    }
    heads
}

fn word(text: &str) -> &str {
    text.split(|c| !is_of_a_word(c)).next().unwrap_or_default()
}

fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Takes out line comments, contents of strings, and the module of tests, which ends a file.
fn code(text: &str) -> String {
    let mut code = String::new();
    for line in text.lines() {
        if line == "mod tests {" {
            break;
        }
        let mut quoted = false;
        let mut previous = ' ';
        for (index, c) in line.char_indices() {
            if !quoted && line[index..].starts_with("//") {
                break;
            }
            // Neither a quote within quotes nor one that is a character begins or ends anything.
            if c == '"' && previous != if quoted { '\\' } else { '\'' } {
                quoted = !quoted;
            } else if !quoted {
                code.push(c);
            }
            previous = c;
        }
        code.push('\n');
    }
    code
}

#[test]
fn a_source_is_read_as_far_as_the_rules_need() {
    let text = r#"
        //! crate::comment
        use crate::{alpha::A, beta::{B, gamma}, delta};
        fn f() { crate::epsilon::g("crate::string"); SqliteStoreish::new() } // crate::aside
    "#;
    let source = Source { path: String::new(), code: code(text), text: text.to_owned() };
    let modules: Vec<_> = source.modules_named().into_iter().collect();
    assert_eq!(modules, ["alpha", "beta", "delta", "epsilon"]);
    assert!(source.says("SqliteStoreish") && !source.says("SqliteStore"));
}
