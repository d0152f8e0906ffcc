//! `GET /.well-known/jwks.json`: the keys that result tokens are checked with (RFC 7517).

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderName, header},
    response::IntoResponse,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::Context;

/// A JWK Set.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "it describes what `tokens` writes")]
pub(super) struct KeySet {
    /// The newest first.
    #[schema(inline)]
    keys: Vec<Key>,
}

/// An Ed25519 key (RFC 8037).
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "it describes what `tokens` writes")]
pub(super) struct Key {
    /// The `kid` of the tokens that it has signed.
    kid: String,
    #[schema(example = "OKP")]
    kty: String,
    #[schema(example = "Ed25519")]
    crv: String,
    #[schema(example = "EdDSA")]
    alg: String,
    #[schema(example = "sig")]
    r#use: String,
    /// The public half, in base64url.
    x: String,
}

/// Get the keys of result tokens
///
/// For libraries that verify tokens by themselves. Take the algorithm, the issuer and the audience
/// from your own configuration and never from a token, and redeem the token nevertheless: a
/// signature says that it is genuine, not that it was not used before.
#[utoipa::path(
    get,
    path = "/.well-known/jwks.json",
    operation_id = "getKeys",
    tag = "Result tokens",
    responses((
        status = 200,
        description = "The keys.",
        body = KeySet,
        headers(("Cache-Control" = String, description = "`public, max-age=300`")),
    )),
    security(()),
)]
pub(super) async fn jwks(State(context): State<Arc<Context>>) -> impl IntoResponse {
    let headers: [(HeaderName, &str); 3] = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "public, max-age=300"),
        // Public keys are everybody's; nothing else here may be read by pages of other origins.
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    (headers, context.web.service.jwks().to_owned())
}
