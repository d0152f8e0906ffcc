//! Refusals and faults in words: a page for people, RFC 9457 for programs.
//!
//! Handlers and the layers around them answer with a [`Problem`], which knows neither language nor
//! format. On the way out it is turned into what the request asked for.

use app::{
    error::ApiError,
    pages::{self, Frame, ProblemPage, Setting},
};
use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::{Context, caller, embed::InFrame, pages::Page, security_headers::Exposure};

/// Why there is no better answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Problem {
    status: StatusCode,
    error: ApiError,
}

impl Problem {
    /// A problem that HTTP itself has a status for.
    pub(super) fn bare(status: StatusCode) -> Self {
        let error = match status {
            StatusCode::NOT_FOUND => ApiError::NotFound,
            status if status.is_server_error() => ApiError::Internal,
            _ => ApiError::BadRequest,
        };
        Self { status, error }
    }
}

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Self {
        let status = StatusCode::from_u16(error.status());
        Self { status: status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), error }
    }
}

/// An empty answer that carries the problem, for [`put_into_words`] to fill.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Answers for addresses that do not exist.
pub(super) async fn not_found() -> Problem {
    Problem::bare(StatusCode::NOT_FOUND)
}

/// Answers for methods that an address does not know.
pub(super) async fn method_not_allowed() -> Problem {
    Problem::bare(StatusCode::METHOD_NOT_ALLOWED)
}

/// The format and the language in which a problem would have to be told.
pub(super) struct Wording {
    accept: Option<HeaderValue>,
    language: Option<HeaderValue>,
}

impl Wording {
    /// What a request asks for.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Self {
            accept: headers.get(header::ACCEPT).cloned(),
            language: headers.get(header::ACCEPT_LANGUAGE).cloned(),
        }
    }
}

/// Gives the answer that is a [`Problem`] its body.
pub(super) fn put_into_words(
    context: &Context,
    wording: &Wording,
    mut response: Response,
) -> Response {
    let Some(problem) = response.extensions().get::<Problem>().copied() else {
        return response;
    };
    let mut worded = if let Some(InFrame(frame)) = response.extensions().get() {
        let (setting, locale) = &**frame;
        let mut page = problem.page(context, locale, Some(setting));
        page.extensions_mut().insert(Exposure::FramedBy(setting.origin.clone()));
        page
    } else if wants_page(wording.accept.as_ref()) {
        problem.page(context, &caller::locale(context, wording.language.as_ref()), None)
    } else {
        problem.json()
    };
    // Headers that were set beside the problem, such as `Allow`, stay.
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response.headers_mut().extend(worded.headers_mut().drain());
    *worded.headers_mut() = std::mem::take(response.headers_mut());
    worded
}

impl Problem {
    fn page(self, context: &Context, locale: &str, setting: Option<&Setting>) -> Response {
        let texts = context.web.catalogue.texts(locale);
        let page = Page::lay_out(self.status, |nonce| {
            let frame = Frame { texts: &texts, assets: &context.web.assets, nonce };
            pages::problem(ProblemPage { frame, error: self.error, setting })
        });
        match page {
            Ok(page) => self.with_retry_after(page.into_response()),
            Err(_) => self.json(),
        }
    }

    /// The problem as RFC 9457 has it; `code` and what goes with it are [`ApiError`]'s.
    fn json(self) -> Response {
        #[derive(Serialize)]
        struct Document {
            title: &'static str,
            status: u16,
            #[serde(flatten)]
            error: ApiError,
        }
        let title = self.status.canonical_reason().unwrap_or_default();
        let document = Document { title, status: self.status.as_u16(), error: self.error };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        self.with_retry_after((self.status, kind, body).into_response())
    }

    fn with_retry_after(self, mut response: Response) -> Response {
        if let Some(seconds) = self.error.retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Browsers name HTML when somebody follows a link or posts a form; scripts and tools do not.
fn wants_page(accept: Option<&HeaderValue>) -> bool {
    accept.and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains("text/html"))
}
