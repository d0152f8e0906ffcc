//! Keeps the process alive and its answers prompt: a panic becomes a 500, and an answer that does
//! not come in time a 503 (S19, S26).

use std::{panic::AssertUnwindSafe, time::Duration};

use app::error::ApiError;
use axum::response::Response;
use futures_util::FutureExt;

use super::problem::Problem;

/// Answers in any case, and within `patience`.
pub(super) async fn recover(
    patience: Duration,
    answer: impl Future<Output = Result<Response, Problem>>,
) -> Result<Response, Problem> {
    // What a panicking handler leaves behind are its own values, which are dropped; everything
    // shared is behind locks of its own.
    let answer = AssertUnwindSafe(answer).catch_unwind();
    match tokio::time::timeout(patience, answer).await {
        Ok(Ok(answer)) => answer,
        // The hook has logged where; what a panic says may hold what nobody may read.
        Ok(Err(_)) => Err(ApiError::Internal.into()),
        Err(_) => {
            tracing::warn!("a request was given up because its answer took too long");
            Err(ApiError::Unavailable { retry_after: 1 }.into())
        }
    }
}
