//! A site's own texts, which replace those of the catalogue.
//!
//! They are read from a folder with one Fluent file a language, `en.ftl`, and checked at start: a message must not
//! fail because of a text.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use fluent_syntax::ast::Entry;
use unic_langid::LanguageIdentifier;

use super::{bundle, format, list};

/// Largest file, in bytes.
const LARGEST: u64 = 64 * 1024;
/// Largest `$count` that a text is tried with: the longest lifetime of a code, in seconds.
const LARGEST_COUNT: u64 = 3600;
/// Stands for a value that a text is given. It occurs in no text.
const VALUE: &str = "\u{fdd0}";

/// A text that may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Replaceable {
    /// Its id.
    pub id: &'static str,
    /// Variables that it is given.
    pub variables: &'static [&'static str],
    /// The one of them that it must contain.
    pub required: Option<&'static str>,
    /// It is one line.
    pub is_one_line: bool,
}

/// A site's own texts, by language; none by default.
#[derive(Default)]
pub struct Overlay {
    locales: BTreeMap<String, FluentBundle<FluentResource>>,
}

impl Overlay {
    /// Reads the files of `folder`. `may_lack` tells for a language and the id of a text whether its file may be
    /// without it.
    ///
    /// # Errors
    /// All problems, each with the name of its file.
    pub fn read(
        folder: &Path,
        texts: &[Replaceable],
        may_lack: impl Fn(&str, &str) -> bool,
    ) -> Result<Self, Vec<String>> {
        let unreadable = |error: io::Error| {
            vec![format!("the folder {} cannot be read: {error}", folder.display())]
        };
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut paths: Vec<_> =
            entries.map_err(unreadable)?.iter().map(fs::DirEntry::path).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "ftl"));
        paths.sort();
        if paths.is_empty() {
            return Err(vec![format!(
                "the folder {} has no file such as en.ftl",
                folder.display()
            )]);
        }
        let (mut overlay, mut problems) = (Self::default(), Vec::new());
        for path in paths {
            match read_file(&path, texts, &may_lack) {
                Ok((locale, bundle)) => drop(overlay.locales.insert(locale, bundle)),
                Err(found) => problems.extend(
                    found.into_iter().map(|problem| format!("{}: {problem}", path.display())),
                ),
            }
        }
        if problems.is_empty() { Ok(overlay) } else { Err(problems) }
    }

    /// Its languages, as BCP 47 tags.
    pub fn locales(&self) -> impl Iterator<Item = &str> + Clone {
        self.locales.keys().map(String::as_str)
    }

    /// Formats one text; `None` if the site has none of its own.
    pub fn format(&self, locale: &str, id: &str, args: Option<&FluentArgs<'_>>) -> Option<String> {
        format(self.locales.get(locale)?, id, args)
    }
}

impl std::fmt::Debug for Overlay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Overlay").field(&self.locales.keys()).finish()
    }
}

/// Reads and checks one file. Gives its language and texts.
fn read_file(
    path: &Path,
    texts: &[Replaceable],
    may_lack: &impl Fn(&str, &str) -> bool,
) -> Result<(String, FluentBundle<FluentResource>), Vec<String>> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let locale = name.parse::<LanguageIdentifier>().ok().map(|tag| tag.to_string());
    let Some(locale) = locale.filter(|tag| *tag == name) else {
        return Err(vec![
            "must be named after its language as BCP 47 writes it, such as pt-BR.ftl".to_owned(),
        ]);
    };
    let mut source = String::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_string(&mut source))
        .map_err(|error| vec![format!("cannot be read: {error}")])?;
    if source.len() as u64 > LARGEST {
        return Err(vec!["is larger than 64 kB".to_owned()]);
    }
    let mut problems = unknown_ids(&source, texts);
    let bundle = bundle(&locale, &[&source]).map_err(|error| vec![error.problems])?;
    for text in texts {
        if bundle.has_message(text.id) {
            problems.extend(problem(&bundle, text));
        } else if !may_lack(&locale, text.id) {
            problems.push(format!("{} is missing; {locale} is not a built-in language", text.id));
        }
    }
    if problems.is_empty() { Ok((locale, bundle)) } else { Err(problems) }
}

/// Messages that are none of `texts`, so that nobody waits for a misspelt one to appear.
fn unknown_ids(source: &str, texts: &[Replaceable]) -> Vec<String> {
    let resource = match FluentResource::try_new(source.to_owned()) {
        Ok(resource) | Err((resource, _)) => resource,
    };
    let ids = resource.entries().filter_map(|entry| match entry {
        Entry::Message(message) => Some(message.id.name),
        _ => None,
    });
    let unknown = ids.filter(|id| texts.iter().all(|text| text.id != *id));
    unknown.map(|id| format!("{id} is no text that can be replaced")).collect()
}

