//! Look of a page: a relying party's colours, and the options of a page that embeds a frame.
//!
//! Anybody can write the address of a frame, so each option has a strict grammar, and the style sheet
//! is written from the parsed values. No look makes a page illegible: a colour with too little contrast
//! is shifted until it has enough, and a ground on which the text would be illegible is ignored (WCAG
//! 2.2, 1.4.3 and 1.4.11).

mod color;
mod scheme;

use self::scheme::{DARK, LIGHT, Scheme};
pub use self::{
    color::Color,
    scheme::{Ground, LEAST_CONTRAST},
};
use crate::wire::Brand;

/// Largest radius of corners, in pixels; buttons are round at it.
const WIDEST_RADIUS: u8 = 28;

/// Font names that are CSS keywords and stay unquoted.
const GENERIC: [&str; 9] = [
    "-apple-system",
    "BlinkMacSystemFont",
    "monospace",
    "sans-serif",
    "serif",
    "system-ui",
    "ui-rounded",
    "ui-sans-serif",
    "ui-serif",
];

/// Colour scheme of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the browser prefers.
    #[default]
    Auto,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// Value of `color-scheme`.
    pub(crate) fn scheme(self) -> &'static str {
        match self {
            Self::Auto => "light dark",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// Media query under which the dark tokens apply; `None` for never.
    pub(crate) fn dark_when(self) -> Option<&'static str> {
        match self {
            Self::Auto => Some("(prefers-color-scheme: dark)"),
            Self::Light => None,
            Self::Dark => Some("all"),
        }
    }
}

/// Options of the page around a frame, as in the query of its address.
#[derive(Clone, Copy, Debug, Default)]
pub struct LookOptions<'a> {
    /// `auto`, `light` or `dark`.
    pub theme: &'a str,
    /// `#rrggbb`
    pub accent: &'a str,
    /// `#rrggbb`
    pub surface: &'a str,
    /// Pixels.
    pub radius: &'a str,
    /// Names between commas.
    pub font: &'a str,
}

/// Look of a page, where it differs from the default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    pub(crate) theme: Theme,
    /// Colour of buttons and links, on light ground and on dark.
    accent: Option<(Color, Color)>,
    /// Background.
    surface: Option<Color>,
    radius: Option<u8>,
    font: Option<String>,
}

impl Look {
    /// The look of a relying party.
    pub fn of(brand: &Brand) -> Self {
        let accent = brand.accent.as_ref();
        let accent =
            accent.and_then(|(light, dark)| Some((Color::parse(light)?, Color::parse(dark)?)));
        Self { accent, ..Self::default() }
    }

    /// This look with the options of the page around; invalid ones are ignored.
    #[must_use]
    pub fn with(self, options: LookOptions<'_>) -> Self {
        let accent = Color::parse(options.accent).map(|accent| (accent, accent));
        Self {
            theme: match options.theme {
                "light" => Theme::Light,
                "dark" => Theme::Dark,
                _ => Theme::Auto,
            },
            accent: accent.or(self.accent),
            surface: Color::parse(options.surface),
            radius: options.radius.parse().ok().map(|radius: u8| radius.min(WIDEST_RADIUS)),
            font: fonts(options.font),
        }
    }

    /// The style sheet of the look, to follow the others; empty for the default.
    pub(crate) fn css(&self) -> String {
        let theme = (self.theme != Theme::Auto)
            .then(|| ["color-scheme:", self.theme.scheme(), ";"].concat());
        let radius = self.radius.map(|radius| format!("--radius:{radius}px;"));
        let font = self.font.as_ref().map(|font| ["--font:", font, ";"].concat());
        let own: String = [theme, radius, font].into_iter().flatten().collect();
        let palette = |scheme: &Scheme, accent: fn((Color, Color)) -> Color| {
            scheme.css(self.accent.map(accent), self.surface)
        };
        let light = || palette(&LIGHT, |accent| accent.0);
        let dark = || palette(&DARK, |accent| accent.1);
        let colors = match self.theme {
            Theme::Light => light(),
            Theme::Dark => dark(),
            Theme::Auto => {
                let (light, dark) = (light(), dark());
                let when = |scheme: &str, css: String| match css.as_str() {
                    "" => css,
                    _ => format!("@media (prefers-color-scheme:{scheme}){{{css}}}"),
                };
                when("light", light) + &when("dark", dark)
            }
        };
        match own.as_str() {
            "" => colors,
            own => [":root{", own, "}", &colors].concat(),
        }
    }
}

