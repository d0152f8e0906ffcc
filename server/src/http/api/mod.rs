//! The JSON API for back ends with a secret key, under `/v1`: one endpoint a file.
//!
//! Each endpoint reads its request strictly, calls the [`Service`](crate::service::Service) and
//! writes the answer; its attributes describe it, bounds included, and the description that is
//! served and committed is made from them alone.

mod auth;
mod cancel;
mod check;
mod create;
mod get;
pub(super) mod json;
mod jwks;
mod openapi;
mod openapi_postprocess;
mod redeem;
mod reference;
mod request_types;
mod resend;
mod response_types;
mod responses;

use std::sync::Arc;

use axum::Router;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Context;

/// Whether the API answers at an address: then problems are JSON, whatever is asked for, and
/// requests are authenticated by secret key instead of by origin.
pub(super) fn answers_at(path: &str) -> bool {
    path.starts_with("/v1/") || path.starts_with("/.well-known/")
}

/// The endpoints with their descriptions.
fn endpoints() -> OpenApiRouter<Arc<Context>> {
    openapi::router()
        .routes(routes!(create::create))
        .routes(routes!(get::get, cancel::cancel))
        .routes(routes!(check::check))
        .routes(routes!(resend::resend))
        .routes(routes!(redeem::redeem))
        .routes(routes!(jwks::jwks))
}

/// The description in JSON, as it is committed: that of an example server.
pub fn description() -> String {
    openapi::text(&openapi::described(&endpoints().into_openapi(), openapi::EXAMPLE_ORIGIN))
}

/// Its routes, and the description of itself.
pub(super) fn routes(origin: &str) -> Router<Arc<Context>> {
    let (routes, description) = endpoints().split_for_parts();
    let description = openapi::described(&description, origin);
    routes.merge(openapi::routes(&description)).merge(reference::routes(&description, origin))
}
