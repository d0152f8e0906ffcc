//! The logo of a brand: a small picture, embedded in pages so that they load nothing from elsewhere.

use std::{fs::File, io::Read, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};

/// The largest logo, in bytes. It travels within every page.
const LARGEST: u64 = 32 * 1024;

/// Reads a picture into a `data:` URI. Its media type follows from its content, not from its name.
pub(super) fn read(path: &Path) -> Result<String, String> {
    let mut content = Vec::new();
    // One byte more than allowed is enough to know, even of a device file without end.
    let read = File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut content));
    read.map_err(|error| format!("the file {} cannot be read: {error}", path.display()))?;
    if content.len() as u64 > LARGEST {
        return Err("is larger than 32 kB; it travels within every page".to_owned());
    }
    match kind(&content) {
        Some(kind) => Ok(format!("data:{kind};base64,{}", STANDARD.encode(&content))),
        None => Err("must be a PNG, SVG, JPEG or WebP picture".to_owned()),
    }
}

/// The media type of a picture, by its first bytes.
fn kind(content: &[u8]) -> Option<&'static str> {
    match content {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => is_svg(std::str::from_utf8(content).ok()?).then_some("image/svg+xml"),
    }
}

/// Whether the first element of a document is `<svg>`. As the source of an `<img>` it runs no script
/// and loads nothing, so what else stands in it does not matter.
fn is_svg(text: &str) -> bool {
    const PROLOG: [(&str, &str); 3] = [("<?", "?>"), ("<!--", "-->"), ("<!", ">")];
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    while let Some((_, end)) = PROLOG.iter().find(|(start, _)| rest.starts_with(start)) {
        let Some((_, behind)) = rest.split_once(end) else { return false };
        rest = behind.trim_start();
    }
    rest.strip_prefix("<svg").is_some_and(|behind| behind.starts_with([' ', '\n', '\r', '\t', '>']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_picture_follows_from_its_content() {
        let pictures: [(&[u8], &str); 6] = [
            (b"\x89PNG\r\n\x1a\n...", "image/png"),
            (b"\xff\xd8\xff\xe0...", "image/jpeg"),
            (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
            (
                b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a -->\n<!DOCTYPE svg>\n<svg>",
                "image/svg+xml",
            ),
            (b"  <svg\n/>", "image/svg+xml"),
        ];
        for (content, expected) in pictures {
            assert_eq!(kind(content), Some(expected));
        }
        let others: [&[u8]; 8] = [
            b"",
            b"GIF89a",
            b"<html><svg></svg></html>",
            b"<svgx>",
            b"<!-- <svg> ",
            b"<?xml",
            b"RIFF\x10\0\0\0WAVE",
            b"\xff\xfe<svg>",
        ];
        for content in others {
            assert_eq!(kind(content), None, "{content:?}");
        }
    }

    #[test]
    fn a_logo_becomes_a_uri_unless_it_is_too_large_or_missing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("logo");
        let mut content = b"\x89PNG\r\n\x1a\n".to_vec();
        std::fs::write(&path, &content).unwrap();
        assert_eq!(read(&path).unwrap(), "data:image/png;base64,iVBORw0KGgo=");

        content.resize(32 * 1024, 0);
        std::fs::write(&path, &content).unwrap();
        assert!(read(&path).is_ok());
        content.push(0);
        std::fs::write(&path, &content).unwrap();
        assert!(read(&path).unwrap_err().contains("larger than 32 kB"));
        assert!(read(&directory.path().join("none")).unwrap_err().contains("cannot be read"));
    }
}
