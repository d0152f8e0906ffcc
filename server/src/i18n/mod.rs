//! The words of pages and messages: Fluent catalogues, compiled into the binary.
//!
//! A text that is missing is a fault of the build and not of a request, so loading the catalogue
//! asks for every text of the pages once and refuses to go on without it.

use std::{collections::BTreeMap, sync::Arc};

use app::texts::{Argument, SLOT, Texts};
use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use unic_langid::LanguageIdentifier;

/// The locale that stands in where no other is asked for or has a text.
pub const DEFAULT_LOCALE: &str = "en";

/// Every locale with its files.
const SOURCES: &[(&str, &[&str])] = &[(
    "en",
    &[
        include_str!("../../locales/en/page.ftl"),
        include_str!("../../locales/en/countries.ftl"),
        include_str!("../../locales/en/messages.ftl"),
    ],
)];

/// All texts in all locales.
pub struct Catalogue {
    locales: BTreeMap<&'static str, Locale>,
}

struct Locale {
    bundle: FluentBundle<FluentResource>,
    texts: Arc<Texts>,
}

/// Why a catalogue is not fit for use.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// A locale's name is no language tag.
    #[error("reading the language tag {locale}")]
    Tag {
        /// The name.
        locale: String,
        /// What is wrong with it.
        #[source]
        source: unic_langid::LanguageIdentifierError,
    },
    /// A file is not Fluent.
    #[error("parsing a catalogue of {locale}: {problems}")]
    Syntax {
        /// Its locale.
        locale: String,
        /// What the parser says, and about which part.
        problems: String,
    },
    /// An id stands in two files of a locale.
    #[error("adding a catalogue of {locale}: {problems}")]
    Duplicate {
        /// The locale.
        locale: String,
        /// The ids.
        problems: String,
    },
    /// Texts of the pages are missing or cannot be formatted.
    #[error("collecting the texts of the pages in {locale}: no {}", .ids.join(", "))]
    Missing {
        /// The locale.
        locale: String,
        /// Their ids.
        ids: Vec<String>,
    },
}

impl Catalogue {
    /// Parses everything that is compiled in and checks that no text of the pages is missing.
    pub fn load() -> Result<Self, CatalogueError> {
        Self::from_sources(SOURCES)
    }

    fn from_sources(sources: &[(&'static str, &[&str])]) -> Result<Self, CatalogueError> {
        let mut locales = BTreeMap::new();
        for &(locale, files) in sources {
            let bundle = bundle(locale, files)?;
            let texts = Arc::new(texts(locale, &bundle)?);
            locales.insert(locale, Locale { bundle, texts });
        }
        Ok(Self { locales })
    }

    /// The locales there are, as BCP 47 tags.
    pub fn locales(&self) -> impl Iterator<Item = &str> {
        self.locales.keys().copied()
    }

    /// The texts of the pages in a locale; in the default one where there is no such locale.
    pub fn texts(&self, locale: &str) -> Arc<Texts> {
        self.locale(locale).map(|locale| Arc::clone(&locale.texts)).unwrap_or_default()
    }

    /// One text. A locale that lacks it borrows it from the default locale; what no locale has is
    /// its own id, so that a page is still a page.
    pub fn format(&self, locale: &str, id: &str, args: Option<&FluentArgs<'_>>) -> String {
        self.locale(locale)
            .and_then(|locale| format(&locale.bundle, id, args))
            .or_else(|| format(&self.locale(DEFAULT_LOCALE)?.bundle, id, args))
            .unwrap_or_else(|| {
                tracing::error!(locale, id, "a text is missing from the catalogue");
                id.to_owned()
            })
    }

    /// Whether a locale itself has a text.
    pub fn has(&self, locale: &str, id: &str) -> bool {
        self.locales.get(locale).is_some_and(|locale| locale.bundle.has_message(id))
    }

    /// The name of a country in the language of a locale, by its ISO 3166-1 alpha-2 code; `None`
    /// where the catalogue does not name it.
    pub fn country(&self, locale: &str, region: &str) -> Option<String> {
        let id = format!("country-{region}");
        format(&self.locale(locale)?.bundle, &id, None)
    }

    /// The locale for a browser, from its `Accept-Language` (RFC 9110, section 12.5.4).
    pub fn negotiate(&self, accept_language: Option<&str>) -> String {
        let mut ranges: Vec<(&str, f32)> = accept_language
            .unwrap_or_default()
            .split(',')
            .take(32)
            .map(|range| match range.split_once(';') {
                Some((tag, weight)) => (tag.trim(), quality(weight)),
                None => (range.trim(), 1.0),
            })
            .filter(|(tag, quality)| !tag.is_empty() && *quality > 0.0)
            .collect();
        // Stable, so that equally wanted languages stay in the order in which they were named.
        ranges.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        ranges
            .into_iter()
            .find_map(|(tag, _)| self.closest(tag))
            .unwrap_or(DEFAULT_LOCALE)
            .to_owned()
    }

    /// A locale with this tag, or with the same language.
    fn closest(&self, tag: &str) -> Option<&'static str> {
        let same = |locale: &&&str| locale.eq_ignore_ascii_case(tag);
        let language = tag.split('-').next().unwrap_or(tag);
        let related = |locale: &&&str| {
            locale.split('-').next().is_some_and(|other| other.eq_ignore_ascii_case(language))
        };
        self.locales.keys().find(same).or_else(|| self.locales.keys().find(related)).copied()
    }

    fn locale(&self, locale: &str) -> Option<&Locale> {
        self.locales.get(locale).or_else(|| self.locales.get(DEFAULT_LOCALE))
    }
}

impl std::fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Catalogue").field(&self.locales.keys()).finish()
    }
}

