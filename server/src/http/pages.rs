//! Pages, on their own and in frames. No GET changes anything (S11).

use std::{borrow::Cow, sync::Arc};

use app::{
    error::ApiError,
    flash::Flash,
    pages::{self, Frame, ProblemPage, StartForm, StartPage, VerificationPage, WorkPage},
    wire::{Brand, PageView, StartOptions},
    work::Work,
};
use axum::{
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};

use super::{
    Context,
    problem::Problem,
    security_headers::{FormTarget, Nonce},
    visit::Visit,
};
use crate::origin::Origin;

/// A whole document and the nonce that it was laid out with.
pub(super) struct Page {
    status: StatusCode,
    html: String,
    nonce: Nonce,
}

impl Page {
    /// Lays a document out with a fresh nonce.
    ///
    /// # Errors
    ///
    /// The operating system's generator fails.
    pub(super) fn lay_out(
        context: &Context,
        locale: &str,
        status: StatusCode,
        document: impl FnOnce(Frame<'_>) -> String,
    ) -> Result<Self, Problem> {
        let nonce = Nonce::draw().map_err(|error| {
            tracing::error!(%error, "drawing a nonce");
            ApiError::Internal
        })?;
        let texts = context.web.catalogue.texts(locale);
        let frame = Frame {
            texts: &texts,
            assets: &context.web.assets,
            nonce: nonce.as_str(),
            has_start: context.web.has_start_page,
        };
        Ok(Self { status, html: document(frame), nonce })
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let mut response = (self.status, Html(self.html)).into_response();
        response.extensions_mut().insert(self.nonce);
        response
    }
}

/// `GET /` and `GET /embed`: where should the code go? In a frame whose element was refused: why.
pub(super) async fn start(
    State(context): State<Arc<Context>>,
    visit: Visit,
) -> Result<Response, Problem> {
    let Some(error) = visit.frame.as_ref().and_then(|frame| frame.refused) else {
        return start_page(&context, &visit, StartForm::default(), None);
    };
    // The refusal itself went to the element, so the status is not its own.
    let page = Page::lay_out(&context, &visit.caller.locale, StatusCode::OK, |frame| {
        pages::problem(ProblemPage { frame, error, setting: visit.setting() })
    })?;
    Ok(page.into_response())
}

/// The first page, with what was typed and why it is shown again, if it is.
///
/// # Errors
///
/// No page can be laid out.
pub(super) fn start_page(
    context: &Context,
    visit: &Visit,
    typed: StartForm,
    error: Option<ApiError>,
) -> Result<Response, Problem> {
    let locale = &visit.caller.locale;
    let options = options(context, visit).ok_or(ApiError::Internal)?;
    let (setting, brand) = (visit.setting(), brand(context, visit));
    let status = error.map_or(Ok(StatusCode::OK), |error| StatusCode::from_u16(error.status()));
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let page = Page::lay_out(context, locale, status, |frame| {
        pages::start(StartPage { frame, options: &options, typed, error, brand, setting })
    })?;
    Ok(after(error.and_then(|error| error.retry_after()), page))
}

/// A form that was refused until its work is done.
pub(super) struct Refused {
    /// Its address.
    pub(super) action: String,
    /// Its fields, by name.
    pub(super) fields: Vec<(&'static str, String)>,
    /// Address of the page that it was on.
    pub(super) back: String,
}

/// The page that does the work of a form.
///
/// # Errors
///
/// No page can be laid out.
pub(super) fn work_page(
    context: &Context,
    visit: &Visit,
    work: Work,
    Refused { action, fields, back }: Refused,
) -> Result<Response, Problem> {
    let (setting, brand) = (visit.setting(), brand(context, visit));
    let status = StatusCode::TOO_MANY_REQUESTS;
    let page = Page::lay_out(context, &visit.caller.locale, status, |frame| {
        pages::work(WorkPage { frame, work, action, fields, back, brand, setting })
    })?;
    Ok(after(Some(work.retry_after), page))
}

fn brand<'a>(context: &'a Context, visit: &'a Visit) -> &'a Brand {
    visit.setting().map_or(&context.web.brand, |setting| &setting.brand)
}

/// The page, with the seconds until its form can be sent again.
fn after(seconds: Option<u64>, page: Page) -> Response {
    let mut response = page.into_response();
    if let Some(seconds) = seconds {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn options<'a>(context: &'a Context, visit: &Visit) -> Option<Cow<'a, StartOptions>> {
    let offer = context.offers.get(&visit.caller.locale)?;
    let Some(frame) = &visit.frame else { return Some(Cow::Borrowed(&offer.start)) };
    let is_served =
        |region: &String| frame.regions.as_ref().is_none_or(|served| served.contains(region));
    let countries = offer.countries.iter().filter(|country| is_served(&country.region));
    let countries: Vec<_> = countries.cloned().collect();
    let is_offered = |region: &&String| countries.iter().any(|offered| offered.region == **region);
    let country = frame.country.as_ref().filter(is_offered);
    Some(Cow::Owned(StartOptions {
        channels: frame.channels.clone(),
        // A relying party verifies its own people.
        fixed_recipient: None,
        default_country: country.unwrap_or(&offer.start.default_country).clone(),
        countries,
    }))
}

/// `GET /v/{id}` and `GET /embed/v/{id}`: one verification; in a frame, one that began in that frame.
/// Expired, foreign and unknown ones look alike (S9).
pub(super) async fn verification(
    State(context): State<Arc<Context>>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let page = context.web.port.page(&visit.caller, &id).await?;
    verification_page(&context, &visit, page, visit.flash)
}

/// The page of a verification; the answer with its proof, if `page` holds one.
///
/// # Errors
///
/// No page can be laid out.
pub(super) fn verification_page(
    context: &Context,
    visit: &Visit,
    page: Option<PageView>,
    flash: Option<Flash>,
) -> Result<Response, Problem> {
    // Target of the form on the page, if there is one.
    let way_back = page.as_ref().and_then(PageView::way_back);
    let target = way_back.and_then(|way| Origin::of_url(&way.url)).map(FormTarget);
    let is_known = page.as_ref().is_some_and(|page| page.view.is_some());
    let status = if is_known { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let setting = visit.setting();
    let page = Page::lay_out(context, &visit.caller.locale, status, |frame| {
        pages::verification(VerificationPage { frame, page, flash, setting })
    })?;
    let mut response = page.into_response();
    if let Some(target) = target {
        response.extensions_mut().insert(target);
    }
    Ok(response)
}
