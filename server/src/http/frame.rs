//! The frame of a relying party's page that a request comes from.
//!
//! Every address in a frame has the query that the frame was opened with: public key, origin, look.
//! None of it is trusted. Key and origin must be a pair of the configuration, or there is no page;
//! only that origin may then frame the page, which the browser enforces (S13).

use std::sync::Arc;

use app::{
    error::{ApiError, Limit, RecipientProblem},
    look::{Look, LookOptions},
    pages::Setting,
    wire::{Channel, Embedding},
};
use axum::{
    extract::{Query, Request, rejection::QueryRejection},
    http::header,
};
use serde::Deserialize;

use super::{Context, caller, problem::Problem};

/// Query of a frame's address, as the element writes it. Unknown parameters, such as those of a later
/// element, are ignored.
#[derive(Default, Deserialize)]
#[serde(default)]
struct EmbedQuery {
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
}

/// Bounds of the state of the page around.
pub(super) const STATE: &str = "must be text of up to 256 characters";

/// Whether the state of the page around is too long.
pub(super) fn is_too_long(state: &str) -> bool {
    state.chars().count() > 256
}

/// Parameters that concern one page alone and are not carried along to the next.
const PASSING: [&str; 3] = ["refused", "wait", "e"];

/// A frame in a page that may embed us.
pub(super) struct Frame {
    /// The page around it.
    pub(super) embedding: Embedding,
    /// Input of the pages in it.
    pub(super) setting: Setting,
    pub(super) locale: String,
    /// Channels to begin with, one for each kind of recipient.
    pub(super) channels: Vec<Channel>,
    /// Regions to offer; `None` for all.
    pub(super) regions: Option<Vec<String>>,
    /// Region that is selected at first, if it is one of those offered.
    pub(super) country: Option<String>,
    /// Error for which the element was refused, as far as the page tells it.
    pub(super) refused: Option<ApiError>,
}

impl Frame {
    /// The frame of a request; `None` for paths outside of frames.
    ///
    /// # Errors
    ///
    /// The query cannot be read, or no site lists its key and origin.
    pub(super) fn of(context: &Context, request: &Request) -> Option<Result<Arc<Self>, Problem>> {
        let path = request.uri().path();
        let is_framed = path == "/embed" || path.starts_with("/embed/v/");
        is_framed.then(|| Self::read(context, request).map(Arc::new))
    }

    fn read(context: &Context, request: &Request) -> Result<Self, Problem> {
        let query = Query::<EmbedQuery>::try_from_uri(request.uri());
        let Query(asked) = query.map_err(|rejection| unreadable(&rejection))?;
        let offer = context.web.port.embed_offer(&asked.site_key, &asked.origin);
        let offer = offer.ok_or(ApiError::NotEmbeddable)?;
        if asked.state.as_deref().is_some_and(is_too_long) {
            return Err(Problem::parameter("state", STATE));
        }
        let locale = match asked.locale.as_str() {
            "" => caller::locale(context, request.headers().get(header::ACCEPT_LANGUAGE)),
            wanted => context.web.catalogue.negotiate(Some(wanted)),
        };
        let look = LookOptions {
            theme: &asked.theme,
            accent: &asked.accent,
            surface: &asked.surface,
            radius: &asked.radius,
            font: &asked.font,
        };
        // The channel that the page asks for, if it can be had, else all of them.
        let channel = Channel::parse(&asked.channel);
        let channel = channel.filter(|channel| offer.channels.contains(channel));
        Ok(Self {
            embedding: Embedding {
                site_key: asked.site_key,
                origin: offer.origin.clone(),
                page_state: asked.state,
            },
            setting: Setting {
                origin: offer.origin,
                query: lasting(request.uri().query().unwrap_or_default()),
                is_given: !asked.to.is_empty(),
                look: Look::of(&offer.brand).with(look),
                brand: offer.brand,
            },
            locale,
            channels: match channel {
                Some(channel) => vec![channel],
                None => Channel::first_of_each_kind(&offer.channels),
            },
            regions: offer.regions,
            country: asked.country,
            refused: asked.refused.map(|code| refusal(&code, asked.wait)),
        })
    }
}

/// The error of a refusal, by the word of its limit, its problem or its code.
fn refusal(word: &str, wait: u64) -> ApiError {
    if let Some(limit) = Limit::ALL.iter().find(|limit| limit.as_str() == word) {
        return ApiError::RateLimited { limit: *limit, retry_after: wait };
    }
    let problem = RecipientProblem::ALL.iter().find(|problem| problem.as_str() == word);
    if let Some(problem) = problem {
        return ApiError::InvalidRecipient { problem: *problem };
    }
    match word {
        "rate_limited" | "work_needed" => {
            ApiError::RateLimited { limit: Limit::RecipientSends, retry_after: wait }
        }
        "invalid_recipient" => ApiError::InvalidRecipient { problem: RecipientProblem::Email },
        "destination_blocked" => ApiError::DestinationBlocked { retry_after: wait },
        "channel_unavailable" => ApiError::ChannelUnavailable,
        "destination_not_served" => ApiError::DestinationNotServed,
        "unavailable" => ApiError::Unavailable { retry_after: wait },
        "internal" => ApiError::Internal,
        _ => ApiError::BadRequest,
    }
}

/// The fault of a query, for the developer of the page around, without its values (S8).
fn unreadable(rejection: &QueryRejection) -> Problem {
    let said = rejection.body_text();
    let repeated = said.split("duplicate field `").nth(1).and_then(|rest| rest.split('`').next());
    let (name, flaw) = match repeated {
        Some(name) => (name, "may be in the query only once"),
        // Everything else is text.
        None => ("wait", "must be a whole number of seconds"),
    };
    Problem::parameter(name, flaw)
}

/// The parts of a query that every address in a frame carries along, as they were written.
fn lasting(query: &str) -> String {
    let is_passing =
        |part: &&str| part.split('=').next().is_some_and(|name| PASSING.contains(&name));
    let parts = query.split('&').filter(|part| !is_passing(part));
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
