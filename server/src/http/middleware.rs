//! Middleware around every route, in one stack.
//!
//! It is one layer of the router, since each boxes and clones all that is inside it for every
//! request. From the outside in: a span and a log line, problems in words, security headers, time-outs
//! and panics turned into problems (S19, S26), contradictory requests and foreign sites turned away,
//! bodies read within bounds.

use std::{any::Any, sync::Arc};

use app::error::ApiError;
use axum::{
    BoxError, Router,
    error_handling::HandleErrorLayer,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use tower::{ServiceBuilder, timeout::TimeoutLayer};
use tower_http::{catch_panic::CatchPanicLayer, trace::TraceLayer};
use tracing::Span;

use super::{
    Context, api, body, caller, development, element,
    frame::Frame,
    health,
    problem::Problem,
    same_origin, security_headers,
    trace::{self, Refusals},
    well_formed,
    wording::Wording,
};

/// Puts the stack around all routes.
pub(super) fn wrap(router: Router, context: &Arc<Context>) -> Router {
    let refusals = Arc::new(Refusals::new());
    let answered = move |response: &Response, latency, span: &Span| {
        trace::answered(&refusals, response, latency, span);
    };
    let trace = TraceLayer::new_for_http()
        .make_span_with(trace::span)
        .on_request(())
        .on_response(answered)
        .on_body_chunk(())
        .on_eos(())
        .on_failure(());
    let stack = ServiceBuilder::new()
        .layer(trace)
        .layer(from_fn_with_state(context.clone(), present))
        .layer(HandleErrorLayer::new(give_up))
        .layer(TimeoutLayer::new(context.web.request_timeout))
        .layer(CatchPanicLayer::custom(recover))
        .layer(from_fn_with_state(context.clone(), admit));
    router.layer(stack)
}

/// Finds the frame that a request comes from, and gives the answer its words and headers.
async fn present(
    State(context): State<Arc<Context>>,
    mut request: Request,
    next: Next,
) -> Response {
    let frame = Frame::of(&context, &request);
    let wording = Wording::of(&request, frame.clone().and_then(Result::ok));
    if let Some(frame) = frame {
        request.extensions_mut().insert(frame);
    }
    let response = next.run(request).await;
    let mut response = wording.word(&context, response);
    let ancestor = wording.frame().map(|frame| frame.setting.origin.as_str());
    security_headers::add(&mut response, ancestor, context.web.origin.is_https());
    response
}

/// Refuses contradictory and cross-site requests, in development those from elsewhere, and reads the body within bounds.
async fn admit(
    State(context): State<Arc<Context>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    well_formed::demand(&request)?;
    if let Some(listed) = &context.web.development_hosts
        && !health::answers_at(request.uri().path())
    {
        development::demand(&request, listed)?;
    }
    caller::notice_proxy(&request, &context);
    // No browser adds a secret key by itself, so no page can make one act through the API; and one
    // address is meant for the pages that embed us.
    let is_for_others =
        api::answers_at(request.uri().path()) || element::may_ask(&request, &*context.web.port);
    if !is_for_others {
        same_origin::demand(&request, &context.web.origin)?;
    }
    Ok(next.run(body::read_ahead(request).await?).await)
}

async fn give_up(_: BoxError) -> Problem {
    // Clients can cause it; the answer's status is told once a minute.
    tracing::debug!("a request was given up because its answer took too long");
    ApiError::Unavailable { retry_after: 1 }.into()
}

/// Leaves out the panic's message, which may hold secrets. The panic hook has logged the location.
fn recover(_: Box<dyn Any + Send>) -> Response {
    Problem::from(ApiError::Internal).into_response()
}
