//! JSON in both directions, by POST.
//!
//! A cross-site form cannot send JSON, and it needs no form decoder in the browser. The codec that
//! comes with `server_fn` reads bytes; an island's properties are read from a string. Reading
//! strings here as well means that the browser gets one reader, not two.

use server_fn::{ContentType, Decodes, Encodes, Format, FormatType, codec::Post};

/// Arguments and answers of the server functions.
pub type JsonPost = Post<Json>;

/// The codec.
#[derive(Clone, Copy, Debug)]
pub struct Json;

impl ContentType for Json {
    const CONTENT_TYPE: &'static str = "application/json";
}

impl FormatType for Json {
    const FORMAT_TYPE: Format = Format::Text;
}

impl<T: serde::Serialize> Encodes<T> for Json {
    type Error = serde_json::Error;

    fn encode(value: &T) -> Result<server_fn::Bytes, Self::Error> {
        serde_json::to_string(value).map(server_fn::Bytes::from)
    }
}

impl<T: serde::de::DeserializeOwned> Decodes<T> for Json {
    type Error = serde_json::Error;

    fn decode(bytes: server_fn::Bytes) -> Result<T, Self::Error> {
        // What is not UTF-8 is not JSON either.
        serde_json::from_str(std::str::from_utf8(&bytes).unwrap_or_default())
    }
}
