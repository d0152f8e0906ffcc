//! How a page differs from the usual: a relying party's colours, and what the page around a frame
//! asks for.
//!
//! Anybody can write the address of a frame, so each part is read by a grammar of its own, and what
//! goes into the style sheet is written anew from what was understood. And nobody can make a page
//! illegible: a colour that stands out too little is shifted until it does, and a ground on which
//! the text could not be read is left out (WCAG 2.2, 1.4.3 and 1.4.11).

use std::fmt;

use crate::wire::Brand;

/// Least contrast of text, and of the outline of a control, with what is behind it.
const TEXT: f64 = 4.5;
const OUTLINE: f64 = 3.0;

/// Widest radius of corners, in pixels: those of buttons are round by then.
const WIDEST_RADIUS: u8 = 28;

/// Names of fonts that are words of CSS and not somebody's names.
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

/// Light or dark?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the person prefers it.
    #[default]
    Auto,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// The word for it in `color-scheme`.
    pub(crate) fn scheme(self) -> &'static str {
        match self {
            Self::Auto => "light dark",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// When the dark tokens apply; `None` for never.
    pub(crate) fn dark_when(self) -> Option<&'static str> {
        match self {
            Self::Auto => Some("(prefers-color-scheme: dark)"),
            Self::Light => None,
            Self::Dark => Some("all"),
        }
    }
}

/// What the page around a frame asks for, as it stands in the address.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wish<'a> {
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

/// How a page differs from the usual.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    pub(crate) theme: Theme,
    /// The colour of buttons and links, on light ground and on dark.
    accent: Option<(Color, Color)>,
    /// What everything stands on.
    surface: Option<Color>,
    radius: Option<u8>,
    font: Option<String>,
}

impl Look {
    /// A relying party's own.
    pub fn of(brand: &Brand) -> Self {
        let accent = brand.accent.as_ref();
        let accent =
            accent.and_then(|(light, dark)| Some((Color::parse(light)?, Color::parse(dark)?)));
        Self { accent, ..Self::default() }
    }

    /// The same with what the page around wishes, as far as it can be understood.
    #[must_use]
    pub fn with(self, wish: Wish<'_>) -> Self {
        let accent = Color::parse(wish.accent).map(|accent| (accent, accent));
        Self {
            theme: match wish.theme {
                "light" => Theme::Light,
                "dark" => Theme::Dark,
                _ => Theme::Auto,
            },
            accent: accent.or(self.accent),
            surface: Color::parse(wish.surface),
            radius: wish.radius.parse().ok().map(|radius: u8| radius.min(WIDEST_RADIUS)),
            font: fonts(wish.font),
        }
    }

