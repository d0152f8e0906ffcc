//! Colours and their contrast.

use std::fmt;

pub(super) const BLACK: Color = Color([0; 3]);
pub(super) const WHITE: Color = Color([255; 3]);

/// A colour in sRGB; displayed as `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color(pub(super) [u8; 3]);

impl Color {
    /// Parses `#rrggbb`.
    pub fn parse(text: &str) -> Option<Self> {
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

    /// Contrast ratio, 1 to 21.
    pub(super) fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// The colour that lies `percent` of the way to another.
    pub(super) fn toward(self, other: Self, percent: u16) -> Self {
        let mut mixed = self.0;
        for (byte, to) in mixed.iter_mut().zip(other.0) {
            let sum = u16::from(*byte) * (100 - percent) + u16::from(to) * percent;
            *byte = u8::try_from(sum / 100).unwrap_or(u8::MAX);
        }
        Self(mixed)
    }

    /// The nearest colour towards `pole` that has this contrast with each of these grounds.
    pub(super) fn legible_on(self, grounds: [Self; 2], pole: Self, contrast: f64) -> Self {
        let shades = (0..=100).step_by(2).map(|percent| self.toward(pole, percent));
        let reads = |shade: &Self| grounds.iter().all(|ground| shade.contrast(*ground) >= contrast);
        shades.into_iter().find(reads).unwrap_or(pole)
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}
