//! The island's server functions.

use std::sync::Arc;

use app::{error::ApiError, server_fns};
use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    response::Response,
};
use serde_json::{Map, Value};

use super::{Context, body, caller, problem::Problem};

/// The arguments of each function. The types that leptos generates for them ignore what they do
/// not know, and cannot be told to refuse it.
const ARGUMENTS: [(&str, &[&str]); 3] =
    [("/ui/view", &["id"]), ("/ui/check", &["id", "guess"]), ("/ui/resend", &["id", "channel"])];

/// `POST /ui/...`: calls a server function with the port and who is asking.
pub(super) async fn call(
    State(context): State<Arc<Context>>,
    caller::From(caller): caller::From,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, body::LIMIT).await.map_err(|_| ApiError::BadRequest)?;
    let known = arguments(parts.uri.path()).ok_or(ApiError::NotFound)?;
    // What is no object at all is refused by the function itself.
    let given: Map<String, Value> = serde_json::from_slice(&body).unwrap_or_default();
    if given.keys().any(|name| !known.contains(&name.as_str())) {
        return Err(ApiError::BadRequest.into());
    }
    let request = Request::from_parts(parts, Body::from(body));
    Ok(server_fns::handle(request, context.web.port.clone(), caller).await)
}

fn arguments(path: &str) -> Option<&'static [&'static str]> {
    ARGUMENTS.into_iter().find(|(known, _)| *known == path).map(|(_, names)| names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_of_every_server_function_are_known() {
        for path in server_fns::paths() {
            assert!(arguments(path).is_some(), "{path}");
        }
        assert_eq!(server_fns::paths().count(), ARGUMENTS.len());
    }
}
