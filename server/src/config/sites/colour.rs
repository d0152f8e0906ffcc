//! Colours of a brand, and whether people can read what is written in them.

use std::fmt;

/// The least contrast of text (WCAG 2.2, 1.4.3).
const LEAST: f64 = 4.5;

/// A colour in sRGB.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Colour([u8; 3]);

/// What a brand's colour meets: the text of buttons stands on it, and as a link it stands on the
/// card. The values are those of `style/brand.css` and `style/tokens.css`.
pub(super) struct Ground {
    name: &'static str,
    button_text: Colour,
    card: Colour,
}

/// Where the page is light.
pub(super) const LIGHT: Ground = Ground {
    name: "light",
    button_text: Colour([0xff, 0xff, 0xff]),
    card: Colour([0xff, 0xff, 0xff]),
};

/// Where the page is dark.
pub(super) const DARK: Ground = Ground {
    name: "dark",
    button_text: Colour([0x14, 0x16, 0x1a]),
    card: Colour([0x1b, 0x1e, 0x23]),
};

impl Colour {
    /// Reads `#rrggbb`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        // `from_str_radix` would take a sign.
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
        Some(Self([red, green, blue]))
    }

    /// What is wrong with it on this ground, in numbers.
    pub(super) fn problem_on(self, ground: &Ground) -> Option<String> {
        let uses = [("text of buttons on it", ground.button_text), ("links in it", ground.card)];
        let (what, other, contrast) = uses
            .into_iter()
            .map(|(what, other)| (what, other, self.contrast(other)))
            .find(|(.., contrast)| *contrast < LEAST)?;
        // Rounded down, so that what is refused never looks sufficient.
        let contrast = (contrast * 100.0).floor() / 100.0;
        Some(format!(
            "cannot be read well: on {} ground the contrast of {what} ({other}) is {contrast:.2}:1, \
             and must be 4.5:1 at least",
            ground.name
        ))
    }

    /// The colour, as much lighter as dark ground asks for.
    pub(super) fn lightened(self) -> Self {
        let mixed = |part: u16| {
            let mix = |channel: u8| {
                let channel = u16::from(channel);
                u8::try_from(channel + (255 - channel) * part / 20).unwrap_or(u8::MAX)
            };
            Self(self.0.map(mix))
        };
        let readable = |colour: &Self| colour.problem_on(&DARK).is_none();
        (0..=20).map(mixed).find(readable).unwrap_or(LIGHT.button_text)
    }

    /// The contrast ratio of WCAG 2.2, from 1 to 21.
    fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// The relative luminance of WCAG 2.2, from 0 to 1.
    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

/// As `#rrggbb`.
impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colour(text: &str) -> Colour {
        Colour::parse(text).unwrap()
    }

    #[test]
    fn contrasts_are_those_that_everybody_computes() {
        let close = |one, two, ratio: f64| {
            let contrast = colour(one).contrast(colour(two));
            assert!((contrast - ratio).abs() < 0.01, "{one} {two}: {contrast}");
        };
        close("#000000", "#ffffff", 21.0);
        close("#777777", "#ffffff", 4.48);
        close("#767676", "#ffffff", 4.54);
        close("#0000ff", "#ffffff", 8.59);
    }

    #[test]
    fn a_colour_has_six_digits_behind_a_hash() {
        assert_eq!(colour("#A1b2C3").to_string(), "#a1b2c3");
        for text in ["", "#", "a1b2c3", "#fff", "#a1b2c3d4", "#+1b2c3", "#gggggg", "red", "#é1b2c"]
        {
            assert!(Colour::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn any_colour_becomes_readable_on_dark_ground_and_a_readable_one_stays() {
        for text in ["#000000", "#0000ff", "#3346c8", "#7a0019", "#808080", "#ffffff"] {
            assert!(colour(text).lightened().problem_on(&DARK).is_none(), "{text}");
        }
        assert_eq!(colour("#a9b5ff").lightened().to_string(), "#a9b5ff");
    }
}
