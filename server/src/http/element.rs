//! Requests of the element by `fetch`: a verification of a recipient whom its page knows.
//!
//! This is the one address that pages of other origins may post to. Browsers write the `Origin`
//! header and no page can, so it says which page asks; it has to be one that the configuration
//! knows, and one of the site whose key was sent (S12).

use std::sync::Arc;

use app::{
    error::ApiError,
    port::{Door, Port},
    wire::{Channel, Embedding, StartRequest},
};
use axum::{
    Json,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

use super::{Context, api::json, caller, frame, problem::Problem};

/// Path that the element posts to.
pub(super) const PATH: &str = "/embed/verifications";

/// Seconds for which a browser may keep the answer to a preflight.
const REMEMBERED: &str = "600";

/// Body of the element's request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Start {
    site_key: String,
    to: String,
    #[serde(default)]
    channel: Option<Channel>,
    #[serde(default)]
    country: Option<String>,
    #[serde(default)]
    locale: Option<String>,
    #[serde(default)]
    state: Option<String>,
    /// Answer to a demand of work.
    #[serde(default)]
    work: String,
}

/// Answer to the element: the URL of its frame.
#[derive(Serialize)]
struct Started {
    url: String,
}

/// `true` for a request by a page that embeds us, to the one address that is meant for it.
pub(super) fn may_ask(request: &Request, port: &dyn Port) -> bool {
    request.method() == Method::POST
        && request.uri().path() == PATH
        && origin(request.headers()).is_some_and(|origin| port.knows_origin(origin))
}

fn origin(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok())
}

/// `OPTIONS /embed/verifications`: the browser's preflight before the element's request.
pub(super) async fn preflight(
    State(context): State<Arc<Context>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let origin = origin(&headers).filter(|origin| context.web.port.knows_origin(origin));
    let origin = origin.ok_or(ApiError::NotEmbeddable)?;
    let allowed: [(HeaderName, &str); 3] = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type"),
        (header::ACCESS_CONTROL_MAX_AGE, REMEMBERED),
    ];
    Ok(readable_by(origin, (StatusCode::NO_CONTENT, allowed).into_response()))
}

/// `POST /embed/verifications`: begins a verification for the page that asks.
pub(super) async fn start(
    State(context): State<Arc<Context>>,
    caller::From(mut caller): caller::From,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    // Every page sends an `Origin`.
    let origin = origin(&headers).ok_or(ApiError::NotEmbeddable)?;
    let start: Start = json::read(&headers, &body)?;
    let port = &context.web.port;
    if port.embed_offer(&start.site_key, origin).is_none() {
        return Err(ApiError::NotEmbeddable.into());
    }
    if start.state.as_deref().is_some_and(frame::is_too_long) {
        let problem = Problem::field("state".to_owned(), format!("`state` {}.", frame::STATE));
        return Ok(readable_by(origin, problem.into_response()));
    }
    if let Some(locale) = &start.locale {
        caller.locale = context.web.catalogue.negotiate(Some(locale));
    }
    let Start { site_key, to, channel, country, state, work, .. } = start;
    caller.work = work;
    caller.door = Door::Frame(Embedding { site_key, origin: origin.to_owned(), page_state: state });
    let request = StartRequest { channel, to, country };
    let answer = match port.start(&caller, request).await {
        Ok(view) => {
            let started = Started { url: format!("/embed/v/{}", view.id) };
            (StatusCode::CREATED, Json(started)).into_response()
        }
        // The element may read the reason.
        Err(error) => Problem::from(error).into_response(),
    };
    Ok(readable_by(origin, answer))
}

/// The answer, readable by scripts of this origin.
fn readable_by(origin: &str, mut response: Response) -> Response {
    let headers = response.headers_mut();
    if let Ok(origin) = HeaderValue::from_str(origin) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    response
}
