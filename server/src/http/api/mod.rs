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

pub use self::openapi::description;
use super::Context;

/// Whether the API answers at an address: then problems are JSON, whatever is asked for, and it is
/// the secret key that tells friend from foe.
pub(super) fn answers_at(path: &str) -> bool {
    path.starts_with("/v1/") || path.starts_with("/.well-known/")
}

/// Its routes, and the description of itself.
pub(super) fn routes(origin: &str) -> Router<Arc<Context>> {
    let (routes, description) = openapi::endpoints().split_for_parts();
    let description = openapi::described(&description, origin);
    routes.merge(openapi::routes(&description)).merge(reference::routes(&description, origin))
}