    /// The style sheet that brings it about, empty for the usual look; to stand behind the others.
    pub(crate) fn css(&self) -> String {
        let mut css = String::new();
        if self.theme != Theme::Auto {
            css += &format!(":root{{color-scheme:{}}}", self.theme.scheme());
        }
        if let Some(radius) = self.radius {
            css += &format!(":root{{--radius:{radius}px}}");
        }
        if let Some(font) = &self.font {
            css += &format!(":root{{--font:{font}}}");
        }
        let colors = |scheme: &Scheme, accent: fn((Color, Color)) -> Color| {
            scheme.css(self.accent.map(accent), self.surface)
        };
        let light = || colors(&LIGHT, |accent| accent.0);
        let dark = || colors(&DARK, |accent| accent.1);
        css += &match self.theme {
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
        css
    }
}

/// What the style sheet has in one scheme, as far as colours of others have to get along with it.
struct Scheme {
    surface: Color,
    sunken: Color,
    /// The colour of text, towards which colours are shifted.
    pole: Color,
    /// The colours of text.
    texts: [Color; 4],
    /// The colour of outlines.
    edge: Color,
    /// On the accent.
    on_accent: Color,
}

const BLACK: Color = Color([0; 3]);
const WHITE: Color = Color([255; 3]);

/// As in `style/tokens.css`.
const LIGHT: Scheme = Scheme {
    surface: WHITE,
    sunken: Color([0xf1, 0xf3, 0xf5]),
    pole: BLACK,
    texts: [
        Color([0x17, 0x1a, 0x1f]),
        Color([0x56, 0x5e, 0x6b]),
        Color([0x14, 0x73, 0x4c]),
        Color([0xb3, 0x26, 0x1e]),
    ],
    edge: Color([0x86, 0x8e, 0x9b]),
    on_accent: WHITE,
};

/// As in `style/dark.css`.
const DARK: Scheme = Scheme {
    surface: Color([0x1b, 0x1e, 0x23]),
    sunken: Color([0x14, 0x16, 0x1a]),
    pole: WHITE,
    texts: [
        Color([0xf1, 0xf3, 0xf5]),
        Color([0xa8, 0xb0, 0xbd]),
        Color([0x6f, 0xd6, 0xa5]),
        Color([0xff, 0x9d, 0x94]),
    ],
    edge: Color([0x70, 0x79, 0x88]),
    on_accent: BLACK,
};

impl Scheme {
    fn css(&self, accent: Option<Color>, surface: Option<Color>) -> String {
        let ground = surface.filter(|surface| self.can_stand_on(*surface));
        let mut tokens = Vec::new();
        let (mut surface, mut sunken) = (self.surface, self.sunken);
        if let Some(ground) = ground {
            (surface, sunken) = (ground, self.below(ground));
            tokens.extend([("surface", surface), ("sunken", sunken)]);
            tokens.push(("line", ground.toward(self.pole, 12)));
        }
        if let Some(accent) = accent {
            let accent = accent.legible_on([surface, sunken], self.pole);
            let (strong, selection) = (accent.toward(self.pole, 22), accent.toward(surface, 75));
            tokens.extend([("accent", accent), ("accent-strong", strong)]);
            tokens.extend([("on-accent", self.on_accent), ("selection", selection)]);
        }
        match tokens.iter().map(|(name, color)| format!("--{name}:{color};")).collect::<String>() {
            none if none.is_empty() => none,
            tokens => format!(":root{{{tokens}}}"),
        }
    }

    fn below(&self, ground: Color) -> Color {
        ground.toward(self.pole, 4)
    }

    /// Could everything be read on it?
    fn can_stand_on(&self, ground: Color) -> bool {
        let sunken = self.below(ground);
        let text = |color: &Color| color.contrast(ground) >= TEXT && color.contrast(sunken) >= TEXT;
        self.texts.iter().all(text) && self.edge.contrast(ground) >= OUTLINE
    }
}

/// A colour in sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Color([u8; 3]);

impl Color {
    /// `#rrggbb` and nothing else.
    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        // A sign would be read as part of a number.
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let byte = |at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        Some(Self([byte(0)?, byte(2)?, byte(4)?]))
    }

