//! Light and dark colour scheme, as far as custom colours must fit them.

use super::color::{BLACK, Color, WHITE};

/// Least contrast of text with what is behind it (WCAG 2.2, 1.4.3).
pub const LEAST_CONTRAST: f64 = 4.5;
/// Least contrast of the outline of a control (WCAG 2.2, 1.4.11).
const OUTLINE: f64 = 3.0;

/// The colours of the style sheet in one scheme that custom colours must fit.
pub(super) struct Scheme {
    pub(super) surface: Color,
    pub(super) sunken: Color,
    /// The colour of text, towards which colours are shifted.
    pub(super) pole: Color,
    /// The colours of text.
    pub(super) texts: [Color; 4],
    /// The colour of outlines.
    pub(super) edge: Color,
    /// Text on the accent.
    pub(super) on_accent: Color,
}

/// As in `style/tokens.css`.
pub(super) const LIGHT: Scheme = Scheme {
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
pub(super) const DARK: Scheme = Scheme {
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

/// Background of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Ground {
    /// The least contrast of an accent in its uses, from 1 to 21: as a link on the card, and under the
    /// text of buttons.
    pub fn contrast_of(self, accent: Color) -> f64 {
        let Scheme { surface, sunken, on_accent, .. } = self.scheme();
        let uses = [surface, sunken, on_accent].into_iter();
        uses.map(|other| accent.contrast(other)).fold(f64::INFINITY, f64::min)
    }

    /// The accent, shifted until it is legible.
    #[must_use]
    pub fn legible(self, accent: Color) -> Color {
        let Scheme { surface, sunken, pole, .. } = self.scheme();
        accent.legible_on([surface, sunken], pole, LEAST_CONTRAST)
    }

    fn scheme(self) -> Scheme {
        match self {
            Self::Light => LIGHT,
            Self::Dark => DARK,
        }
    }
}

impl Scheme {
    /// The tokens that custom colours change, as one rule; empty if there are none.
    pub(super) fn css(&self, accent: Option<Color>, surface: Option<Color>) -> String {
        let ground = surface.filter(|surface| self.can_stand_on(*surface));
        let mut tokens = Vec::new();
        let (mut surface, mut sunken) = (self.surface, self.sunken);
        if let Some(ground) = ground {
            (surface, sunken) = (ground, self.below(ground));
            tokens.extend([("surface", surface), ("sunken", sunken)]);
            tokens.push(("line", ground.toward(self.pole, 12)));
        }
        if let Some(accent) = accent {
            let accent = accent.legible_on([surface, sunken], self.pole, LEAST_CONTRAST);
            let (strong, selection) = (accent.toward(self.pole, 22), accent.toward(surface, 75));
            tokens.extend([("accent", accent), ("accent-strong", strong)]);
            tokens.extend([("on-accent", self.on_accent), ("selection", selection)]);
        }
        let tokens = tokens.iter().map(|(name, color)| format!("--{name}:{color};"));
        let tokens: Vec<_> = tokens.collect();
        if tokens.is_empty() { String::new() } else { format!(":root{{{}}}", tokens.concat()) }
    }

    fn below(&self, ground: Color) -> Color {
        ground.toward(self.pole, 4)
    }

    /// `true` if all text is legible on it.
    fn can_stand_on(&self, ground: Color) -> bool {
        let sunken = self.below(ground);
        let text = |color: &Color| {
            [ground, sunken].iter().all(|ground| color.contrast(*ground) >= LEAST_CONTRAST)
        };
        self.texts.iter().all(text) && self.edge.contrast(ground) >= OUTLINE
    }
}
