//! What stands in the frame of somebody else's page, and what the element there asks for.
//!
//! Every address in a frame carries along the query that the frame was opened with: whose key, which
//! origin, how to look. None of it is believed. The key and the origin have to be a pair that the
//! configuration knows, or there is no page; and the page may then be framed by that origin and by
//! no other, so that it is the browser that proves where the frame stands (S13).

mod cors;
mod frame_context;

use std::{str::FromStr, sync::Arc};

use app::{
    error::ApiError,
    flash::Flash,
    pages::{self, Frame, ProblemPage, StartForm, StartPage, VerificationPage},
    port::Embedding,
    wire::{Embedded, PageView, Place, StartOptions},
};
use axum::{
    Router,
    extract::{FromRequest, Path, Request, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};

use self::frame_context::FrameContext;
pub(super) use self::{cors::may_ask, frame_context::InFrame};
use super::{
    Context,
    forms::{self, Fields},
    pages::{Page, retry_after},
    problem::Problem,
};

/// The routes of frames.
pub(super) fn routes() -> Router<Arc<Context>> {
    Router::new()
        .route("/embed", get(open).post(start))
        .route(cors::PATH, post(cors::start).options(cors::preflight))
        .route("/embed/v/{id}", get(verification))
        .route("/embed/v/{id}/check", post(check))
        .route("/embed/v/{id}/resend", post(resend))
        .route("/embed/v/{id}/cancel", post(cancel))
}

/// `GET /embed`: where should the code go? Or why there is none, where the element was refused.
async fn open(State(context): State<Arc<Context>>, within: FrameContext) -> Response {
    let answer = match within.refused() {
        Some(error) => refusal(&context, &within, error),
        None => start_page(&context, &within, StartForm::default(), None),
    };
    within.show(answer)
}

/// `POST /embed`: begins a verification for the page around.
async fn start(
    State(context): State<Arc<Context>>,
    within: FrameContext,
    request: Request,
) -> Response {
    let answer = async {
        let Fields(form) = Fields::<StartForm>::from_request(request, &context).await?;
        let embedding = Embedding {
            site_key: within.site_key.clone(),
            origin: within.setting.origin.clone(),
            page_state: within.page_state.clone(),
        };
        let port = &context.web.port;
        match port.start(&within.caller, Some(&embedding), form.clone().into()).await {
            Ok(view) => Ok(Redirect::to(&within.address(view.id)?.page(None)).into_response()),
            Err(error) => start_page(&context, &within, form, Some(error)),
        }
    };
    let answer = answer.await;
    within.show(answer)
}

/// `GET /embed/v/{id}`: one verification, in the frame that it began in and in no other. What belongs
/// elsewhere, has expired or never was looks alike (S9).
async fn verification(
    State(context): State<Arc<Context>>,
    within: FrameContext,
    Path(id): Path<String>,
) -> Response {
    let answer = async {
        let page = context.web.port.page(&id).await?;
        let page = page.filter(|page| within.is_home_of(page));
        let is_known = page.as_ref().is_some_and(|page| page.view.is_some());
        let status = if is_known { StatusCode::OK } else { StatusCode::NOT_FOUND };
        let flash = within.flash.as_deref().and_then(|flash| Flash::from_str(flash).ok());
        let texts = context.web.catalogue.texts(&within.caller.locale);
        Page::lay_out(status, |nonce| {
            let frame = Frame { texts: &texts, assets: &context.web.assets, nonce };
            let setting = Some(&within.setting);
            pages::verification(VerificationPage { frame, page, flash, setting })
        })
    };
    let answer = answer.await;
    within.show(answer)
}

async fn check(
    State(context): State<Arc<Context>>,
    within: FrameContext,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let answer = async {
        let form = Fields::from_request(request, &context).await?;
        forms::check_at(&context, &within.caller, &within.address(id)?, form).await
    };
    let answer = answer.await;
    within.show(answer)
}

async fn resend(
    State(context): State<Arc<Context>>,
    within: FrameContext,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let answer = async {
        let form = Fields::from_request(request, &context).await?;
        forms::resend_at(&context, &within.caller, &within.address(id)?, form).await
    };
    let answer = answer.await;
    within.show(answer)
}

async fn cancel(
    State(context): State<Arc<Context>>,
    within: FrameContext,
    Path(id): Path<String>,
    body: axum::body::Bytes,
) -> Response {
    let answer =
        async { forms::cancel_at(&context, &within.caller, &within.address(id)?, &body).await };
    let answer = answer.await;
    within.show(answer)
}

/// The first page, with what was typed and why it is shown again, if it is.
fn start_page(
    context: &Context,
    within: &FrameContext,
    typed: StartForm,
    error: Option<ApiError>,
) -> Result<Response, Problem> {
    let locale = &within.caller.locale;
    let offered = context.offers.get(locale).ok_or(ApiError::Internal)?;
    let country = within
        .country
        .as_ref()
        .filter(|country| offered.countries.iter().any(|offered| offered.region == **country));
    let options = StartOptions {
        channels: within.channels(),
        // Whoever embeds us verifies their own people.
        fixed_recipient: None,
        countries: offered.countries.clone(),
        default_country: country.unwrap_or(&offered.default_country).clone(),
    };
    let texts = context.web.catalogue.texts(locale);
    let status = error.map_or(Ok(StatusCode::OK), |error| StatusCode::from_u16(error.status()));
    let page = Page::lay_out(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), |nonce| {
        let frame = Frame { texts: &texts, assets: &context.web.assets, nonce };
        let (options, setting) = (&options, Some(&within.setting));
        let brand = &within.setting.brand;
        pages::start(StartPage { frame, options, typed, error, brand, setting })
    })?;
    Ok(retry_after(page.into_response(), error))
}

/// Why the element was refused, and the way to try again. The refusal itself went to the element;
/// this is but a page about it.
fn refusal(context: &Context, within: &FrameContext, error: ApiError) -> Result<Response, Problem> {
    let texts = context.web.catalogue.texts(&within.caller.locale);
    let page = Page::lay_out(StatusCode::OK, |nonce| {
        let frame = Frame { texts: &texts, assets: &context.web.assets, nonce };
        pages::problem(ProblemPage { frame, error, setting: Some(&within.setting) })
    })?;
    Ok(page.into_response())
}

impl FrameContext {
    /// Did this verification begin in a frame like this one?
    fn is_home_of(&self, page: &PageView) -> bool {
        matches!(
            &page.place,
            Place::Embedded(Embedded { site_key, origin, .. })
                if *site_key == self.site_key && *origin == self.setting.origin
        )
    }
}
