//! The functions that the hydrated card calls over HTTP: thin, the rules stand behind
//! [`Port`](crate::port::Port).
//!
//! Only what the card needs is here. Starting and calling off are plain forms with and without
//! script, since both lead to another page. Arguments travel as JSON: a cross-site form cannot
//! send that, and it needs no form decoder in the browser.

use leptos::{prelude::*, server_fn::codec::Json};
use server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};

use crate::{
    error::ApiError,
    wire::{Channel, CheckAnswer, VerificationView},
};

/// Looks a verification up; `None` where it has expired or never was.
#[server(prefix = "/ui", endpoint = "view", input = Json)]
pub(crate) async fn view_verification(id: String) -> Result<Option<VerificationView>, ApiError> {
    let (port, _) = door()?;
    port.view(&id).await
}

/// Checks one guess, as typed.
#[server(prefix = "/ui", endpoint = "check", input = Json)]
pub(crate) async fn check_code(id: String, guess: String) -> Result<CheckAnswer, ApiError> {
    let (port, caller) = door()?;
    port.check(&caller, &id, &guess).await
}

/// Asks for another code, by another channel if one is named.
#[server(prefix = "/ui", endpoint = "resend", input = Json)]
pub(crate) async fn resend_code(
    id: String,
    channel: Option<Channel>,
) -> Result<VerificationView, ApiError> {
    let (port, caller) = door()?;
    port.resend(&caller, &id, channel).await
}

/// The port and the caller that [`handle`] has put into the context.
#[cfg(feature = "ssr")]
fn door() -> Result<(std::sync::Arc<dyn crate::port::Port>, crate::port::Caller), ApiError> {
    use_context().zip(use_context()).ok_or(ApiError::Internal)
}

/// Faults of the call itself become refusals too, so that the page has one thing to tell.
impl FromServerFnError for ApiError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(fault: ServerFnErrorErr) -> Self {
        match fault {
            // What the browser meets when the server, or the way to it, is gone.
            ServerFnErrorErr::Request(_) | ServerFnErrorErr::Response(_) => {
                Self::Unavailable { retry_after: 5 }
            }
            ServerFnErrorErr::Args(_)
            | ServerFnErrorErr::MissingArg(_)
            | ServerFnErrorErr::Deserialization(_) => {
                // On the server the arguments were odd. In the browser it was the answer: not
                // ours, but that of some gateway in between.
                if cfg!(feature = "ssr") {
                    Self::BadRequest
                } else {
                    Self::Unavailable { retry_after: 5 }
                }
            }
            _ => Self::Internal,
        }
    }
}

#[cfg(feature = "ssr")]
pub use handler::{handle, paths};

#[cfg(feature = "ssr")]
mod handler {
    use std::sync::Arc;

    use axum::{
        body::{Body, Bytes, to_bytes},
        http::{HeaderValue, Request, Response, StatusCode, header},
    };
    use leptos::{
        prelude::{Owner, provide_context},
        reactive::computed::ScopedFuture,
    };

    use crate::{
        error::ApiError,
        port::{Caller, Port},
    };

    /// The routes of the server functions, all of them POST.
    pub fn paths() -> impl Iterator<Item = &'static str> {
        server_fn::axum::server_fn_paths().map(|(path, _)| path)
    }

    /// Answers one call of a server function.
    ///
    /// A refusal goes out with the status and `Retry-After` of its [`ApiError`]; a body that is
    /// not declared to be JSON is refused before it is read.
    pub async fn handle(
        mut request: Request<Body>,
        port: Arc<dyn Port>,
        caller: Caller,
    ) -> Response<Body> {
        let (path, method) = (request.uri().path(), request.method().clone());
        let Some(mut function) = server_fn::axum::get_server_fn_service(path, method) else {
            return refusal(ApiError::NotFound);
        };
        if !is_json(&request) {
            return refusal(ApiError::BadRequest);
        }
        // Callers that accept HTML would be redirected, with the refusal spelled out in the URL.
        request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("application/json"));

        let owner = Owner::new();
        let running = owner.with(|| {
            provide_context(port);
            provide_context(caller);
            ScopedFuture::new(function.run(request))
        });
        let response = running.await;
        drop(owner);
        if response.status().is_success() { response } else { with_status(response).await }
    }

    fn is_json(request: &Request<Body>) -> bool {
        request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
    }

    /// Server functions answer every refusal with 500; this reads back which one it is.
    async fn with_status(response: Response<Body>) -> Response<Body> {
        // Our own refusals are some dozens of bytes.
        let body = to_bytes(response.into_body(), 1024).await.unwrap_or_default();
        refusal(serde_json::from_slice(&body).unwrap_or(ApiError::Internal))
    }

    fn refusal(error: ApiError) -> Response<Body> {
        let body = serde_json::to_vec(&error).unwrap_or_default();
        let mut response = Response::new(Body::from(Bytes::from(body)));
        *response.status_mut() =
            StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(seconds) = error.retry_after() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
