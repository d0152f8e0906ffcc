//! Refusals and faults, before they are put into words.
//!
//! Handlers and the layers around them answer with a [`Problem`], which knows neither language nor
//! format; on the way out it becomes what the request asked for.

pub(super) mod codes;

use app::error::ApiError;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use otp_types::ProblemCode as Code;
use serde_json::{Value, json};

use crate::service::Refused;

/// Reason for an answer with an error status.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    status: StatusCode,
    reason: Reason,
}

#[derive(Clone, Debug)]
enum Reason {
    /// The status says everything.
    Bare,
    /// A use case refuses the request.
    Refused(ApiError),
    /// A field of a body, or a parameter of a query, cannot be accepted.
    Field {
        /// Its path, as `metadata.order`; empty where it may not be repeated.
        name: String,
        /// The accepted values; never the one that was sent (S8).
        flaw: String,
    },
}

impl Problem {
    /// A problem whose status says everything.
    pub(super) fn bare(status: StatusCode) -> Self {
        Self { status, reason: Reason::Bare }
    }

    /// A field of a body that cannot be accepted, with the accepted values.
    pub(super) fn field(name: String, flaw: String) -> Self {
        let reason = Reason::Field { name, flaw };
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, reason }
    }

    /// A parameter of a query that cannot be accepted, with the accepted values.
    pub(super) fn parameter(name: &str, flaw: &str) -> Self {
        let reason = Reason::Field { name: name.to_owned(), flaw: format!("`{name}` {flaw}.") };
        Self { status: StatusCode::BAD_REQUEST, reason }
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// The field that cannot be accepted, and the reason.
    #[cfg(test)]
    pub(super) fn field_and_flaw(self) -> (String, String) {
        match self.reason {
            Reason::Field { name, flaw } => (name, flaw),
            other => panic!("no field is refused: {other:?}"),
        }
    }

    /// The closest error that pages have texts for.
    pub(super) fn error(&self) -> ApiError {
        match self.reason {
            Reason::Refused(error) => error,
            Reason::Bare if self.status == StatusCode::NOT_FOUND => ApiError::NotFound,
            Reason::Bare if self.status.is_server_error() => ApiError::Internal,
            Reason::Bare | Reason::Field { .. } => ApiError::BadRequest,
        }
    }
}

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Self {
        let status = StatusCode::from_u16(error.status());
        Self {
            status: status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            reason: Reason::Refused(error),
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        ApiError::from(refused).into()
    }
}

/// An empty answer that carries the problem, for the middleware to fill.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Fallback of unknown paths.
pub(super) async fn not_found() -> Problem {
    Problem::bare(StatusCode::NOT_FOUND)
}

/// Fallback of unknown methods.
pub(super) async fn method_not_allowed() -> Problem {
    Problem::bare(StatusCode::METHOD_NOT_ALLOWED)
}

impl Problem {
    /// The problem as JSON (RFC 9457). The type is `about:blank` (section 4.2.1), so the title is the
    /// status in words; programs read `code` and the fields of [`ApiError`] beside it.
    pub(super) fn json(self) -> Response {
        let (code, detail) = match &self.reason {
            Reason::Bare => codes::of_status(self.status),
            Reason::Refused(error) => codes::of_error(*error),
            Reason::Field { flaw, .. } => (Code::InvalidField, flaw.as_str()),
        };
        let mut document = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or_default(),
            "status": self.status.as_u16(),
            "detail": detail,
        });
        if let Reason::Refused(error) = self.reason
            && let (Some(document), Ok(Value::Object(beside))) =
                (document.as_object_mut(), serde_json::to_value(error))
        {
            document.extend(beside);
        }
        document["code"] = code.as_str().into();
        if let Reason::Field { name, .. } = &self.reason
            && !name.is_empty()
        {
            document["field"] = name.as_str().into();
        }
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        self.with_headers((self.status, kind, document.to_string()).into_response())
    }

    /// The answer with the headers that belong to the problem.
    pub(super) fn with_headers(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        if let Some(seconds) = self.error().retry_after() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            // RFC 6750, section 3, without a reason.
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
