//! `DELETE /v1/verifications/{id}`: cancels one.

use std::sync::Arc;

use axum::{extract::State, response::Response};

use super::{
    auth::{Acting, Id, NoBody},
    response_types::Verification,
    responses::{About, Always, InPath, ProblemDocument, Repeatable, Repeating, answer},
};
use crate::http::{Context, problem::Problem};

/// Cancel a verification
///
/// Its codes stop working, and messages that are not on their way yet are not sent. One that is
/// over stays as it is. A canceled verification can still be looked up until it expires.
#[utoipa::path(
    delete,
    path = "/v1/verifications/{id}",
    operation_id = "cancelVerification",
    tag = "Verifications",
    params(InPath, Repeatable),
    responses(
        (
            status = 200,
            description = "It is over.",
            body = Verification,
            headers(("Idempotency-Replayed" = bool, description = "An earlier request did it.")),
        ),
        (status = 400, description = "`bad_request`: it brings a body.", body = ProblemDocument,
            content_type = "application/problem+json"),
        Always,
        About,
        Repeating,
    ),
    security(("secretKey" = [])),
)]
pub(super) async fn cancel(
    State(context): State<Arc<Context>>,
    Id(id): Id,
    Acting { backend, body: NoBody }: Acting<NoBody>,
) -> Result<Response, Problem> {
    let canceled = context.web.service.cancel(&backend.client, id).await?;
    Ok(answer(Verification::of(&canceled, &context), canceled.repeated))
}
