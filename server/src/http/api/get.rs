//! `GET /v1/verifications/{id}`: looks one up.

use std::sync::Arc;

use app::error::ApiError;
use axum::{Json, extract::State};

use super::{
    auth::{Backend, Id},
    response_types::Verification,
    responses::{About, Always, InPath},
};
use crate::http::{Context, problem::Problem};

/// Look a verification up
///
/// Changes nothing. To learn when something has changed, a webhook is better than asking often.
#[utoipa::path(
    get,
    path = "/v1/verifications/{id}",
    operation_id = "getVerification",
    tag = "Verifications",
    params(InPath),
    responses(
        (status = 200, description = "What is known of it.", body = Verification),
        Always,
        About,
    ),
    security(("secretKey" = [])),
)]
pub(super) async fn get(
    State(context): State<Arc<Context>>,
    backend: Backend,
    Id(id): Id,
) -> Result<Json<Verification>, Problem> {
    let found = context.web.service.find(&backend.client.scope, id).await?;
    let found = found.ok_or(ApiError::NotFound)?;
    Ok(Json(Verification::of(&found, &context)))
}
