//! What is true of every answer, whatever handler gives it, from the outside in.
//!
//! It is one layer and not six, since each layer of a router clones and boxes all that is inside it
//! for every request; together they would cost more than the rules they stand around.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{
    Context, api, body, catch_panic, embed, problem, problem::Wording, same_origin,
    security_headers, trace,
};

/// Middleware around every route.
pub(super) async fn wrap(
    State(context): State<Arc<Context>>,
    request: Request,
    next: Next,
) -> Response {
    let span = trace::span(&request);
    let wording = Wording::of(&request);
    // On the heap once, because what is wrapped around it would otherwise move it again and again.
    let answer = Box::pin(async {
        // No browser adds a secret key by itself, so no page can make one act through the API; and one
        // address is meant for the pages that embed us.
        let is_for_others =
            api::answers_at(request.uri().path()) || embed::may_ask(&request, &*context.web.port);
        if !is_for_others {
            same_origin::demand(&request, &context.web.origin)?;
        }
        Ok(next.run(body::read_ahead(request).await?).await)
    });
    let answer = catch_panic::recover(context.web.request_timeout, answer);
    let answer = async {
        let response = answer.await.into_response();
        let mut response = problem::put_into_words(&context, &wording, response);
        security_headers::add(&mut response, context.web.origin.is_https());
        response
    };
    trace::observe(span, answer).await
}
