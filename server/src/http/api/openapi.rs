//! The description of the API (OpenAPI 3.1), made from the endpoints themselves.

use std::sync::Arc;

use axum::{Router, body::Bytes, http::header, routing::get};
use serde_json::Value;
use utoipa::{
    OpenApi,
    openapi::{
        self,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    cancel, check, create, get as look, jwks, openapi_postprocess::postprocess, redeem, resend,
    responses::ProblemDocument,
};
use crate::http::Context;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Latchkey",
        description = "Proves that a person controls an e-mail address or a phone number.\n\nBack \
            ends authenticate with a secret key of their site: `Authorization: Bearer lk_sec_...`. \
            Bodies are one JSON object each, of up to 16 KiB; unknown fields are refused. Times are \
            RFC 3339 in UTC with milliseconds. Refusals are RFC 9457 problems: decide by `code`.",
        license(name = "Apache-2.0 OR MIT", identifier = "Apache-2.0 OR MIT"),
    ),
    tags(
        (name = "Verifications", description = "One run of proving that somebody controls a recipient."),
        (name = "Result tokens", description = "The proof that a page hands to yours."),
    ),
    components(schemas(ProblemDocument)),
)]
struct Description;

/// The endpoints with their descriptions.
pub(super) fn endpoints() -> OpenApiRouter<Arc<Context>> {
    let mut description = Description::openapi();
    let components = description.components.get_or_insert_default();
    components.add_security_scheme(
        "secretKey",
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .description(Some("A secret key of a site. It belongs into no page and no app."))
                .build(),
        ),
    );
    OpenApiRouter::with_openapi(description)
        .routes(routes!(create::create))
        .routes(routes!(look::get, cancel::cancel))
        .routes(routes!(check::check))
        .routes(routes!(resend::resend))
        .routes(routes!(redeem::redeem))
        .routes(routes!(jwks::jwks))
}

/// The description in JSON, as it is served and committed.
pub fn description() -> String {
    text(&described(&endpoints().into_openapi()))
}

/// The description, said plainly.
pub(super) fn described(description: &openapi::OpenApi) -> Value {
    let mut description = serde_json::to_value(description).unwrap_or_default();
    postprocess(&mut description);
    // The attribute has no word for a body that may be left out.
    description["paths"]["/v1/verifications/{id}/sends"]["post"]["requestBody"]["required"] =
        false.into();
    description
}

fn text(description: &Value) -> String {
    format!("{description:#}\n")
}

/// Where the description itself is found; it tells nothing that needs a key.
pub(super) fn routes(description: &Value) -> Router<Arc<Context>> {
    let text = Bytes::from(text(description));
    let json = move || async move { ([(header::CONTENT_TYPE, "application/json")], text) };
    Router::new().route("/v1/openapi.json", get(json))
}
