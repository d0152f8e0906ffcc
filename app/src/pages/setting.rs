//! Where a page stands: on its own, or in a frame of somebody else's page.

use crate::{
    error::ApiError,
    look::Look,
    wire::{Brand, Embedded, State, VerificationView},
};

/// The frame that a page stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The one origin that frames it and is told what becomes of the verification. From the
    /// configuration, never as a request has it.
    pub origin: String,
    /// What every address in the frame carries along: the query that it was opened with.
    pub query: String,
    /// The page around knows the recipient and asks for the verification itself.
    pub is_given: bool,
    /// Whose it is.
    pub brand: Brand,
    /// How it looks.
    pub look: Look,
}

impl Setting {
    /// Path and query of the first page in the frame.
    pub fn start(&self) -> String {
        ["/embed?", &self.query].concat()
    }
}

/// What the script of a page in a frame tells the page around; it stands in data attributes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// To whom, and to nobody else.
    pub(super) embedder: String,
    /// How it ended, or why it cannot begin.
    pub(super) ending: Option<String>,
    pub(super) token: Option<String>,
    pub(super) page_state: Option<String>,
    /// The server's time, by which the token runs out.
    pub(super) now: Option<u64>,
}

impl Told {
    /// That the page is there, and nothing else.
    pub(super) fn presence(setting: &Setting) -> Self {
        Self { embedder: setting.origin.clone(), ..Self::default() }
    }

    /// Why it cannot begin.
    pub(super) fn refusal(setting: &Setting, error: ApiError) -> Self {
        let ending = match error {
            ApiError::NotFound => "expired".to_owned(),
            error => word(error),
        };
        Self { ending: Some(ending), ..Self::presence(setting) }
    }

    /// How things stand with a verification.
    pub(super) fn verification(
        setting: &Setting,
        embedded: Option<&Embedded>,
        view: Option<&VerificationView>,
    ) -> Self {
        let token = embedded.and_then(|embedded| embedded.token.clone());
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
        let page_state = embedded.and_then(|embedded| embedded.page_state.clone());
        Self { token, page_state, now: view.map(|view| view.now), ..told }
    }
}

/// The code of a refusal, as the JSON API spells it.
fn word(error: ApiError) -> String {
    let document = serde_json::to_value(error).unwrap_or_default();
    document["code"].as_str().unwrap_or_default().to_owned()
}
