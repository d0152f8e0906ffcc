//! Bodies: one JSON object, read strictly (S19).
//!
//! What is no JSON at all is one thing, what is JSON and does not fit another: the second is told
//! with the name of the field, in the developer's own terms.

use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::http::problem::Problem;
use app::error::ApiError;

/// Longest name of a field that is repeated to whoever sent it, in characters.
const LONGEST_NAME: usize = 64;

/// Reads a body as a `T`.
pub(in crate::http) fn read<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: &[u8],
) -> Result<T, Problem> {
    if !is_json(headers) {
        return Err(Problem::bare(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    // Without this a list would be taken for the fields in their order.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(ApiError::BadRequest.into());
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        problem(&path, error.inner())
    })?;
    json.end().map_err(|_| ApiError::BadRequest)?;
    Ok(value)
}

/// One `Content-Type`, whatever its parameters.
pub(in crate::http) fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(kind), None) = (types.next(), types.next()) else {
        return false;
    };
    let essence = kind.to_str().ok().and_then(|kind| kind.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

fn problem(path: &str, error: &serde_json::Error) -> Problem {
    if error.classify() != Category::Data {
        return ApiError::BadRequest.into();
    }
    let said = error.to_string();
    // Of an object as a whole serde says which name it stumbled over, between backticks.
    let name = || said.split('`').nth(1).unwrap_or_default();
    let (path, flaw) = if said.starts_with("unknown field") {
        (below(path, name()), "is no field of this request")
    } else if said.starts_with("missing field") {
        (below(path, name()), "is missing")
    } else if said.starts_with("duplicate field") {
        (below(path, name()), "stands there twice")
    } else if said.starts_with("unknown variant") {
        // This text and the next would quote what came.
        (path.to_owned(), "is none of the words that it can be")
    } else if said.starts_with("invalid type") {
        let wanted = said.rsplit(", expected ").next().unwrap_or_default();
        let is_text = wanted.starts_with("a string") || wanted.starts_with("string");
        (path.to_owned(), if is_text { "has to be text" } else { "has to be an object" })
    } else {
        let place = said.rfind(" at line ").unwrap_or(said.len());
        (path.to_owned(), said.get(..place).unwrap_or_default())
    };
    let path: String = path.chars().take(LONGEST_NAME).collect();
    let flaw = format!("`{path}` {flaw}.");
    Problem::field(path, flaw)
}

/// The path of a field of the object at `path`; a dot stands for the body itself.
fn below(path: &str, name: &str) -> String {
    match path {
        "." | "" => name.to_owned(),
        // An unknown field is in the path already.
        path if path == name || path.ends_with(&format!(".{name}")) => path.to_owned(),
        path => format!("{path}.{name}"),
    }
}
