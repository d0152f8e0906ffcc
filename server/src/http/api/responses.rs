//! The ways in which a request can be answered, as the description lists them.
//!
//! Refusals that several endpoints share are described once, here; the words for each code are in
//! `problem::words`.

use std::collections::BTreeMap;

use axum::{
    Json,
    http::{HeaderName, HeaderValue},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::{
    IntoParams, IntoResponses, ToSchema,
    openapi::{
        self, ContentBuilder, HeaderBuilder, ObjectBuilder, Ref, RefOr, ResponseBuilder, Type,
    },
};

/// Tells that an answer was given before.
pub(super) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// An answer as JSON; `repeated` if an earlier request with the same key has got it.
pub(super) fn answer(body: impl Serialize, repeated: bool) -> Response {
    let mut response = Json(body).into_response();
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
    /// Always `about:blank`: the status says what kind it is, and `code` which.
    #[schema(example = "about:blank")]
    r#type: String,
    /// The status in words.
    #[schema(example = "Too Many Requests")]
    title: String,
    /// The status.
    #[schema(minimum = 400, maximum = 599, example = 429)]
    status: u16,
    /// Which problem it is.
    #[schema(example = "rate_limited")]
    code: String,
    /// What to do about it, for whoever reads the log.
    detail: String,
    /// With `invalid_field`: the field.
    #[schema(value_type = String, required = false)]
    field: Option<String>,
    /// With `invalid_recipient`: what is wrong with it.
    #[schema(value_type = String, required = false)]
    problem: Option<String>,
    /// With `rate_limited`: what ran out.
    #[schema(value_type = String, required = false, example = "recipient_sends")]
    limit: Option<String>,
    /// Seconds until asking again can help, as in `Retry-After`.
    #[schema(value_type = u64, required = false, example = 60)]
    retry_after: Option<u64>,
}

/// The header that makes a repetition harmless.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "it describes what `backend` reads")]
pub(super) struct Repeatable {
    /// A name of your own for this request. Repeated within 24 hours with the same body it is
    /// answered as the first time, and nothing is done twice.
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
#[allow(dead_code, reason = "it describes what `backend` reads")]
pub(super) struct InPath {
    /// The id of a verification. What cannot be one is answered like one that nobody has.
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
    /// What any endpoint may answer.
    Always:
        "401" "`unauthorized`: no secret key, or none that is known." ["WWW-Authenticate"],
        "500" "`internal`: a fault on the server's side.",
        "503" "`unavailable`: away for the moment; nothing was changed." ["Retry-After"]
}

refusals! {
    /// What one may answer that a request brings something to.
    Reading:
        "408" "`request_timeout`: the body took too long.",
        "413" "`payload_too_large`: the body has more than 16 KiB.",
        "415" "`unsupported_media_type`: the body is not announced as `application/json`."
}

refusals! {
    /// What one may answer that reads nothing but JSON.
    Malformed: "400" "`bad_request`: not one JSON object."
}

refusals! {
    /// What one may answer that is about one verification.
    About: "404" "`not_found`: unknown, expired or another site's."
}

refusals! {
    /// What one may answer that sends or checks.
    Limited:
        "422" "`invalid_field`, `invalid_recipient`, `channel_unavailable` or \
               `idempotency_key_reused`.",
        "429" "`rate_limited` or `resend_too_early`." ["Retry-After"]
}

refusals! {
    /// What one may answer that can be repeated and brings nothing else.
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
