//! Compression at build time, at the highest quality of each encoding.

use std::io::{self, Write};

use flate2::{Compression, write::GzEncoder};

type Encode = fn(&[u8]) -> io::Result<Vec<u8>>;

/// The encodings: suffix of the compressed file, and function.
pub(crate) const ENCODINGS: [(&str, Encode); 2] = [("br", brotli), ("gz", gzip)];

fn brotli(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: 11,
        size_hint: bytes.len(),
        ..Default::default()
    };
    let mut packed = Vec::new();
    brotli::BrotliCompress(&mut &bytes[..], &mut packed, &parameters)?;
    Ok(packed)
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    // The header has no file name and no time stamp, so the output depends on the input only.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn each_encoding_can_be_decoded() {
        let text = "one code, one person, one page. ".repeat(200).into_bytes();

        let mut from_brotli = Vec::new();
        let packed = brotli(&text).unwrap();
        brotli::BrotliDecompress(&mut packed.as_slice(), &mut from_brotli).unwrap();

        let mut from_gzip = Vec::new();
        let gzipped = gzip(&text).unwrap();
        flate2::read::GzDecoder::new(gzipped.as_slice()).read_to_end(&mut from_gzip).unwrap();

        assert!(packed.len() < text.len() / 10 && gzipped.len() < text.len() / 10);
        assert_eq!((from_brotli, from_gzip), (text.clone(), text));
    }

    #[test]
    fn the_same_input_gives_the_same_output() {
        for (suffix, encode) in ENCODINGS {
            assert_eq!(encode(b"again").unwrap(), encode(b"again").unwrap(), "{suffix}");
        }
    }
}
