//! `POST /v1/verifications/{id}/sends`: sends another code.

use std::sync::Arc;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use otp::Channel;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    auth::{Acting, Id, OptionalJson},
    request_types::EndUser,
    response_types::Verification,
    responses::{
        About, Always, InPath, Limited, Malformed, ProblemDocument, Reading, Repeatable, answer,
    },
};
use crate::http::{Context, problem::Problem};

/// Another send.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Send)]
pub(super) struct Body {
    /// One of the verification's `channels`. Without it that of the newest message again.
    channel: Option<Channel>,
    /// The person for whom you ask.
    client: Option<EndUser>,
}

/// Send another code
///
/// The code before it stays valid for its own lifetime unless the new one is longer, because messages arrive late and out of
/// order. The budget of guesses stays what it was. The body may be empty.
#[utoipa::path(
    post,
    path = "/v1/verifications/{id}/sends",
    operation_id = "sendAgain",
    tag = "Verifications",
    params(InPath, Repeatable),
    request_body(content = Body, example = json!({"channel": "email"})),
    responses(
        (
            status = 201,
            description = "Another message is on its way.",
            body = Verification,
            headers(("Idempotency-Replayed" = bool, description = "An earlier request sent it.")),
        ),
        (status = 409, description = "`already_finished` or `no_sends_left`.", body = ProblemDocument,
            content_type = "application/problem+json"),
        Always,
        About,
        Malformed,
        Reading,
        Limited,
    ),
    security(("secretKey" = [])),
)]
pub(super) async fn resend(
    State(context): State<Arc<Context>>,
    Id(id): Id,
    Acting { backend, body: OptionalJson(body) }: Acting<OptionalJson<Body>>,
) -> Result<Response, Problem> {
    let service = &context.web.service;
    let client = backend.telling(service, body.client);
    let resent = service.resend(&client, id, body.channel).await?;
    let answer = answer(Verification::of(&resent, &context), resent.repeated);
    Ok((StatusCode::CREATED, answer).into_response())
}
