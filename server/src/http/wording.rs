//! Problems in words, on the way out: a page for people, RFC 9457 for programs.
//!
//! The JSON API speaks JSON whatever it is asked for; a frame gets a page in its own language.

use std::sync::Arc;

use app::pages::{self, ProblemPage};
use axum::{
    extract::Request,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

use super::{Context, api, caller, frame::Frame, pages::Page, problem::Problem};

/// The format and the language in which a problem would have to be told.
pub(super) struct Wording {
    wants_page: bool,
    language: Option<HeaderValue>,
    frame: Option<Arc<Frame>>,
}

impl Wording {
    /// The wording that a request asks for.
    pub(super) fn of(request: &Request, frame: Option<Arc<Frame>>) -> Self {
        let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
        // Browsers name HTML when somebody follows a link or posts a form; scripts and tools do not.
        let wants_page = accept.is_some_and(|accept| accept.contains("text/html"))
            && !api::answers_at(request.uri().path());
        let language = request.headers().get(header::ACCEPT_LANGUAGE).cloned();
        Self { wants_page: wants_page || frame.is_some(), language, frame }
    }

    /// The frame that the answer is shown in.
    pub(super) fn frame(&self) -> Option<&Frame> {
        self.frame.as_deref()
    }

    /// Gives an answer that is a [`Problem`] its body.
    pub(super) fn word(&self, context: &Context, mut response: Response) -> Response {
        let Some(problem) = response.extensions_mut().remove::<Problem>() else {
            return response;
        };
        let page = self.wants_page.then(|| self.page(context, &problem)).and_then(Result::ok);
        let mut worded = page.unwrap_or_else(|| problem.json());
        // Headers that were set beside the problem, such as `Allow`, stay.
        response.headers_mut().remove(header::CONTENT_LENGTH);
        response.headers_mut().extend(worded.headers_mut().drain());
        *worded.headers_mut() = std::mem::take(response.headers_mut());
        worded
    }

    fn page(&self, context: &Context, problem: &Problem) -> Result<Response, Problem> {
        let locale = match &self.frame {
            Some(frame) => frame.locale.clone(),
            None => caller::locale(context, self.language.as_ref()),
        };
        let setting = self.frame().map(|frame| &frame.setting);
        let page = Page::lay_out(context, &locale, problem.status(), |frame| {
            pages::problem(ProblemPage { frame, error: problem.error(), setting })
        })?;
        Ok(problem.with_headers(page.into_response()))
    }
}
