//! Refusals and faults in words: a page for people, RFC 9457 for programs.
//!
//! Handlers and the layers around them answer with a [`Problem`], which knows neither language nor
//! format. On the way out it is turned into what the request asked for; the JSON API speaks JSON
//! whatever it is asked for.

pub(super) mod codes;

use app::{
    error::ApiError,
    pages::{self, Frame, ProblemPage, Setting},
};
use axum::{
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use self::codes::Code;
use super::{Context, api, caller, embed::InFrame, pages::Page, security_headers::Exposure};
use crate::service::Refused;

/// Why there is no better answer.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    status: StatusCode,
    reason: Reason,
}

#[derive(Clone, Debug)]
enum Reason {
    /// HTTP itself has a status for it.
    Bare,
    /// The rules refuse it.
    Refused(ApiError),
    /// A field of a body cannot be accepted.
    Field {
        /// Its path, as `metadata.order`; empty where it may not be repeated.
        name: String,
        /// What it has to be; never what it was (S8).
        flaw: String,
    },
}

impl Problem {
    /// A problem that HTTP itself has a status for.
    pub(super) fn bare(status: StatusCode) -> Self {
        Self { status, reason: Reason::Bare }
    }

    /// A field of a body that cannot be accepted, and what it would have to be.
    pub(super) fn field(name: String, flaw: String) -> Self {
        let reason = Reason::Field { name, flaw };
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, reason }
    }

    /// The field that cannot be accepted, and the reason.
    #[cfg(test)]
    pub(super) fn field_and_flaw(self) -> (String, String) {
        match self.reason {
            Reason::Field { name, flaw } => (name, flaw),
            other => panic!("no field is refused: {other:?}"),
        }
    }

    /// The closest thing that pages have words for.
    fn error(&self) -> ApiError {
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
    for_program: bool,
    accept: Option<HeaderValue>,
    language: Option<HeaderValue>,
}

impl Wording {
    /// What a request asks for.
    pub(super) fn of(request: &Request) -> Self {
        let headers = request.headers();
        Self {
            for_program: api::answers_at(request.uri().path()),
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
    let Some(problem) = response.extensions().get::<Problem>().cloned() else {
        return response;
    };
    let mut worded = if let Some(InFrame(frame)) = response.extensions().get() {
        let (setting, locale) = &**frame;
        let mut page = problem.page(context, locale, Some(setting));
        page.extensions_mut().insert(Exposure::FramedBy(setting.origin.clone()));
        page
    } else if !wording.for_program && wants_page(wording.accept.as_ref()) {
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
            pages::problem(ProblemPage { frame, error: self.error(), setting })
        });
        match page {
            Ok(page) => self.with_headers(page.into_response()),
            Err(_) => self.json(),
        }
    }

    /// The problem as RFC 9457 has it. The type is the one of problems that need no page of their
    /// own (section 4.2.1), so the title is the status in words; programs look at `code`, and at
    /// what [`ApiError`] puts beside it.
    fn json(self) -> Response {
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

    fn with_headers(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        if let Some(seconds) = self.error().retry_after() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            // RFC 6750, section 3; it does not say what was wrong with the key.
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Browsers name HTML when somebody follows a link or posts a form; scripts and tools do not.
fn wants_page(accept: Option<&HeaderValue>) -> bool {
    accept.and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains("text/html"))
}
