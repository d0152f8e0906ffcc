//! Caller and place of a page: a page of its own, or a frame in a relying party's page.
//!
//! Both have the same routes below different prefixes, and one set of handlers.

use std::sync::Arc;

use app::{
    flash::Flash,
    pages::Setting,
    port::{Caller, Door},
};
use axum::{extract::FromRequestParts, http::request::Parts, response::Redirect};

use super::{Context, caller, frame::Frame, problem::Problem};

/// The caller and the place of a page, as an extractor.
pub(super) struct Visit {
    /// In a frame, at its door and with its language.
    pub(super) caller: Caller,
    /// Result of the last form, from the query of its redirect.
    pub(super) flash: Option<Flash>,
    pub(super) frame: Option<Arc<Frame>>,
}

impl FromRequestParts<Arc<Context>> for Visit {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        context: &Arc<Context>,
    ) -> Result<Self, Problem> {
        let frame = parts.extensions.remove::<Result<Arc<Frame>, Problem>>().transpose()?;
        let Ok(caller::From(mut caller)) = caller::From::from_request_parts(parts, context).await;
        if let Some(frame) = &frame {
            caller.locale.clone_from(&frame.locale);
            caller.door = Door::Frame(frame.embedding.clone());
        }
        // Anybody can write a query, so an unknown value is ignored.
        let mut query = parts.uri.query().unwrap_or_default().split('&');
        let flash = query.find_map(|part| Flash::parse(part.strip_prefix("e=")?));
        Ok(Self { caller, flash, frame })
    }
}

impl Visit {
    pub(super) fn setting(&self) -> Option<&Setting> {
        self.frame.as_ref().map(|frame| &frame.setting)
    }

    /// Address of the first page.
    pub(super) fn start(&self) -> String {
        self.setting().map_or_else(|| "/".to_owned(), Setting::start)
    }

    /// Redirect to the first page.
    pub(super) fn to_start(&self) -> Redirect {
        Redirect::to(&self.start())
    }

    /// Address of the page of a verification, or of a form on it. `id` must be base64url; a frame's query
    /// came as one and goes on unchanged.
    pub(super) fn page(&self, id: &str, form: &str, flash: Option<Flash>) -> String {
        let (base, mut query) = match self.setting() {
            Some(setting) => ("/embed/v/", vec![setting.query.clone()]),
            None => ("/v/", Vec::new()),
        };
        query.extend(flash.map(|flash| format!("e={flash}")));
        let mark = if query.is_empty() { "" } else { "?" };
        [base, id, form, mark, &query.join("&")].concat()
    }

    /// Redirect to the page of a verification, which tells `flash`.
    pub(super) fn to_page(&self, id: &str, flash: Option<Flash>) -> Redirect {
        Redirect::to(&self.page(id, "", flash))
    }
}
