//! Receipts of providers: `POST /receipts/{provider}/{reference}`, and `POST /receipts/{provider}` for bounces.
//!
//! Everything genuine is answered by an empty 204, whether or not there is such a message, and all else by a 404 (S22).

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, StatusCode},
};

use super::{Context, problem::Problem};
use crate::service::ReceiptRequest;

/// First part of the paths.
const PATHS: &str = "/receipts/";

/// Whether receipts are taken at an address. Requests there come from servers, which prove themselves.
pub(super) fn answers_at(path: &str) -> bool {
    path.starts_with(PATHS)
}

pub(super) async fn receipt(
    State(context): State<Arc<Context>>,
    Path((provider, reference)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let (provider, reference, query) = (&*provider, Some(&*reference), query.as_deref());
    take(&context, ReceiptRequest { provider, reference, query, headers: &headers, body: &body })
        .await
}

pub(super) async fn bounce(
    State(context): State<Arc<Context>>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let (provider, reference, query) = (&*provider, None, None);
    take(&context, ReceiptRequest { provider, reference, query, headers: &headers, body: &body })
        .await
}

async fn take(context: &Context, request: ReceiptRequest<'_>) -> Result<StatusCode, Problem> {
    context.web.service.receive(&request).await?;
    Ok(StatusCode::NO_CONTENT)
}
