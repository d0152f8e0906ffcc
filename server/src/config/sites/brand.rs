//! The look of a site.

use std::path::Path;

use app::{
    look::{Color, Ground, LEAST_CONTRAST},
    wire::Brand,
};

use super::logo;
use crate::config::{page::display_name, server::parse_contact, settings::Settings};

/// The brand of a site, by default with the name of the server's page.
pub(super) fn read(settings: &mut Settings, directory: &Path, default_name: &str) -> Brand {
    let name = settings.parse_optional("brand.name", display_name);
    Brand {
        name: name.unwrap_or_else(|| default_name.to_owned()),
        logo: settings.parse_optional("brand.logo", |file| logo::read(&directory.join(file))),
        accent: read_accent(settings),
        support: settings.parse_optional("brand.support", parse_contact),
    }
}

/// The accent colour on a light ground and on a dark one.
fn read_accent(settings: &mut Settings) -> Option<(String, String)> {
    let mut colour = |key, ground| settings.parse_optional(key, |text| parse_colour(text, ground));
    let light = colour("brand.accent", Ground::Light);
    let dark = colour("brand.accent_dark", Ground::Dark);
    if settings.is_set("brand.accent_dark") && !settings.is_set("brand.accent") {
        settings.refuse("brand.accent_dark", "is set, but brand.accent is not");
    }
    let light = light?;
    let dark = dark.unwrap_or_else(|| Ground::Dark.legible(light));
    Some((light.to_string(), dark.to_string()))
}

fn parse_colour(text: &str, ground: Ground) -> Result<Color, String> {
    let colour = Color::parse(text)
        .ok_or_else(|| format!("must be a colour such as \"#3346c8\", not \"{text}\""))?;
    let contrast = ground.contrast_of(colour);
    if contrast >= LEAST_CONTRAST {
        return Ok(colour);
    }
    // Rounded down, so that a refused contrast never looks sufficient.
    let contrast = (contrast * 100.0).floor() / 100.0;
    let (on, shade) = match ground {
        Ground::Light => ("light", "darker"),
        Ground::Dark => ("dark", "lighter"),
    };
    Err(format!(
        "{colour} cannot be read well: on a {on} ground the contrast of links and buttons is \
         {contrast:.2}:1, and must be at least {LEAST_CONTRAST}:1. {} is the nearest {shade} one",
        ground.legible(colour)
    ))
}
