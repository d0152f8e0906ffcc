//! The card in the responses of the server functions.

use ::app::wire::{Delivery, Outcome, State, VerificationView};
use otp::CodeProblem;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Content of the card after a call.
pub(crate) struct Card {
    pub(crate) view: Option<VerificationView>,
    pub(crate) notice: Option<String>,
}

/// Parses the list of strings in a response.
impl From<Vec<String>> for Card {
    fn from(list: Vec<String>) -> Self {
        let mut rest = list.into_iter();
        let mut next = || rest.next().unwrap();
        let view = (next() == "1").then(|| VerificationView {
            id: next(),
            state: word(next()),
            recipient: next(),
            code_length: next().parse().unwrap(),
            attempts_left: next().parse().unwrap(),
            sends_left: next().parse().unwrap(),
            delivery: Delivery {
                channel: word(next()),
                state: word(next()),
                tries: next().parse().unwrap(),
                number: next().parse().unwrap(),
            },
            channels: (0..next().parse().unwrap()).map(|_| word(next())).collect(),
            now: next().parse().unwrap(),
            code_expires_at: next().parse().unwrap(),
            resend_at: next().parse().unwrap(),
            expires_at: next().parse().unwrap(),
            leads_on: next() != "0",
        });
        let notice = (next() == "1").then(next);
        assert_eq!(rest.next(), None);
        Self { view, notice }
    }
}

/// Parses a value that is one word on the wire.
fn word<T: DeserializeOwned>(word: String) -> T {
    serde_json::from_value(Value::String(word)).unwrap()
}

impl Card {
    /// The outcome of the check that the card shows.
    pub(crate) fn outcome(&self) -> Outcome {
        let state = self.view.as_ref().map(|view| view.state);
        let view = || self.view.as_ref().unwrap();
        match (self.notice.as_deref(), state) {
            (None, Some(State::Approved)) => Outcome::Approved,
            (None, Some(State::Canceled)) => Outcome::Canceled,
            (None, Some(State::MaxAttemptsReached)) => Outcome::TooManyAttempts,
            (Some("already-used"), _) => Outcome::AlreadyUsed,
            (Some("expired"), _) => Outcome::Expired,
            (Some("already-tried"), _) => {
                Outcome::AlreadyTried { attempts_left: view().attempts_left }
            }
            (Some("incorrect"), _) => Outcome::Incorrect { attempts_left: view().attempts_left },
            (Some(word @ ("empty" | "too-short" | "too-long" | "not-digits")), _) => {
                let problem = CodeProblem::parse(&word.replace('-', "_")).unwrap();
                Outcome::Malformed { expected: view().code_length, problem }
            }
            other => panic!("no outcome for {other:?}"),
        }
    }
}
