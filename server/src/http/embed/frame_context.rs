//! The frame that a request comes from.

use std::sync::Arc;

use app::{
    error::{ApiError, Limit, RecipientProblem},
    look::{Look, Wish},
    pages::Setting,
    port::Caller,
    wire::Channel,
};
use axum::{
    extract::{FromRequestParts, Query},
    http::request::Parts,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::super::{Context, caller, forms::Address, problem::Problem, security_headers::Exposure};

/// What the element writes into the address of its frame. What a later element may add is nothing
/// that this server could do anything with, so it is passed over.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    site_key: String,
    origin: String,
    channel: String,
    country: Option<String>,
    state: Option<String>,
    locale: String,
    to: String,
    theme: String,
    accent: String,
    surface: String,
    radius: String,
    font: String,
    refused: Option<String>,
    wait: u64,
    e: Option<String>,
}

/// What concerns one page alone, and is not carried along to the next.
const PASSING: [&str; 3] = ["refused", "wait", "e"];

/// A frame of a page that may embed us, and who is looking at it.
pub(super) struct FrameContext {
    pub(super) setting: Setting,
    pub(super) site_key: String,
    pub(super) page_state: Option<String>,
    pub(super) country: Option<String>,
    pub(super) caller: Caller,
    /// What came of the last form.
    pub(super) flash: Option<String>,
    refused: Option<(String, u64)>,
    channel: Option<Channel>,
    offered: Vec<Channel>,
}

/// Goes with an answer that may have to be put into words: those of the frame that it is shown in.
#[derive(Clone)]
pub(in super::super) struct InFrame(pub(in super::super) Arc<(Setting, String)>);

impl FromRequestParts<Arc<Context>> for FrameContext {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        context: &Arc<Context>,
    ) -> Result<Self, Problem> {
        let caller = caller::From::from_request_parts(parts, context).await;
        let Ok(caller::From(mut caller)) = caller;
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let asked = Query::<Asked>::try_from_uri(&parts.uri);
        let Query(asked) = asked.map_err(|_| ApiError::BadRequest)?;
        let offer = context.web.port.embed_offer(&asked.site_key, &asked.origin);
        let offer = offer.ok_or(ApiError::NotEmbeddable)?;
        if !asked.locale.is_empty() {
            caller.locale = context.web.catalogue.negotiate(Some(&asked.locale));
        }
        let wish = Wish {
            theme: &asked.theme,
            accent: &asked.accent,
            surface: &asked.surface,
            radius: &asked.radius,
            font: &asked.font,
        };
        let setting = Setting {
            origin: offer.origin,
            query: lasting(&query),
            is_given: !asked.to.is_empty(),
            look: Look::of(&offer.brand).with(wish),
            brand: offer.brand,
        };
        Ok(Self {
            setting,
            site_key: asked.site_key,
            page_state: asked.state,
            country: asked.country,
            caller,
            flash: asked.e,
            refused: asked.refused.map(|code| (code, asked.wait)),
            channel: Channel::parse(&asked.channel),
            offered: offer.channels,
        })
    }
}

impl FrameContext {
    /// The channels to offer: the one that the page asks for, if it can be had, else all of them.
    pub(super) fn channels(&self) -> Vec<Channel> {
        match self.channel.filter(|channel| self.offered.contains(channel)) {
            Some(channel) => vec![channel],
            None => self.offered.clone(),
        }
    }

    /// Where the pages of one verification are, in this frame.
    pub(super) fn address(&self, id: String) -> Result<Address, Problem> {
        let query = self.setting.query.clone();
        Address::in_frame(id, query)
    }

    /// Why the element was refused, as far as that makes a difference to what people are told.
    pub(super) fn refused(&self) -> Option<ApiError> {
        let (code, wait) = self.refused.as_ref()?;
        Some(match code.as_str() {
            "rate_limited" => {
                ApiError::RateLimited { limit: Limit::RecipientSends, retry_after: *wait }
            }
            "invalid_recipient" => ApiError::InvalidRecipient { problem: RecipientProblem::Email },
            "channel_unavailable" => ApiError::ChannelUnavailable,
            "unavailable" => ApiError::Unavailable { retry_after: *wait },
            "internal" => ApiError::Internal,
            _ => ApiError::BadRequest,
        })
    }

    /// Lets the one page around show the answer, whatever it is.
    pub(super) fn show(self, answer: Result<impl IntoResponse, Problem>) -> Response {
        let mut response = answer.into_response();
        let extensions = response.extensions_mut();
        extensions.insert(Exposure::FramedBy(self.setting.origin.clone()));
        extensions.insert(InFrame(Arc::new((self.setting, self.caller.locale))));
        response
    }
}

/// The parts of a query that every address in a frame carries along, as they were written.
fn lasting(query: &str) -> String {
    let name = |part: &str| part.split('=').next().unwrap_or_default().to_owned();
    let parts = query.split('&').filter(|part| !PASSING.contains(&name(part).as_str()));
    parts.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_of_one_form_is_not_carried_along_to_the_next() {
        assert_eq!(
            lasting("site_key=a&e=incorrect&to=given&refused=x&wait=1"),
            "site_key=a&to=given"
        );
        assert_eq!(lasting("easy=1&e=2"), "easy=1");
        assert_eq!(lasting(""), "");
    }
}
