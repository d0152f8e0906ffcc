//! Who asks for a page and where it is shown: on its own, or in a frame of a relying party's page.
//!
//! Both have the same routes below another prefix, and one set of handlers.

use std::sync::Arc;

use app::{flash::Flash, pages::Setting, port::Caller, wire::Embedding};
use axum::{extract::FromRequestParts, http::request::Parts, response::Redirect};

use super::{Context, caller, frame::Frame, problem::Problem};

/// The caller and the place of a page, as an extractor.
pub(super) struct Visit {
    /// With the frame's language, if there is a frame.
    pub(super) caller: Caller,
    /// What the last form came to, as its redirect says.
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
        }
        // Anybody can write a query, so one that says nothing known is no reason to refuse a page.
        let mut query = parts.uri.query().unwrap_or_default().split('&');
        let flash = query.find_map(|part| part.strip_prefix("e=")?.parse().ok());
        Ok(Self { caller, flash, frame })
    }
}

impl Visit {
    pub(super) fn setting(&self) -> Option<&Setting> {
        self.frame.as_ref().map(|frame| &frame.setting)
    }

    pub(super) fn embedding(&self) -> Option<&Embedding> {
        self.frame.as_ref().map(|frame| &frame.embedding)
    }

    /// To the first page.
    pub(super) fn to_start(&self) -> Redirect {
        Redirect::to(&self.setting().map_or_else(|| "/".to_owned(), Setting::start))
    }

    /// To the page of a verification, with what there is to tell. The id has to be one of ours; a
    /// frame's query came as one and goes on as it is.
    pub(super) fn to_page(&self, id: &str, flash: Option<Flash>) -> Redirect {
        let (base, mut query) = match self.setting() {
            Some(setting) => ("/embed/v/", vec![setting.query.clone()]),
            None => ("/v/", Vec::new()),
        };
        query.extend(flash.map(|flash| format!("e={flash}")));
        let mark = if query.is_empty() { "" } else { "?" };
        Redirect::to(&[base, id, mark, &query.join("&")].concat())
    }
}
