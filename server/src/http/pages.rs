//! What a GET shows. None of these changes anything (S11).

use std::{str::FromStr, sync::Arc};

use app::{
    error::ApiError,
    flash::Flash,
    pages::{self, Frame, StartForm, StartPage, VerificationPage},
    wire::{self, Place},
};
use axum::{
    extract::{Path, RawQuery, State},
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};

use super::{
    Context, caller,
    problem::Problem,
    security_headers::{FormTarget, Nonce},
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
    pub(super) fn lay_out(
        status: StatusCode,
        document: impl FnOnce(&str) -> String,
    ) -> Result<Self, Problem> {
        let nonce = Nonce::draw().map_err(|error| {
            tracing::error!(%error, "drawing a nonce");
            ApiError::Internal
        })?;
        Ok(Self { status, html: document(nonce.as_str()), nonce })
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let mut response = (self.status, Html(self.html)).into_response();
        response.extensions_mut().insert(self.nonce);
        response
    }
}

/// `GET /`: where should the code go?
pub(super) async fn start(
    State(context): State<Arc<Context>>,
    caller::From(caller): caller::From,
) -> Result<Response, Problem> {
    start_page(&context, &caller.locale, StartForm::default(), None)
}

/// The first page, with what was typed and why it is shown again, if it is.
pub(super) fn start_page(
    context: &Context,
    locale: &str,
    typed: StartForm,
    error: Option<ApiError>,
) -> Result<Response, Problem> {
    let options = context.offers.get(locale).ok_or(ApiError::Internal)?;
    let texts = context.web.catalogue.texts(locale);
    let status = error.map_or(Ok(StatusCode::OK), |error| StatusCode::from_u16(error.status()));
    let page = Page::lay_out(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), |nonce| {
        let frame = Frame { texts: &texts, assets: &context.web.assets, nonce };
        let brand = &context.web.start.brand;
        pages::start(StartPage { frame, options, typed, error, brand, setting: None })
    })?;
    Ok(retry_after(page.into_response(), error))
}

/// Says when asking again can help, where it can.
pub(super) fn retry_after(mut response: Response, error: Option<ApiError>) -> Response {
    if let Some(seconds) = error.and_then(|error| error.retry_after()) {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// `GET /v/{id}`: one verification. What has expired and what never was look alike (S9).
pub(super) async fn verification(
    State(context): State<Arc<Context>>,
    caller::From(caller): caller::From,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let page = context.web.port.page(&id).await?;
    let target = page.as_ref().and_then(|page| way_back(&page.place));
    let is_known = page.as_ref().is_some_and(|page| page.view.is_some());
    let status = if is_known { StatusCode::OK } else { StatusCode::NOT_FOUND };
    // Anybody can write a query, so one that says nothing we know is no reason to refuse a page.
    let flash = query.as_deref().and_then(|query| query.strip_prefix("e="));
    let flash = flash.and_then(|flash| Flash::from_str(flash).ok());
    let texts = context.web.catalogue.texts(&caller.locale);
    let page = Page::lay_out(status, |nonce| {
        let frame = Frame { texts: &texts, assets: &context.web.assets, nonce };
        pages::verification(VerificationPage { frame, page, flash, setting: None })
    })?;
    let mut response = page.into_response();
    if let Some(target) = target {
        response.extensions_mut().insert(target);
    }
    Ok(response)
}

/// Where the form of a page leads to whose verification is over.
fn way_back(place: &Place) -> Option<FormTarget> {
    match place {
        Place::Visited(way) if way.result != wire::State::Pending => {
            Origin::of_url(&way.url).map(FormTarget)
        }
        _ => None,
    }
}
