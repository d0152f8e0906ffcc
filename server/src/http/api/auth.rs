//! Authentication and bodies of requests under `/v1`.
//!
//! The secret key is checked before anything else, so that a client without one learns nothing
//! more, not even what was wrong with its key.

use std::sync::Arc;

use app::error::ApiError;
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, Method, StatusCode, header, request::Parts},
};
use otp::VerificationId;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::{json, request_types::EndUser};
use crate::{
    http::{Context, caller, id_in_path, problem::Problem},
    service::{Client, Person, Scope, Service},
    site::Site,
};

/// Header that makes a repetition of a request harmless.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Longest idempotency key in bytes.
const LONGEST_KEY: usize = 255;

/// A back end that has sent a secret key of its site. Extracted by itself it has no idempotency key.
pub(super) struct Backend {
    pub(super) site: Arc<Site>,
    pub(super) client: Client,
}

impl FromRequestParts<Arc<Context>> for Backend {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        context: &Arc<Context>,
    ) -> Result<Self, Problem> {
        let site = authorize(&parts.headers, context)?;
        let scope = Scope::Site(site.name.clone());
        let mut person = Person::default();
        if context.web.service.counts_callers_of(&site) {
            let Ok(caller::From(caller)) = caller::From::from_request_parts(parts, context).await;
            person = context.web.service.person_here(caller.address, &caller.user_agent);
        }
        Ok(Self { site, client: Client { scope, person, idempotency_key: None, work: None } })
    }
}

impl Backend {
    /// The client with what the back end tells of the person. At sites for test suites, whose keys everybody
    /// knows, that counts for nothing.
    pub(super) fn telling(self, service: &Service, told: Option<EndUser>) -> Client {
        let Self { site, mut client } = self;
        if let Some(told) = told.filter(|_| site.test_mode.is_none()) {
            client.person = service.person_told(&site, &told.into());
        }
        client
    }
}

/// A request that changes something: the back end with its idempotency key, and the body.
pub(super) struct Acting<B> {
    pub(super) backend: Backend,
    pub(super) body: B,
}

/// A body that a request may have.
pub(super) trait RequestBody: Sized {
    fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Problem>;
}

/// A JSON object.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned> RequestBody for Json<T> {
    fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Problem> {
        json::read(headers, body).map(Self)
    }
}

/// A JSON object, or no body at all.
pub(super) struct OptionalJson<T>(pub(super) T);

impl<T: DeserializeOwned + Default> RequestBody for OptionalJson<T> {
    fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Problem> {
        if body.is_empty() { Ok(Self(T::default())) } else { json::read(headers, body).map(Self) }
    }
}

/// No body.
pub(super) struct NoBody;

impl RequestBody for NoBody {
    fn read(_: &HeaderMap, body: &[u8]) -> Result<Self, Problem> {
        if body.is_empty() { Ok(Self) } else { Err(ApiError::BadRequest.into()) }
    }
}

impl<B: RequestBody> FromRequest<Arc<Context>> for Acting<B> {
    type Rejection = Problem;

    async fn from_request(request: Request, context: &Arc<Context>) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let mut backend = Backend::from_request_parts(&mut parts, context).await?;
        let key = idempotency_key(&parts.headers)?;
        // It was read before, within bounds; this only takes it.
        let body = Bytes::from_request(Request::new(body), &()).await;
        let body = body.map_err(|_| Problem::bare(StatusCode::BAD_REQUEST))?;
        backend.client.idempotency_key = key.map(|key| {
            let fingerprint = fingerprint(&parts.method, parts.uri.path(), &body);
            context.web.service.idempotency_key(&backend.site.name, key, fingerprint)
        });
        let body = B::read(&parts.headers, &body)?;
        Ok(Self { backend, body })
    }
}

/// The id in the path. A text that cannot be an id becomes one that nobody has (S9).
pub(super) struct Id(pub(super) VerificationId);

impl FromRequestParts<Arc<Context>> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Context>) -> Result<Self, Problem> {
        let text = id_in_path(parts).await.unwrap_or_default();
        Ok(Self(VerificationId::parse_or_unknown(&text)))
    }
}

fn authorize(headers: &HeaderMap, context: &Context) -> Result<Arc<Site>, ApiError> {
    let secret = bearer(headers).ok_or(ApiError::Unauthorized)?;
    context.web.service.sites().with_secret(secret).cloned().ok_or(ApiError::Unauthorized)
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

fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut lines = headers.get_all(IDEMPOTENCY_KEY).iter();
    let (line, second) = (lines.next(), lines.next());
    let Some(line) = line else {
        return Ok(None);
    };
    let is_key = |key: &str| {
        (1..=LONGEST_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let key = line.to_str().ok().filter(|key| second.is_none() && is_key(key));
    key.map(Some).ok_or_else(|| {
        let flaw = "The header Idempotency-Key must be 1 to 255 visible ASCII characters, once.";
        Problem::field("idempotency_key".to_owned(), flaw.to_owned())
    })
}

/// Digest of method, path and body. Neither a method nor a path holds a line break, so no two
/// requests have the same text.
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
            idempotency_key(&headers(&lines)).map(|key| key.map(str::to_owned)).map_err(drop)
        };
        let refused = Err(());
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
