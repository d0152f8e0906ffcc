//! The description of the API (OpenAPI 3.1), made from the endpoints themselves.

use std::sync::Arc;

use axum::{Router, body::Bytes, http::header, routing::get};
use serde_json::{Value, json};
use utoipa::{
    OpenApi,
    openapi::{
        self,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_axum::router::OpenApiRouter;

use super::{openapi_postprocess::postprocess, responses::ProblemDocument};
use crate::http::Context;

/// Origin of the server in the committed description.
pub(super) const EXAMPLE_ORIGIN: &str = "https://otp.example.com";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Latchkey",
        description = "Proves that a person controls an e-mail address or a phone number.\n\nBack \
            ends authenticate with a secret key of their site: `Authorization: Bearer lk_sec_...`. A \
            body is one JSON object of up to 16 KiB; unknown fields are refused. Times are RFC 3339 \
            in UTC with milliseconds. Refusals are RFC 9457 problems: decide by `code`.",
        contact(name = "Latchkey"),
        license(name = "Apache-2.0 OR MIT", identifier = "Apache-2.0 OR MIT"),
    ),
    tags(
        (name = "Verifications", description = "Each proves that a person controls one recipient."),
        (name = "Result tokens", description = "Signed proofs of approved verifications."),
    ),
    components(schemas(ProblemDocument)),
)]
struct Description;

/// A router without endpoints, with everything that the description says beside them.
pub(super) fn router() -> OpenApiRouter<Arc<Context>> {
    let mut description = Description::openapi();
    let components = description.components.get_or_insert_default();
    components.add_security_scheme(
        "secretKey",
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .description(Some("A secret key of a site. Never expose it in a page or an app."))
                .build(),
        ),
    );
    OpenApiRouter::with_openapi(description)
}

/// The description of the server at `origin`.
pub(super) fn described(description: &openapi::OpenApi, origin: &str) -> Value {
    let mut description = serde_json::to_value(description).unwrap_or_default();
    postprocess(&mut description);
    description["servers"] = json!([{ "url": origin }]);
    description["info"]["contact"]["url"] = format!("{origin}/docs/api").into();
    // The attribute cannot express an optional body.
    description["paths"]["/v1/verifications/{id}/sends"]["post"]["requestBody"]["required"] =
        false.into();
    description
}

/// The description as it is served and committed.
pub(super) fn text(description: &Value) -> String {
    format!("{description:#}\n")
}

/// The route of the description, which is public.
pub(super) fn routes(description: &Value) -> Router<Arc<Context>> {
    let text = Bytes::from(text(description));
    let json = move || async move { ([(header::CONTENT_TYPE, "application/json")], text) };
    Router::new().route("/v1/openapi.json", get(json))
}