    /// Relative luminance (WCAG 2.2).
    fn luminance(self) -> f64 {
        let linear = |byte: u8| match f64::from(byte) / 255.0 {
            low if low <= 0.04045 => low / 12.92,
            high => ((high + 0.055) / 1.055).powf(2.4),
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// 1 to 21.
    fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// The colour that lies `percent` of the way to another.
    fn toward(self, other: Self, percent: u16) -> Self {
        let mut mixed = self.0;
        for (byte, to) in mixed.iter_mut().zip(other.0) {
            let sum = u16::from(*byte) * (100 - percent) + u16::from(to) * percent;
            *byte = u8::try_from(sum / 100).unwrap_or(u8::MAX);
        }
        Self(mixed)
    }

    /// The nearest one on the way to `pole` that can be read on these grounds.
    fn legible_on(self, grounds: [Self; 2], pole: Self) -> Self {
        let shades = (0..=100).step_by(2).map(|percent| self.toward(pole, percent));
        let reads = |shade: &Self| grounds.iter().all(|ground| shade.contrast(*ground) >= TEXT);
        shades.into_iter().find(reads).unwrap_or(pole)
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

/// A list of fonts: up to eight names of letters, digits, spaces and hyphens, every one quoted that
/// is not a word of CSS. `None` unless all of it is like that.
fn fonts(text: &str) -> Option<String> {
    let names: Vec<_> = text.split(',').map(str::trim).collect();
    let is_name = |name: &&str| {
        let may_be = |c: char| c.is_ascii_alphanumeric() || c == ' ' || c == '-';
        (1..=40).contains(&name.len()) && name.chars().all(may_be)
    };
    if names.len() > 8 || !names.iter().all(is_name) {
        return None;
    }
    let quoted = names.iter().map(|name| match GENERIC.contains(name) {
        true => (*name).to_owned(),
        false => format!("\"{name}\""),
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

    fn wish(wish: Wish<'_>) -> String {
        Look::default().with(wish).css()
    }

    #[test]
    fn the_usual_look_takes_no_words() {
        assert_eq!(Look::default().css(), "");
        assert_eq!(wish(Wish::default()), "");
        assert_eq!(Look::of(&Brand::default()), Look::default());
    }

    #[test]
    fn what_a_page_wishes_is_written_anew() {
        let css = wish(Wish {
            theme: "light",
            accent: "#2B6B4A",
            surface: "#fffefb",
            radius: "10",
            font: "Inter, Segoe UI,system-ui",
        });
        assert_eq!(
            css,
            ":root{color-scheme:light}:root{--radius:10px}\
             :root{--font:\"Inter\",\"Segoe UI\",system-ui,system-ui,sans-serif}\
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
        let wished = look.with(Wish { accent: "#663300", ..Wish::default() }).css();
        assert!(wished.contains("{--accent:#663300;") && !wished.contains("#112244"), "{wished}");
    }

    #[test]
    fn a_colour_that_stands_out_too_little_is_shifted_until_it_does() {
        for accent in ["#ffff00", "#ffffff", "#000000", "#3346c8", "#808080", "#1b1e23"] {
            let accent = Color::parse(accent).unwrap();
            for scheme in [LIGHT, DARK] {
                let grounds = [scheme.surface, scheme.sunken];
                let shade = accent.legible_on(grounds, scheme.pole);
                assert!(grounds.iter().all(|ground| shade.contrast(*ground) >= TEXT), "{accent}");
                assert!(scheme.on_accent.contrast(shade) >= TEXT, "{accent}: {shade}");
            }
        }
    }

    #[test]
    fn a_ground_on_which_the_text_could_not_be_read_is_left_out() {
        let light = |surface| wish(Wish { theme: "light", surface, ..Wish::default() });
        let dark = |surface| wish(Wish { theme: "dark", surface, ..Wish::default() });
        assert!(light("#fffefb").contains("--surface:#fffefb"));
        assert!(!light("#1c211b").contains("--surface"));
        assert!(dark("#1c211b").contains("--surface:#1c211b"));
        assert!(!dark("#fffefb").contains("--surface"));
        // As the person prefers it: the ground fits one of the two.
        let css = wish(Wish { surface: "#1c211b", ..Wish::default() });
        assert!(css.starts_with("@media (prefers-color-scheme:dark){:root{--surface:#1c211b"));
    }

    #[test]
    fn what_is_no_colour_number_or_name_changes_nothing() {
        for odd in ["red", "#fff", "#+12345", "#12345g", "#1234567", "url(x)", "}", "--x", "é"] {
            assert_eq!(wish(Wish { accent: odd, surface: odd, ..Wish::default() }), "", "{odd}");
        }
        for odd in ["-1", "1.5", "1px", "1e3", "300", ""] {
            assert_eq!(wish(Wish { radius: odd, ..Wish::default() }), "", "{odd}");
        }
        let many = "a,".repeat(8) + "a";
        for odd in ["Inter;}", "a\"b", "a'b", "a\\b", ",", "a,,b", "url(x)", "a/*", &many] {
            assert_eq!(wish(Wish { font: odd, ..Wish::default() }), "", "{odd}");
        }
        assert_eq!(wish(Wish { theme: "x", ..Wish::default() }), "");
    }

    /// The tokens above are those of the style sheets.
    #[test]
    fn the_schemes_are_those_of_the_style_sheets() {
        let sheets = [
            (LIGHT, include_str!("../../style/tokens.css")),
            (DARK, include_str!("../../style/dark.css")),
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
        /// Whatever an address says, nothing of it gets out of its declaration.
        #[test]
        fn no_wish_breaks_out(
            accent in "\\PC{0,12}", surface in "\\PC{0,12}", radius in "\\PC{0,6}", font in "\\PC{0,60}",
        ) {
            let css = wish(Wish { theme: "dark", accent: &accent, surface: &surface, radius: &radius, font: &font });
            let allowed = |c: char| c.is_ascii_alphanumeric() || ":-{};#,\" ".contains(c);
            prop_assert!(css.chars().all(allowed), "{css}");
            prop_assert_eq!(css.matches('"').count() % 2, 0);
            prop_assert!(!css.contains('<'));
        }
    }
}
