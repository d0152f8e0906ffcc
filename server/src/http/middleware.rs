//! Middleware around every route.
//!
//! It is one function in one layer, since each layer boxes the request's future and clones all that is inside it.
//! From the outside in: a span and a log line, problems in words, security headers, time-outs and panics
//! turned into problems (S19, S26), contradictory requests and foreign sites turned away, bodies read within
//! bounds.

use std::{panic::AssertUnwindSafe, sync::Arc};

use app::error::ApiError;
use axum::{
    Router,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use tokio::time::timeout;
use tracing::Instrument;

use super::{
    Context, api, body, caller, development, element, frame::Frame, health, problem::Problem,
    receipts, same_origin, security_headers, trace::Traced, well_formed, wording::Wording,
};

/// Puts the middleware around all routes.
pub(super) fn wrap(router: Router, context: &Arc<Context>) -> Router {
    router.layer(from_fn_with_state(context.clone(), surround))
}

async fn surround(State(context): State<Arc<Context>>, request: Request, next: Next) -> Response {
    let traced = Traced::begin(&request);
    let response = present(&context, request, next).instrument(traced.span.clone()).await;
    traced.answered(&context.refusals, &response);
    response
}

/// Finds the frame that a request comes from, and gives the answer its words and headers.
async fn present(context: &Arc<Context>, mut request: Request, next: Next) -> Response {
    let frame = Frame::of(context, &request);
    let wording = Wording::of(&request, frame.clone().and_then(Result::ok));
    if let Some(frame) = frame {
        request.extensions_mut().insert(frame);
    }
    let response = in_time(context, request, next).await.unwrap_or_else(Problem::into_response);
    let mut response = wording.word(context, response);
    let ancestor = wording.frame().map(|frame| frame.setting.origin.as_str());
    security_headers::add(&mut response, ancestor, context.web.origin.is_https());
    response
}

/// Turns a time-out and a panic into problems. The panic's message is left out, since it may hold secrets; the
/// panic hook has logged the location.
async fn in_time(
    context: &Arc<Context>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let answer = AssertUnwindSafe(admit(context, request, next)).catch_unwind();
    match timeout(context.web.request_timeout, answer).await {
        Ok(Ok(answered)) => answered,
        Ok(Err(_)) => Err(ApiError::Internal.into()),
        Err(_) => {
            // Clients can cause it; the answer's status is told once a minute.
            tracing::debug!("a request was given up because its answer took too long");
            Err(ApiError::Unavailable { retry_after: 1 }.into())
        }
    }
}

/// Refuses contradictory and cross-site requests, in development those from elsewhere, and reads the body within bounds.
async fn admit(context: &Arc<Context>, request: Request, next: Next) -> Result<Response, Problem> {
    well_formed::demand(&request)?;
    if let Some(listed) = &context.web.development_hosts
        && !health::answers_at(request.uri().path())
    {
        development::demand(&request, listed)?;
    }
    caller::notice_proxy(&request, context);
    // No browser adds a secret key by itself, so no page can make one act through the API; receipts prove
    // themselves; and one address is meant for the pages that embed us.
    let path = request.uri().path();
    let is_for_others = api::answers_at(path)
        || receipts::answers_at(path)
        || element::may_ask(&request, &*context.web.port);
    if !is_for_others {
        same_origin::demand(&request, &context.web.origin)?;
    }
    Ok(next.run(body::read_ahead(request).await?).await)
}
