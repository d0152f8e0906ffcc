//! `POST /v1/verifications/{id}/checks`: checks one guess.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    auth::{Acting, Id, Json},
    request_types::{EndUser, Guess},
    response_types,
    responses::{Always, InPath, Limited, Malformed, Reading, Repeatable, answer},
};
use crate::http::{Context, problem::Problem};

/// A guess.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Guess)]
pub(super) struct Body {
    /// The code as the person typed it: spaces, dashes and digits of other scripts are understood.
    #[schema(inline, example = "123456")]
    code: Guess,
    /// The person who typed it.
    client: Option<EndUser>,
}

/// Check a code
///
/// A wrong code is an answer and no error. An id that is unknown, has expired or is another site's
/// is answered with `expired`. Repeat a check whose answer was lost with the same
/// `Idempotency-Key`: it then counts once.
#[utoipa::path(
    post,
    path = "/v1/verifications/{id}/checks",
    operation_id = "checkCode",
    tag = "Verifications",
    params(InPath, Repeatable),
    request_body(content = Body, example = json!({"code": "123456"})),
    responses(
        (
            status = 200,
            description = "What came of it.",
            body = response_types::Check,
            headers(("Idempotency-Replayed" = bool, description = "It was counted by an earlier request.")),
        ),
        Always,
        Malformed,
        Reading,
        Limited,
    ),
    security(("secretKey" = [])),
)]
pub(super) async fn check(
    State(context): State<Arc<Context>>,
    Id(id): Id,
    Acting { backend, body: Json(body) }: Acting<Json<Body>>,
) -> Result<Response, Problem> {
    let typed = body.code.into_string();
    let service = &context.web.service;
    let client = backend.telling(service, body.client);
    let checked = service.check(&client, id, &typed, None).await?;
    Ok(answer(response_types::Check::of(&checked, &context), checked.repeated))
}
