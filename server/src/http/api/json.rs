//! Bodies of requests: one JSON object, read strictly (S19).
//!
//! A body that is not JSON is a bad request. One that does not fit is refused with the name of the
//! field and the reason, never with the value (S8).

use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::Path;

use crate::http::problem::Problem;
use app::error::ApiError;

/// Longest name of a field that is repeated to the client, in bytes.
const LONGEST_KEY: usize = 64;

/// Reads a body as a `T`.
///
/// # Errors
/// 415 without the content type of JSON, 400 for anything but one JSON object, 422 for an object that
/// is not a `T`.
pub(in crate::http) fn read<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: &[u8],
) -> Result<T, Problem> {
    if !is_json(headers) {
        return Err(Problem::bare(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    // serde reads a list as the fields in their order.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(ApiError::BadRequest.into());
    }
    serde_json::from_slice(body).map_err(|_| flaw::<T>(body))
}

/// The reason why a body is no `T`. It is read once more, since only then the path to the flaw is kept.
fn flaw<T: DeserializeOwned>(body: &[u8]) -> Problem {
    let mut json = serde_json::Deserializer::from_slice(body);
    match serde_path_to_error::deserialize::<_, T>(&mut json) {
        Ok(_) => ApiError::BadRequest.into(),
        Err(error) => problem(error.path(), error.inner()),
    }
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

fn problem(path: &Path, error: &serde_json::Error) -> Problem {
    if error.classify() != Category::Data {
        return ApiError::BadRequest.into();
    }
    let said = error.to_string();
    // serde names fields of an object, and words of a list, between backticks.
    let quoted = |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    let mut keys: Vec<String> = path.iter().map(ToString::to_string).collect();
    let add = |keys: &mut Vec<String>| {
        let names: Vec<String> = quoted(&said);
        // An unknown field is in the path already.
        if let Some(name) = names.first()
            && keys.last() != Some(name)
        {
            keys.push(name.clone());
        }
    };
    let wanted = said.rsplit(", expected ").next().unwrap_or_default();
    let flaw = if said.starts_with("unknown field") {
        add(&mut keys);
        "is not a field of this request".to_owned()
    } else if said.starts_with("missing field") {
        add(&mut keys);
        "is missing".to_owned()
    } else if said.starts_with("duplicate field") {
        add(&mut keys);
        "is given twice".to_owned()
    } else if said.starts_with("unknown variant") {
        let words: Vec<String> = quoted(wanted);
        format!("must be one of: {}", words.join(", "))
    } else if said.starts_with("invalid type") {
        let is_text = wanted.starts_with("a string") || wanted.starts_with("string");
        if is_text { "must be text".to_owned() } else { "must be an object".to_owned() }
    } else if said.starts_with("must ") {
        // The types of `request_types` speak for themselves.
        let end = said.rfind(" at line ").unwrap_or(said.len());
        said[..end].to_owned()
    } else {
        // Any other text of serde would quote the value.
        "is not valid".to_owned()
    };
    let (name, subject) = field(&keys);
    Problem::field(name, format!("{subject} {flaw}."))
}

/// The name of a field as it may be repeated, and the subject of a sentence about the field.
///
/// Names come from the client as well, and may hold a value by mistake: only those that look like
/// keys are repeated. Otherwise the name is that of the object around the field, if it has one.
fn field(keys: &[String]) -> (String, String) {
    let name = keys.join(".");
    if is_key(&name) {
        let subject = format!("`{name}`");
        return (name, subject);
    }
    let around = keys.split_last().map(|(_, around)| around.join(".")).unwrap_or_default();
    if is_key(&around) {
        let subject = format!("A field of `{around}`");
        (around, subject)
    } else {
        (String::new(), "A field that was sent".to_owned())
    }
}

fn is_key(name: &str) -> bool {
    let may_stand = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    (1..=LONGEST_KEY).contains(&name.len()) && name.bytes().all(may_stand)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use axum::http::HeaderValue;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only read")]
    struct Body {
        to: String,
        channel: Option<otp::Channel>,
        kind: Option<Kind>,
        metadata: Option<BTreeMap<String, Inner>>,
        count: Option<u8>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        One,
        Other,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only read")]
    struct Inner {
        text: String,
    }

    /// The field and the sentence that a body is refused with.
    fn refused(body: &str) -> (String, String) {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let problem = read::<Body>(&headers, body.as_bytes()).unwrap_err();
        problem.field_and_flaw()
    }

    #[test]
    fn each_refusal_names_the_field_and_the_reason() {
        for (body, field, sentence) in [
            (r"{}", "to", "`to` is missing."),
            (r#"{"to":1}"#, "to", "`to` must be text."),
            (r#"{"to":"a","to":"b"}"#, "to", "`to` is given twice."),
            (r#"{"to":"a","x":"b"}"#, "x", "`x` is not a field of this request."),
            (
                r#"{"to":"a","channel":"fax"}"#,
                "channel",
                "`channel` must be one of: email, sms, whatsapp, voice.",
            ),
            (r#"{"to":"a","kind":"`no`"}"#, "kind", "`kind` must be one of: one, other."),
            (r#"{"to":"a","metadata":[]}"#, "metadata", "`metadata` must be an object."),
            (
                r#"{"to":"a","metadata":{"k":{}}}"#,
                "metadata.k.text",
                "`metadata.k.text` is missing.",
            ),
            (r#"{"to":"a","count":300}"#, "count", "`count` is not valid."),
        ] {
            assert_eq!(refused(body), (field.to_owned(), sentence.to_owned()), "{body}");
        }
    }

    #[test]
    fn s8_a_name_that_does_not_look_like_a_key_is_not_repeated() {
        let unknown = "A field that was sent is not a field of this request.";
        for name in ["", "jo@example.com", "+44 7400", "ä", "a`b", "a\\nb", &"x".repeat(65)] {
            let body = format!(r#"{{"to":"a","{name}":1}}"#);
            assert_eq!(refused(&body), (String::new(), unknown.to_owned()), "{name}");
        }
        let (field, sentence) = refused(r#"{"to":"a","metadata":{"jo@example.com":1}}"#);
        assert_eq!(field, "metadata");
        assert_eq!(sentence, "A field of `metadata` must be an object.");
        let longest = "x".repeat(64);
        assert_eq!(refused(&format!(r#"{{"to":"a","{longest}":1}}"#)).0, longest);
    }
}
