//! `POST /v1/tokens/redeem`: exchanges a result token for what it proves.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    auth::{Acting, Json},
    request_types::Text,
    response_types::Redemption,
    responses::{Always, Malformed, ProblemDocument, Reading, Repeatable, answer},
};
use crate::http::{Context, problem::Problem};

/// A result token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Redeem)]
pub(super) struct Body {
    /// As the page or the element gave it to your page.
    #[schema(
        inline,
        example = "eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSJ9.eyJpc3MiOiJodHRwczovL290cC5leGFtcGxlLmNvbSJ9.c2ln"
    )]
    token: Text<1, 4096>,
}

/// Redeem a result token
///
/// The one place where a proof becomes a fact: do this on your back end before you believe a
/// token. Each is good once and for at most 300 seconds. Compare `page_state` with what you gave the
/// person's page, and `purpose` with what you asked for.
#[utoipa::path(
    post,
    path = "/v1/tokens/redeem",
    operation_id = "redeemToken",
    tag = "Result tokens",
    params(Repeatable),
    request_body(content = Body, example = json!({"token": "eyJ0eXAiOiJKV1QiLCJhbGciOi..."})),
    responses(
        (
            status = 200,
            description = "What it proves.",
            body = Redemption,
            headers(("Idempotency-Replayed" = bool, description = "An earlier request redeemed it.")),
        ),
        (status = 409, description = "`token_already_redeemed`.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 422, description = "`invalid_token`, `token_expired`, `invalid_field` or \
            `idempotency_key_reused`.", body = ProblemDocument, content_type = "application/problem+json"),
        Always,
        Malformed,
        Reading,
    ),
    security(("secretKey" = [])),
)]
pub(super) async fn redeem(
    State(context): State<Arc<Context>>,
    Acting { backend, body: Json(body) }: Acting<Json<Body>>,
) -> Result<Response, Problem> {
    let token = body.token.into_string();
    let redeemed = context.web.service.redeem(&backend.client, &token).await?;
    Ok(answer(Redemption::of(&redeemed), redeemed.repeated))
}
