//! Encoding of the server functions: JSON arrays of strings, as `wire_codec` writes them, by POST.
//!
//! A cross-site form cannot send JSON, and the browser needs no form decoder for it.

use server_fn::{Bytes, ContentType, Decodes, Encodes, Format, FormatType, codec::Post};

use crate::wire_codec::Pack;

/// Arguments and answers of the server functions.
pub type JsonPost = Post<Json>;

/// The codec.
#[derive(Clone, Copy, Debug)]
pub struct Json;

/// Bytes that are no such array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("reading or writing a list of strings")]
pub struct NotAList;

impl ContentType for Json {
    const CONTENT_TYPE: &'static str = "application/json";
}

impl FormatType for Json {
    const FORMAT_TYPE: Format = Format::Text;
}

impl<T: Pack> Encodes<T> for Json {
    type Error = NotAList;

    fn encode(value: &T) -> Result<Bytes, NotAList> {
        write(&value.packed()).map(Bytes::from).ok_or(NotAList)
    }
}

impl<T: Pack> Decodes<T> for Json {
    type Error = NotAList;

    fn decode(bytes: Bytes) -> Result<T, NotAList> {
        std::str::from_utf8(&bytes).ok().and_then(read).and_then(T::unpacked).ok_or(NotAList)
    }
}

/// Writes a list of strings as JSON.
#[cfg(feature = "ssr")]
pub(crate) fn write(list: &[String]) -> Option<String> {
    serde_json::to_string(list).ok()
}

/// Reads a JSON array of strings.
#[cfg(feature = "ssr")]
pub(crate) fn read(json: &str) -> Option<Vec<String>> {
    serde_json::from_str(json).ok()
}

/// Writes a list of strings as JSON.
#[cfg(not(feature = "ssr"))]
pub(crate) fn write(list: &[String]) -> Option<String> {
    let array: js_sys::Array =
        list.iter().map(|item| wasm_bindgen::JsValue::from_str(item)).collect();
    js_sys::JSON::stringify(&array).ok().map(String::from)
}

/// Reads a JSON array of strings.
#[cfg(not(feature = "ssr"))]
pub(crate) fn read(json: &str) -> Option<Vec<String>> {
    let list = js_sys::JSON::parse(json).ok()?;
    js_sys::Array::from(&list).iter().map(|item| item.as_string()).collect()
}