/// The first problem of a text, tried with every `$count` if it is given one.
fn problem(bundle: &FluentBundle<FluentResource>, text: &Replaceable) -> Option<String> {
    let Replaceable { id, variables, required, is_one_line } = text;
    let counts = if variables.contains(&"count") { 0..=LARGEST_COUNT } else { 0..=0 };
    for count in counts {
        let value = |name: &&'static str| match *name {
            "count" => (*name, FluentValue::from(count)),
            name => (name, FluentValue::from(format!("{VALUE}{name}{VALUE}"))),
        };
        let args: FluentArgs<'_> = variables.iter().map(value).collect();
        let pattern = bundle.get_message(id).and_then(|message| message.value());
        let Some(pattern) = pattern else { return Some(format!("{id} has no text")) };
        let mut errors = Vec::new();
        let formatted = bundle.format_pattern(pattern, Some(&args), &mut errors);
        if !errors.is_empty() {
            let known: Vec<_> = variables.iter().map(|name| format!("${name}")).collect();
            return Some(format!("{id}: {}; it is given {}", list(&errors), known.join(" and ")));
        }
        if let Some(name) = required
            && !formatted.contains(&format!("{VALUE}{name}{VALUE}"))
        {
            return Some(format!("{id} does not contain {{ ${name} }}"));
        }
        if *is_one_line && formatted.trim().lines().count() != 1 {
            return Some(format!("{id} must be one line"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [Replaceable; 3] = [
        Replaceable { id: "subject", variables: &["brand"], required: None, is_one_line: true },
        Replaceable {
            id: "text",
            variables: &["brand", "code"],
            required: Some("code"),
            is_one_line: false,
        },
        Replaceable { id: "left", variables: &["count"], required: None, is_one_line: true },
    ];

    fn read(files: &[(&str, &str)]) -> Result<Overlay, Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        for (name, source) in files {
            fs::write(folder.path().join(name), source).unwrap();
        }
        let may_lack = |locale: &str, id: &str| locale != "fr" && locale != "sv" || id == "text";
        Overlay::read(folder.path(), &TEXTS, may_lack).map_err(|problems| {
            let folder = format!("{}/", folder.path().display());
            problems.into_iter().map(|problem| problem.replace(&folder, "")).collect()
        })
    }

    #[test]
    fn some_texts_of_a_built_in_language_and_all_of_another_one_are_read() {
        let overlay = read(&[
            ("en.ftl", "# A comment.\n-term = Shop\ntext = { -term }: { $code }\n"),
            ("sv.ftl", "subject = Din kod\ntext = { $code }\nleft = { $count } s\n"),
            ("notes.txt", "= no Fluent"),
        ])
        .unwrap();
        assert_eq!(overlay.locales().collect::<Vec<_>>(), ["en", "sv"]);
        let args = FluentArgs::from_iter([("code", "123456"), ("brand", "Example")]);
        let text = |locale, id| overlay.format(locale, id, Some(&args));
        assert_eq!(text("en", "text").as_deref(), Some("Shop: 123456"));
        assert_eq!(text("en", "subject"), None);
        assert_eq!(text("sv", "subject").as_deref(), Some("Din kod"));
        assert_eq!(text("de", "text"), None);
    }

    #[test]
    fn every_problem_is_told_with_its_file_and_text() {
        let problems = read(&[
            ("de.ftl", "txet = { $code }\ntext = Kein Code, { $brand }\nsubject = Ihr\n    Code\n"),
            (
                "en.ftl",
                "subject = { $code }\nleft = { $count ->\n    [30] { $brand }\n   *[other] x\n}\n",
            ),
            ("fr.ftl", "text = { $code }\nleft = x\n"),
            ("pt_BR.ftl", ""),
            ("en-US.ftl", "= x"),
        ])
        .unwrap_err();
        assert_eq!(
            problems,
            [
                "de.ftl: txet is no text that can be replaced",
                "de.ftl: subject must be one line",
                "de.ftl: text does not contain { $code }",
                "en-US.ftl: Expected one of \"a-zA-Z\"",
                "en.ftl: subject: Resolver error: Unknown variable: $code; it is given $brand",
                "en.ftl: left: Resolver error: Unknown variable: $brand; it is given $count",
                "fr.ftl: subject is missing; fr is not a built-in language",
                "pt_BR.ftl: must be named after its language as BCP 47 writes it, such as pt-BR.ftl",
            ]
        );
    }

    #[test]
    fn a_folder_that_is_missing_or_empty_and_a_file_that_is_too_large_are_refused() {
        assert!(read(&[]).unwrap_err()[0].contains("has no file such as en.ftl"));
        let missing = Path::new("/no/such/folder");
        let missing = Overlay::read(missing, &TEXTS, |_, _| true).unwrap_err();
        assert!(missing[0].contains("the folder /no/such/folder cannot be read"), "{missing:?}");
        let large = format!("text = {{ $code }}{}", "x".repeat(64 * 1024));
        assert_eq!(read(&[("en.ftl", &large)]).unwrap_err(), ["en.ftl: is larger than 64 kB"]);
    }
}
