//! The frame around a page, and the data attributes for the page that embeds it.

use crate::{
    error::ApiError,
    look::Look,
    wire::{Brand, Place, State, VerificationView},
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
    /// The server's time, which the expiry of the token refers to.
    pub(super) now: Option<u64>,
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
    pub(super) fn verification(
        setting: &Setting,
        place: &Place,
        view: Option<&VerificationView>,
    ) -> Self {
        let (page_state, token) = match place {
            Place::Embedded { page, token } => (page.page_state.clone(), token.clone()),
            Place::Alone | Place::Visited(_) => (None, None),
        };
        let ending = match view.map_or(State::Expired, |view| view.state) {
            State::Pending => None,
            State::Approved if token.is_some() => Some("approved"),
            // The token has been redeemed, or nobody did so in time.
            State::Approved | State::Expired => Some("expired"),
            State::MaxAttemptsReached => Some("max_attempts_reached"),
            State::Canceled => Some("canceled"),
            State::Failed => Some("failed"),
        };
        let told = Self { ending: ending.map(str::to_owned), ..Self::presence(setting) };
        if token.is_none() {
            return told;
        }
        Self { token, page_state, now: view.map(|view| view.now), ..told }
    }
}

/// The code of a refusal, as the JSON API spells it.
fn word(error: ApiError) -> String {
    let document = serde_json::to_value(error).unwrap_or_default();
    document["code"].as_str().unwrap_or_default().to_owned()
}
