//! The frame around a page, and the data attributes for the page that embeds it.

use crate::{
    error::ApiError,
    look::Look,
    wire::{Brand, PageView, Place, Proof, State},
};

/// Everything that a page in a frame is rendered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The one origin that may frame the page and is told how the verification ends. It comes from
    /// the configuration, never from a request.
    pub origin: String,
    /// Query of every address in the frame: the one that it was opened with.
    pub query: String,
    /// The embedding page has given the recipient and begins the verification itself.
    pub is_given: bool,
    /// Brand of the site.
    pub brand: Brand,
    /// Colour scheme and custom colours.
    pub look: Look,
}

impl Setting {
    /// Path and query of the first page in the frame.
    pub fn start(&self) -> String {
        ["/embed?", &self.query].concat()
    }
}

/// Messages of the script in a frame to the embedding page, as data attributes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// The one origin that receives them.
    pub(super) embedder: String,
    /// The outcome, or the reason why no verification can begin.
    pub(super) ending: Option<String>,
    pub(super) token: Option<String>,
    pub(super) page_state: Option<String>,
    /// Milliseconds until the result can no longer be redeemed, when the page is loaded again.
    pub(super) stale_in: Option<u64>,
}

impl Told {
    /// The page has loaded.
    pub(super) fn presence(setting: &Setting) -> Self {
        Self { embedder: setting.origin.clone(), ..Self::default() }
    }

    /// No verification can begin.
    pub(super) fn refusal(setting: &Setting, error: ApiError) -> Self {
        let ending = match error {
            ApiError::NotFound => "expired".to_owned(),
            error => word(error),
        };
        Self { ending: Some(ending), ..Self::presence(setting) }
    }

    /// The state of a verification.
    pub(super) fn verification(setting: &Setting, page: &PageView) -> Self {
        let state = page.view.as_ref().map_or(State::Expired, |view| view.state);
        let ending = match (state, &page.proof) {
            (State::Pending, _) => None,
            (State::Approved, Some(Proof::Own(Some(_)))) => Some("approved"),
            (State::Approved, Some(Proof::Elsewhere(Some(_)))) => Some("elsewhere"),
            // The token has been redeemed, or nobody did so in time.
            (State::Approved | State::Expired, _) => Some("expired"),
            (State::MaxAttemptsReached, _) => Some("max_attempts_reached"),
            (State::Canceled, _) => Some("canceled"),
            (State::Failed, _) => Some("failed"),
        };
        let told = Self { ending: ending.map(str::to_owned), ..Self::presence(setting) };
        let Some(proof) = &page.proof else { return told };
        let (token, expires_at) = match proof {
            Proof::Own(Some(token)) => (Some(token.signed.clone()), Some(token.expires_at)),
            Proof::Own(None) => (None, None),
            Proof::Elsewhere(expires_at) => (None, *expires_at),
        };
        let now = page.view.as_ref().map_or(0, |view| view.now);
        let page_state = match &page.place {
            Place::Embedded(page) if token.is_some() => page.page_state.clone(),
            _ => None,
        };
        let stale_in = expires_at.map(|time| time.saturating_sub(now));
        Self { token, page_state, stale_in, ..told }
    }
}

/// The code of a refusal, as the JSON API spells it.
fn word(error: ApiError) -> String {
    let document = serde_json::to_value(error).unwrap_or_default();
    document["code"].as_str().unwrap_or_default().to_owned()
}
