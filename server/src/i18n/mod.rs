//! Texts of pages and messages: Fluent catalogues, compiled into the binary.
//!
//! Loading fails if a text of the pages is missing, so that it is found at start and not by a request. A site's
//! own texts of messages are an [`Overlay`].

mod overlay;

use std::{collections::BTreeMap, sync::Arc};

use app::texts::{Argument, SLOT, Texts};
use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use unic_langid::LanguageIdentifier;

pub use self::overlay::{Overlay, Replaceable};

/// The fallback locale.
pub const DEFAULT_LOCALE: &str = "en";

/// The files of each locale.
const SOURCES: &[(&str, &[&str])] = &[(
    "en",
    &[
        include_str!("../../locales/en/page.ftl"),
        include_str!("../../locales/en/countries.ftl"),
        include_str!("../../locales/en/messages.ftl"),
    ],
)];

/// Texts in all locales.
pub struct Catalogue {
    locales: BTreeMap<&'static str, Locale>,
}

struct Locale {
    bundle: FluentBundle<FluentResource>,
    texts: Arc<Texts>,
}

/// A catalogue is invalid: a fault of the build.
#[derive(Debug, thiserror::Error)]
#[error("catalogue of {locale}: {problems}")]
pub struct CatalogueError {
    /// Name of the locale.
    pub locale: String,
    /// The errors of the parser, or the ids that are defined twice or missing.
    pub problems: String,
}

impl Catalogue {
    /// Parses the compiled-in files and checks that no text of the pages is missing.
    ///
    /// # Errors
    /// If a file is invalid or a text of the pages is missing.
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

    /// The available locales, as BCP 47 tags.
    pub fn locales(&self) -> impl Iterator<Item = &str> + Clone {
        self.locales.keys().copied()
    }

    /// Texts of the pages in a locale, or in the default one if it is unknown.
    pub fn texts(&self, locale: &str) -> Arc<Texts> {
        self.locale(locale).map(|locale| Arc::clone(&locale.texts)).unwrap_or_default()
    }

    /// Formats one text. Falls back to the default locale, then to the id itself.
    pub fn format(&self, locale: &str, id: &str, args: Option<&FluentArgs<'_>>) -> String {
        self.locale(locale)
            .and_then(|locale| format(&locale.bundle, id, args))
            .or_else(|| format(&self.locale(DEFAULT_LOCALE)?.bundle, id, args))
            .unwrap_or_else(|| {
                tracing::error!(locale, id, "text missing in the catalogue");
                id.to_owned()
            })
    }

    /// Whether a locale has a text, without fallback.
    pub fn has(&self, locale: &str, id: &str) -> bool {
        self.locales.get(locale).is_some_and(|locale| locale.bundle.has_message(id))
    }

    /// Name of a country in a locale, by its ISO 3166-1 alpha-2 code; `None` if the catalogue has none.
    pub fn country(&self, locale: &str, region: &str) -> Option<String> {
        let id = format!("country-{region}");
        format(&self.locale(locale)?.bundle, &id, None)
    }

    /// The best locale for an `Accept-Language` (RFC 9110, section 12.5.4).
    pub fn negotiate(&self, accept_language: Option<&str>) -> String {
        self.negotiate_with(&Overlay::default(), accept_language)
    }

    /// The best locale for the messages of a site that has texts of its own.
    pub fn negotiate_with(&self, overlay: &Overlay, accept_language: Option<&str>) -> String {
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
        // The sort is stable: languages of equal quality keep their order.
        ranges.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        ranges
            .into_iter()
            .find_map(|(tag, _)| closest(tag, self.locales().chain(overlay.locales())))
            .unwrap_or(DEFAULT_LOCALE)
            .to_owned()
    }

    /// The locale whose texts [`Catalogue::format`] takes for a tag.
    pub fn closest_or_default(&self, locale: &str) -> &'static str {
        self.locales.get_key_value(locale).map_or(DEFAULT_LOCALE, |(known, _)| known)
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

/// The locale with this tag, or the first one of the same language.
fn closest<'a>(tag: &str, mut locales: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let language = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
    let same = locales.clone().find(|locale| locale.eq_ignore_ascii_case(tag));
    same.or_else(|| locales.find(|locale| language(locale) == language(tag)))
}

/// The quality of a language range, from 0 to 1; 0 if it is invalid.
fn quality(weight: &str) -> f32 {
    weight
        .trim()
        .strip_prefix("q=")
        .and_then(|number| number.trim().parse().ok())
        .filter(|quality| (0.0..=1.0).contains(quality))
        .unwrap_or(0.0)
}

fn bundle(locale: &str, files: &[&str]) -> Result<FluentBundle<FluentResource>, CatalogueError> {
    let error = |problems| CatalogueError { locale: locale.to_owned(), problems };
    let tag = locale.parse::<LanguageIdentifier>();
    let tag = tag.map_err(|source| error(format!("not a language tag: {source}")))?;
    let mut bundle = FluentBundle::new_concurrent(vec![tag]);
    // Isolating marks around variables would appear in subjects, text messages and button names. Pages
    // isolate values by elements instead.
    bundle.set_use_isolating(false);
    for file in files {
        let resource = FluentResource::try_new((*file).to_owned());
        let resource = resource.map_err(|(_, errors)| error(list(&errors)))?;
        bundle.add_resource(resource).map_err(|errors| error(list(&errors)))?;
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
        // A text without the value that it should contain counts as missing.
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
        let problems = format!("texts of the pages missing: {}", ids.join(", "));
        Err(CatalogueError { locale: locale.to_owned(), problems })
    }
}

/// Formats a text; `None` if it or one of its variables is missing.
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
