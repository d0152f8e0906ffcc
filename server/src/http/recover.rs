//! Keeps the process alive and its answers prompt: a panic becomes a 500, and an answer that does
//! not come in time a 503 (S19, S26).

use std::{panic::AssertUnwindSafe, sync::Arc};

use app::error::ApiError;
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;

use super::{Context, problem::Problem};

/// Middleware: answers in any case, and in time.
pub(super) async fn recover(
    State(context): State<Arc<Context>>,
    request: Request,
    next: Next,
) -> Response {
    // What a panicking handler leaves behind are its own values, which are dropped; everything
    // shared is behind locks of its own.
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(context.web.request_timeout, answer).await {
        Ok(Ok(response)) => response,
        // The hook has logged where; what a panic says may hold what nobody may read.
        Ok(Err(_)) => Problem::from(ApiError::Internal).into_response(),
        Err(_) => {
            tracing::warn!("a request was given up because its answer took too long");
            Problem::from(ApiError::Unavailable { retry_after: 1 }).into_response()
        }
    }
}