/// The `q` of a language range, as a number from 0 to 1; anything else is 0.
fn quality(weight: &str) -> f32 {
    weight
        .trim()
        .strip_prefix("q=")
        .and_then(|number| number.trim().parse().ok())
        .filter(|quality| (0.0..=1.0).contains(quality))
        .unwrap_or(0.0)
}

fn bundle(locale: &str, files: &[&str]) -> Result<FluentBundle<FluentResource>, CatalogueError> {
    let tag: LanguageIdentifier = locale
        .parse()
        .map_err(|source| CatalogueError::Tag { locale: locale.to_owned(), source })?;
    let mut bundle = FluentBundle::new_concurrent(vec![tag]);
    // The isolating marks around variables would end up in subjects, text messages and the names
    // of buttons. Pages isolate values by elements instead.
    bundle.set_use_isolating(false);
    for file in files {
        let resource = FluentResource::try_new((*file).to_owned()).map_err(|(_, errors)| {
            CatalogueError::Syntax { locale: locale.to_owned(), problems: list(&errors) }
        })?;
        bundle.add_resource(resource).map_err(|errors| CatalogueError::Duplicate {
            locale: locale.to_owned(),
            problems: list(&errors),
        })?;
    }
    Ok(bundle)
}

fn list<T: ToString>(errors: &[T]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn texts(locale: &str, bundle: &FluentBundle<FluentResource>) -> Result<Texts, CatalogueError> {
    let mut ids = Vec::new();
    let texts = Texts::collect(locale, |id, argument| {
        let argument = match argument {
            Argument::Nothing => None,
            Argument::Count(count) => Some(("count", FluentValue::from(count))),
            Argument::Slot(name) => Some((name, FluentValue::from(String::from(SLOT)))),
        };
        // A text that has to say a value and does not is as incomplete as one that is missing.
        let has_slot = |text: &String| {
            !matches!(argument, Some((name, _)) if name != "count")
                || text.matches(SLOT).count() == 1
        };
        let args = argument.clone().map(|argument| FluentArgs::from_iter([argument]));
        format(bundle, id, args.as_ref()).filter(has_slot).unwrap_or_else(|| {
            ids.push(id.to_owned());
            String::new()
        })
    });
    ids.dedup();
    if ids.is_empty() {
        Ok(texts)
    } else {
        Err(CatalogueError::Missing { locale: locale.to_owned(), ids })
    }
}

/// `None` where the text is missing or wants a variable that it does not get.
fn format(
    bundle: &FluentBundle<FluentResource>,
    id: &str,
    args: Option<&FluentArgs<'_>>,
) -> Option<String> {
    let mut errors = Vec::new();
    let pattern = bundle.get_message(id)?.value()?;
    let text = bundle.format_pattern(pattern, args, &mut errors).into_owned();
    errors.is_empty().then_some(text)
}

#[cfg(test)]
mod tests;