/// A list of up to eight font names of letters, digits, spaces and hyphens, quoted unless they are CSS
/// keywords. `None` for anything else.
fn fonts(text: &str) -> Option<String> {
    let names: Vec<_> = text.split(',').map(str::trim).collect();
    let is_name = |name: &&str| {
        let may_be = |c: char| c.is_ascii_alphanumeric() || c == ' ' || c == '-';
        (1..=40).contains(&name.len()) && name.chars().all(may_be)
    };
    if names.len() > 8 || !names.iter().all(is_name) {
        return None;
    }
    let quoted = names.iter().map(|name| {
        if GENERIC.contains(name) { (*name).to_owned() } else { format!("\"{name}\"") }
    });
    Some(
        quoted
            .chain(["system-ui".to_owned(), "sans-serif".to_owned()])
            .collect::<Vec<_>>()
            .join(","),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wish(options: LookOptions<'_>) -> String {
        Look::default().with(options).css()
    }

    #[test]
    fn the_usual_look_takes_no_words() {
        assert_eq!(Look::default().css(), "");
        assert_eq!(wish(LookOptions::default()), "");
        assert_eq!(Look::of(&Brand::default()), Look::default());
    }

    #[test]
    fn what_a_page_wishes_is_written_anew() {
        let css = wish(LookOptions {
            theme: "light",
            accent: "#2B6B4A",
            surface: "#fffefb",
            radius: "10",
            font: "Inter, Segoe UI,system-ui",
        });
        assert_eq!(
            css,
            ":root{color-scheme:light;--radius:10px;\
             --font:\"Inter\",\"Segoe UI\",system-ui,system-ui,sans-serif;}\
             :root{--surface:#fffefb;--sunken:#f4f3f0;--line:#e0dfdc;--accent:#2b6b4a;\
             --accent-strong:#215339;--on-accent:#ffffff;--selection:#cad9ce;}"
        );
    }

    #[test]
    fn a_brand_s_colours_hold_in_the_scheme_that_each_is_for_until_the_page_wishes_another() {
        let accent = Some(("#112244".to_owned(), "#aaccff".to_owned()));
        let look = Look::of(&Brand { accent, ..Brand::default() });
        let css = look.css();
        assert!(css.starts_with("@media (prefers-color-scheme:light){:root{--accent:#112244;"));
        assert!(css.contains("@media (prefers-color-scheme:dark){:root{--accent:#aaccff;"));
        let wished = look.with(LookOptions { accent: "#663300", ..LookOptions::default() }).css();
        assert!(wished.contains("{--accent:#663300;") && !wished.contains("#112244"), "{wished}");
    }

    #[test]
    fn a_colour_that_stands_out_too_little_is_shifted_until_it_does() {
        for accent in ["#ffff00", "#ffffff", "#000000", "#3346c8", "#808080", "#1b1e23"] {
            let accent = Color::parse(accent).unwrap();
            for scheme in [LIGHT, DARK] {
                let grounds = [scheme.surface, scheme.sunken];
                let shade = accent.legible_on(grounds, scheme.pole, LEAST_CONTRAST);
                assert!(
                    grounds.iter().all(|ground| shade.contrast(*ground) >= LEAST_CONTRAST),
                    "{accent}"
                );
                assert!(scheme.on_accent.contrast(shade) >= LEAST_CONTRAST, "{accent}: {shade}");
            }
        }
    }

    #[test]
    fn contrasts_are_those_that_everybody_computes() {
        for (one, other, ratio) in [
            ("#000000", "#ffffff", 21.0),
            ("#777777", "#ffffff", 4.48),
            ("#767676", "#ffffff", 4.54),
            ("#0000ff", "#ffffff", 8.59),
        ] {
            let [one, other] = [one, other].map(|text| Color::parse(text).unwrap());
            assert!((one.contrast(other) - ratio).abs() < 0.01, "{one} {other}");
        }
    }

    #[test]
    fn an_accent_is_judged_by_its_least_contrast_and_made_legible_where_it_is_not() {
        for ground in [Ground::Light, Ground::Dark] {
            for text in ["#000000", "#0000ff", "#767676", "#7a0019", "#ffcc00", "#ffffff"] {
                let accent = ground.legible(Color::parse(text).unwrap());
                assert!(ground.contrast_of(accent) >= LEAST_CONTRAST, "{text} {ground:?}");
            }
        }
        // It would do on white, but not on what is sunken into it.
        assert!(Ground::Light.contrast_of(Color::parse("#767676").unwrap()) < LEAST_CONTRAST);
    }

    #[test]
    fn a_ground_on_which_the_text_could_not_be_read_is_left_out() {
        let light =
            |surface| wish(LookOptions { theme: "light", surface, ..LookOptions::default() });
        let dark = |surface| wish(LookOptions { theme: "dark", surface, ..LookOptions::default() });
        assert!(light("#fffefb").contains("--surface:#fffefb"));
        assert!(!light("#1c211b").contains("--surface"));
        assert!(dark("#1c211b").contains("--surface:#1c211b"));
        assert!(!dark("#fffefb").contains("--surface"));
        // As the person prefers it: the ground fits one of the two.
        let css = wish(LookOptions { surface: "#1c211b", ..LookOptions::default() });
        assert!(css.starts_with("@media (prefers-color-scheme:dark){:root{--surface:#1c211b"));
    }

    #[test]
    fn what_is_no_colour_number_or_name_changes_nothing() {
        for odd in ["red", "#fff", "#+12345", "#12345g", "#1234567", "url(x)", "}", "--x", "é"] {
            assert_eq!(
                wish(LookOptions { accent: odd, surface: odd, ..LookOptions::default() }),
                "",
                "{odd}"
            );
        }
        for odd in ["-1", "1.5", "1px", "1e3", "300", ""] {
            assert_eq!(wish(LookOptions { radius: odd, ..LookOptions::default() }), "", "{odd}");
        }
        let many = "a,".repeat(8) + "a";
        for odd in ["Inter;}", "a\"b", "a'b", "a\\b", ",", "a,,b", "url(x)", "a/*", &many] {
            assert_eq!(wish(LookOptions { font: odd, ..LookOptions::default() }), "", "{odd}");
        }
        assert_eq!(wish(LookOptions { theme: "x", ..LookOptions::default() }), "");
    }

    /// The tokens above are those of the style sheets.
    #[test]
    fn the_schemes_are_those_of_the_style_sheets() {
        let sheets = [
            (LIGHT, include_str!("../../../style/tokens.css")),
            (DARK, include_str!("../../../style/dark.css")),
        ];
        for (scheme, css) in sheets {
            let token = |name: &str| {
                let from = css.split_once(&format!("--{name}: ")).unwrap().1;
                let text = from.split_once(';').unwrap().0;
                Color::parse(if text == "#fff" { "#ffffff" } else { text }).unwrap()
            };
            assert_eq!(scheme.surface, token("surface"));
            assert_eq!(scheme.sunken, token("sunken"));
            assert_eq!(scheme.texts, ["text", "muted", "good", "bad"].map(token));
            assert_eq!(scheme.edge, token("edge"));
        }
    }

    proptest! {
        /// No query gets out of its CSS declaration.
        #[test]
        fn no_wish_breaks_out(
            accent in "\\PC{0,12}", surface in "\\PC{0,12}", radius in "\\PC{0,6}", font in "\\PC{0,60}",
        ) {
            let css = wish(LookOptions { theme: "dark", accent: &accent, surface: &surface, radius: &radius, font: &font });
            let allowed = |c: char| c.is_ascii_alphanumeric() || ":-{};#,\" ".contains(c);
            prop_assert!(css.chars().all(allowed), "{css}");
            prop_assert_eq!(css.matches('"').count() % 2, 0);
            prop_assert!(!css.contains('<'));
        }
    }
}
