//! Responses, as the description lists them.
//!
//! Refusals that several endpoints share are described here once. `problem::codes` has the sentence
//! for each code.

use std::collections::BTreeMap;

use app::error::ApiError;
use axum::{
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use otp_types::{Limit, ProblemCode, RecipientProblem};
use serde::Serialize;
use utoipa::{
    IntoParams, IntoResponses, ToSchema,
    openapi::{
        self, ContentBuilder, HeaderBuilder, ObjectBuilder, Ref, RefOr, ResponseBuilder, Type,
    },
};

use crate::http::problem::Problem;

/// Header of an answer that an earlier request with the same key has got.
pub(super) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// An answer as JSON; `repeated` if an earlier request with the same key has got it.
pub(super) fn answer(body: impl Serialize, repeated: bool) -> Response {
    // Written into room for all of it: a verification takes some 800 bytes.
    let mut json = Vec::with_capacity(1024);
    if serde_json::to_writer(&mut json, &body).is_err() {
        return Problem::from(ApiError::Internal).into_response();
    }
    let mut response = ([(header::CONTENT_TYPE, "application/json")], json).into_response();
    if repeated {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// A refusal or a fault (RFC 9457). Decide by `code`: it is stable, and the sentences are not.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it describes what `Problem` writes")]
#[schema(as = Problem)]
pub(super) struct ProblemDocument {
    /// Always `about:blank`: `code` says more than the status.
    #[schema(example = "about:blank")]
    r#type: String,
    /// The status in words.
    #[schema(example = "Too Many Requests")]
    title: String,
    /// The status.
    #[schema(minimum = 400, maximum = 599, example = 429)]
    status: u16,
    /// The problem. More codes may be added.
    code: ProblemCode,
    /// A sentence for developers, with what to do about the problem.
    detail: String,
    /// With `invalid_field`: the field, if its name looks like one.
    #[schema(value_type = String, required = false)]
    field: Option<String>,
    /// With `invalid_recipient`: the problem with the recipient.
    #[schema(value_type = RecipientProblem, required = false)]
    problem: Option<RecipientProblem>,
    /// With `rate_limited`: the limit that was reached.
    #[schema(value_type = Limit, required = false)]
    limit: Option<Limit>,
    /// Seconds until asking again can help, as in `Retry-After`.
    #[schema(value_type = u64, required = false, example = 60)]
    retry_after: Option<u64>,
}

/// The header that makes a repetition harmless.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "it describes what `auth` reads")]
pub(super) struct Repeatable {
    /// Your own name for this request. A repetition within 24 hours with the same body gets the first
    /// answer again, and has no further effect.
    #[param(
        rename = "Idempotency-Key",
        required = false,
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]+$"
    )]
    key: String,
}

/// The id in the address.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[allow(dead_code, reason = "it describes what `auth` reads")]
pub(super) struct InPath {
    /// The id of a verification.
    #[param(example = "AZ2mTQ8uX0eKq1v7dYc3LrWb5nHs9gPo")]
    id: String,
}

/// Declares responses that endpoints share.
macro_rules! refusals {
    ($(#[$doc:meta])* $name:ident: $($status:literal $words:literal $([$header:literal])?),+) => {
        $(#[$doc])*
        pub(super) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<openapi::Response>> {
                BTreeMap::from([$((
                    $status.to_owned(),
                    refusal($words, &[$($header)?]).into(),
                )),+])
            }
        }
    };
}

refusals! {
    /// Refusals of every endpoint with a key.
    Always:
        "401" "`unauthorized`: the secret key is missing or unknown." ["WWW-Authenticate"],
        "500" "`internal`: a fault of the server.",
        "503" "`unavailable`: the service is unavailable for the moment; nothing was changed." ["Retry-After"]
}

refusals! {
    /// Refusals of endpoints that read a body.
    Reading:
        "408" "`request_timeout`: the body took too long to arrive.",
        "413" "`payload_too_large`: the body is longer than 16 KiB.",
        "415" "`unsupported_media_type`: the content type is not `application/json`, or the body is \
               compressed."
}

refusals! {
    /// Refusals of endpoints that read JSON.
    Malformed: "400" "`bad_request`: the body is not one JSON object."
}

refusals! {
    /// Refusals of endpoints with the id of a verification.
    About: "404" "`not_found`: unknown, expired, or of another site."
}

refusals! {
    /// Refusals of endpoints that send or check.
    Limited:
        "422" "`invalid_field`, `invalid_recipient`, `channel_unavailable`, `destination_not_served` or \
               `idempotency_key_reused`.",
        "429" "`rate_limited`, `destination_blocked` or `resend_too_early`." ["Retry-After"]
}

refusals! {
    /// Refusals of endpoints that read an idempotency key and no body.
    Repeating: "422" "`idempotency_key_reused`, or `invalid_field` for the key."
}

/// The description of a refusal.
fn refusal(words: &str, headers: &[&str]) -> openapi::Response {
    let schema = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let response = ResponseBuilder::new().description(words);
    let response = response.content("application/problem+json", content);
    let add = |response: ResponseBuilder, name: &&str| response.header(*name, described(name));
    headers.iter().fold(response, add).build()
}

fn described(header: &str) -> openapi::Header {
    if header == "Retry-After" {
        let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).build();
        let words = "Seconds until asking again can help.";
        HeaderBuilder::new().schema(Some(seconds)).description(Some(words)).build()
    } else {
        let text = ObjectBuilder::new().schema_type(Type::String).build();
        HeaderBuilder::new().schema(Some(text)).build()
    }
}
