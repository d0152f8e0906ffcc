//! Who a request under `/v1` comes from, and what it says.
//!
//! The key is looked at before anything else, so that whoever has none learns nothing more. What
//! was wrong with it is not told.

use std::sync::Arc;

use app::error::{ApiError, Field};
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Request},
    http::{HeaderMap, Method, StatusCode, header, request::Parts},
};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::json;
use crate::{
    api::{Backend, RequestKey},
    http::{Context, problem::Problem},
};

/// Names a request, so that a repetition of it has no second effect.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Longest such name in bytes.
const LONGEST_KEY: usize = 255;

/// A back end that only looks.
pub(super) struct Looking(pub(super) Backend);

impl FromRequestParts<Arc<Context>> for Looking {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        context: &Arc<Context>,
    ) -> Result<Self, Problem> {
        let site = authorize(&parts.headers, context)?;
        Ok(Self(Backend { site, request: None }))
    }
}

/// A back end that wants something done, and what it has sent.
pub(super) struct Acting<B> {
    pub(super) backend: Backend,
    pub(super) body: B,
}

/// What a request may bring along.
pub(super) trait Brought: Sized {
    fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Problem>;
}

/// A JSON object.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned> Brought for Json<T> {
    fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Problem> {
        json::read(headers, body).map(Self)
    }
}

/// A JSON object, or nothing where there is nothing to say.
pub(super) struct OptionalJson<T>(pub(super) T);

impl<T: DeserializeOwned + Default> Brought for OptionalJson<T> {
    fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Problem> {
        if body.is_empty() { Ok(Self(T::default())) } else { json::read(headers, body).map(Self) }
    }
}

/// Nothing.
pub(super) struct Nothing;

impl Brought for Nothing {
    fn read(_: &HeaderMap, body: &[u8]) -> Result<Self, Problem> {
        if body.is_empty() { Ok(Self) } else { Err(ApiError::BadRequest.into()) }
    }
}

impl<B: Brought> FromRequest<Arc<Context>> for Acting<B> {
    type Rejection = Problem;

    async fn from_request(request: Request, context: &Arc<Context>) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let site = authorize(&parts.headers, context)?;
        let key = idempotency_key(&parts.headers)?;
        // It was read before, within bounds; this only takes it.
        let body = Bytes::from_request(Request::new(body), &()).await;
        let body = body.map_err(|_| Problem::bare(StatusCode::BAD_REQUEST))?;
        let fingerprint = fingerprint(&parts.method, parts.uri.path(), &body);
        let request = key.map(|key| RequestKey { key, fingerprint });
        let body = B::read(&parts.headers, &body)?;
        Ok(Self { backend: Backend { site, request }, body })
    }
}

/// The id in the address, as it was written. One that cannot be read is one that nobody has.
pub(super) struct Id(pub(super) String);

impl FromRequestParts<Arc<Context>> for Id {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        context: &Arc<Context>,
    ) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, context).await;
        Ok(Self(path.map(|Path(id)| id).unwrap_or_default()))
    }
}

fn authorize(headers: &HeaderMap, context: &Context) -> Result<String, ApiError> {
    let secret = bearer(headers).ok_or(ApiError::Unauthorized)?;
    context.web.api.site_of(secret).ok_or(ApiError::Unauthorized)
}

/// The one bearer token of a request (RFC 6750, section 2.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut lines = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return None;
    };
    let (scheme, token) = line.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start_matches(' '))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut lines = headers.get_all(IDEMPOTENCY_KEY).iter();
    let (line, second) = (lines.next(), lines.next());
    let Some(line) = line else {
        return Ok(None);
    };
    let is_key = |key: &str| {
        (1..=LONGEST_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let key = line.to_str().ok().filter(|key| second.is_none() && is_key(key));
    let refused = ApiError::InvalidField { field: Field::IdempotencyKey };
    key.map(|key| Some(key.to_owned())).ok_or(refused)
}

/// What makes two requests the same one. No method holds a line break and no path does, so no two
/// requests run together.
fn fingerprint(method: &Method, path: &str, body: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(method.as_str());
    hash.update("\n");
    hash.update(path);
    hash.update("\n");
    hash.update(body);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let line =
            |(name, value): &(&'static str, &str)| (name.parse().unwrap(), value.parse().unwrap());
        lines.iter().map(line).collect()
    }

    #[test]
    fn a_secret_key_comes_in_one_bearer_header() {
        let key = |values: &[&str]| {
            let lines: Vec<_> = values.iter().map(|value| ("authorization", *value)).collect();
            bearer(&headers(&lines)).map(str::to_owned)
        };
        for value in ["Bearer lk_sec_x", "bearer lk_sec_x", "BEARER  lk_sec_x"] {
            assert_eq!(key(&[value]).as_deref(), Some("lk_sec_x"), "{value}");
        }
        for value in ["", "lk_sec_x", "Bearer", "Basic lk_sec_x", "Bearer\tlk_sec_x"] {
            assert_eq!(key(&[value]), None, "{value}");
        }
        assert_eq!(key(&[]), None);
        assert_eq!(key(&["Bearer lk_sec_x", "Bearer lk_sec_x"]), None);
    }

    #[test]
    fn an_idempotency_key_is_one_header_of_visible_characters() {
        let key = |values: &[&str]| {
            let lines: Vec<_> = values.iter().map(|value| (IDEMPOTENCY_KEY, *value)).collect();
            idempotency_key(&headers(&lines))
        };
        let refused = Err(ApiError::InvalidField { field: Field::IdempotencyKey });
        assert_eq!(key(&[]), Ok(None));
        for good in ["k", "!~", &"k".repeat(255)] {
            assert_eq!(key(&[good]), Ok(Some(good.to_owned())));
        }
        for bad in ["", "a b", "ä", &"k".repeat(256)] {
            assert_eq!(key(&[bad]), refused, "{bad}");
        }
        assert_eq!(key(&["k", "k"]), refused);
    }

    #[test]
    fn two_requests_are_one_only_if_method_path_and_body_are() {
        let one = fingerprint(&Method::POST, "/v1/a", b"{}");
        assert_eq!(one, fingerprint(&Method::POST, "/v1/a", b"{}"));
        for other in [
            fingerprint(&Method::DELETE, "/v1/a", b"{}"),
            fingerprint(&Method::POST, "/v1/b", b"{}"),
            fingerprint(&Method::POST, "/v1/a", b"{ }"),
        ] {
            assert_ne!(one, other);
        }
    }
}
