//! How a site looks and who its mail comes from.

use app::{
    look::{Color, Ground, LEAST_CONTRAST},
    wire::Brand,
};

use super::{Surroundings, logo};
use crate::config::{page::fits_one_line, reader::Reader, server::contact_uri};

pub(super) fn read(reader: &mut Reader, server: &Surroundings<'_>) -> Brand {
    let name = read_name(reader, "brand.name");
    let logo = reader.optional("brand.logo").and_then(|file| {
        let logo = logo::read(&server.directory.join(file));
        logo.map_err(|problem| reader.refuse("brand.logo", problem)).ok()
    });
    Brand {
        name: name.unwrap_or_else(|| server.page.brand.clone()),
        logo,
        accent: read_accent(reader),
        support: read_support(reader),
    }
}

/// The name that mail comes from, where it is not the brand's.
pub(super) fn read_sender(reader: &mut Reader) -> Option<String> {
    read_name(reader, "brand.sender")
}

fn read_name(reader: &mut Reader, key: &str) -> Option<String> {
    let name = reader.optional(key)?;
    if !fits_one_line(&name) {
        reader.refuse(key, "must be 1 to 40 characters on one line");
    }
    Some(name)
}

/// The colour on light ground and on dark.
fn read_accent(reader: &mut Reader) -> Option<(String, String)> {
    let light = read_colour(reader, "brand.accent", Ground::Light);
    let dark = read_colour(reader, "brand.accent_dark", Ground::Dark);
    if reader.is_set("brand.accent_dark") && !reader.is_set("brand.accent") {
        reader.refuse("brand.accent_dark", "is set, but brand.accent is not");
    }
    let light = light?;
    let dark = dark.unwrap_or_else(|| Ground::Dark.legible(light));
    Some((light.to_string(), dark.to_string()))
}

fn read_colour(reader: &mut Reader, key: &str, ground: Ground) -> Option<Color> {
    let text = reader.optional(key)?;
    let Some(colour) = Color::parse(&text) else {
        reader.refuse(key, format!("must be a colour as \"#3346c8\", and is \"{text}\""));
        return None;
    };
    let contrast = ground.contrast_of(colour);
    if contrast < LEAST_CONTRAST {
        // Rounded down, so that what is refused never looks sufficient.
        let contrast = (contrast * 100.0).floor() / 100.0;
        let (on, shade) = match ground {
            Ground::Light => ("light", "darker"),
            Ground::Dark => ("dark", "lighter"),
        };
        reader.refuse(
            key,
            format!(
                "{colour} cannot be read well: on {on} ground the contrast of links and buttons \
                 would be {contrast:.2}:1, and must be {LEAST_CONTRAST}:1 at least. {} is the \
                 nearest {shade} one",
                ground.legible(colour)
            ),
        );
    }
    Some(colour)
}

fn read_support(reader: &mut Reader) -> Option<String> {
    let text = reader.optional("brand.support")?;
    let url = contact_uri(&text);
    if url.is_none() {
        reader.refuse(
            "brand.support",
            "must be \"mailto:\" and an address, or a URL that begins with https://",
        );
    }
    url.map(String::from)
}
