//! Flash messages: the problem with the last action, shown on the verification page.
//!
//! The page without script gets it in the query of a redirect, so it is a closed set that travels
//! as one short word: no text of a stranger is ever shown.

use std::fmt;

use otp_types::{CodeProblem, Limit, Outcome};

use crate::{
    error::ApiError,
    wire_codec::{Pack, Rest},
};

/// A message beside the state of the verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flash {
    /// The guess is not the code.
    Incorrect,
    /// The guess was refused before.
    AlreadyTried,
    /// Nothing was typed.
    Empty,
    /// Fewer digits were typed than were sent.
    TooShort,
    /// More digits were typed than were sent.
    TooLong,
    /// Something else than digits was typed.
    NotDigits,
    /// The verification was approved before, whatever was typed now.
    AlreadyUsed,
    /// The code is past its time; another one may be asked for.
    Expired,
    /// Too many messages were asked for; seconds to wait.
    LimitSends(u64),
    /// Too many codes were tried; seconds to wait.
    LimitChecks(u64),
    /// Another code was asked for too early; seconds to wait.
    TooEarly(u64),
    /// A code is sent for a proof of work only, or after a wait; its seconds.
    WorkNeeded(u64),
    /// No more codes will be sent.
    NoSendsLeft,
    /// The service is away for a moment.
    Unavailable,
    /// The request came from another page, or could not be read.
    NotUnderstood,
    /// A fault on our side.
    Internal,
}

impl Flash {
    /// The message about a check; `None` where the verification's state says everything.
    pub fn of_check(outcome: Outcome) -> Option<Self> {
        match outcome {
            Outcome::Approved | Outcome::TooManyAttempts | Outcome::Canceled => None,
            Outcome::AlreadyUsed => Some(Self::AlreadyUsed),
            Outcome::Incorrect { .. } => Some(Self::Incorrect),
            Outcome::AlreadyTried { .. } => Some(Self::AlreadyTried),
            Outcome::Expired => Some(Self::Expired),
            Outcome::Malformed { problem, .. } => Some(problem.into()),
        }
    }

    /// Whether it is about the content of the field.
    pub fn concerns_field(self) -> bool {
        matches!(
            self,
            Self::Incorrect
                | Self::AlreadyTried
                | Self::Empty
                | Self::TooShort
                | Self::TooLong
                | Self::NotDigits
                | Self::Expired
        )
    }

    /// Every flash, with these seconds, and its word.
    fn words(seconds: u64) -> [(Self, &'static str); 16] {
        [
            (Self::Incorrect, "incorrect"),
            (Self::AlreadyTried, "already-tried"),
            (Self::Empty, "empty"),
            (Self::TooShort, "too-short"),
            (Self::TooLong, "too-long"),
            (Self::NotDigits, "not-digits"),
            (Self::AlreadyUsed, "already-used"),
            (Self::Expired, "expired"),
            (Self::LimitSends(seconds), "limit-sends"),
            (Self::LimitChecks(seconds), "limit-checks"),
            (Self::TooEarly(seconds), "too-early"),
            (Self::WorkNeeded(seconds), "work-needed"),
            (Self::NoSendsLeft, "no-sends-left"),
            (Self::Unavailable, "unavailable"),
            (Self::NotUnderstood, "not-understood"),
            (Self::Internal, "internal"),
        ]
    }

    /// Reads a flash as it stands in a query; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (word, seconds) = match text.split_once('.') {
            // The longest wait is that of a cool-down, a week at most.
            Some((word, seconds)) => (word, seconds.parse::<u64>().ok()?.min(604_800)),
            None => (text, 0),
        };
        let found = Self::words(seconds).into_iter().find(|(_, known)| *known == word);
        found.map(|(flash, _)| flash)
    }
}

impl From<CodeProblem> for Flash {
    fn from(problem: CodeProblem) -> Self {
        match problem {
            CodeProblem::Empty => Self::Empty,
            CodeProblem::TooShort => Self::TooShort,
            CodeProblem::TooLong => Self::TooLong,
            CodeProblem::NotDigits => Self::NotDigits,
        }
    }
}

impl From<ApiError> for Flash {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::RateLimited { limit, retry_after } => match limit {
                // A stranger is not told that the recipient complained.
                Limit::RecipientSends
                | Limit::RecipientCooledDown
                | Limit::CallerSends
                | Limit::Texts => Self::LimitSends(retry_after),
                Limit::RecipientChecks | Limit::CallerChecks => Self::LimitChecks(retry_after),
            },
            ApiError::DestinationBlocked { retry_after } => Self::LimitSends(retry_after),
            ApiError::ResendTooEarly { retry_after } => Self::TooEarly(retry_after),
            ApiError::NoSendsLeft
            | ApiError::ChannelUnavailable
            | ApiError::DestinationNotServed => Self::NoSendsLeft,
            ApiError::WorkNeeded(work) => Self::WorkNeeded(work.retry_after),
            ApiError::AlreadyFinished | ApiError::NotFound => Self::Expired,
            ApiError::Unavailable { .. } => Self::Unavailable,
            ApiError::Internal => Self::Internal,
            // Errors of requests that no page sends.
            _ => Self::NotUnderstood,
        }
    }
}

/// Writes the flash as it stands in a query: `incorrect`, `too-early.25`.
impl fmt::Display for Flash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = match *self {
            Self::LimitSends(seconds)
            | Self::LimitChecks(seconds)
            | Self::TooEarly(seconds)
            | Self::WorkNeeded(seconds) => Some(seconds),
            _ => None,
        };
        let words = Self::words(seconds.unwrap_or_default());
        let found = words.into_iter().find(|(flash, _)| flash == self);
        f.write_str(found.map_or("", |(_, word)| word))?;
        seconds.map_or(Ok(()), |seconds| write!(f, ".{seconds}"))
    }
}

impl Pack for Flash {
    fn pack(&self, list: &mut Vec<String>) {
        list.push(self.to_string());
    }

    fn unpack(rest: &mut Rest) -> Option<Self> {
        Self::parse(&rest.next()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_survives_the_redirect() {
        for text in ["incorrect", "empty", "already-used", "too-early.25", "limit-sends.600"] {
            let flash = Flash::parse(text).unwrap();
            assert_eq!(flash.to_string(), text);
            assert_eq!(Flash::unpacked(flash.packed()), Some(flash));
        }
    }

    #[test]
    fn every_flash_is_written_as_a_word_of_its_own() {
        for (flash, word) in Flash::words(25) {
            let text = flash.to_string();
            assert!(text == word || text == format!("{word}.25"), "{flash:?}: {text}");
            assert_eq!(Flash::parse(&text), Some(flash));
        }
        assert_eq!(Flash::parse("too-early.99999999"), Some(Flash::TooEarly(604_800)));
    }

    #[test]
    fn a_query_of_somebody_elses_making_says_nothing() {
        for text in ["", "Incorrect", "call-this-number", "too-early.x", "<b>", "incorrect "] {
            assert_eq!(Flash::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_malformed_guess_is_told_what_is_wrong_with_it() {
        for (problem, flash) in [
            (CodeProblem::Empty, Flash::Empty),
            (CodeProblem::TooShort, Flash::TooShort),
            (CodeProblem::TooLong, Flash::TooLong),
            (CodeProblem::NotDigits, Flash::NotDigits),
        ] {
            let outcome = Outcome::Malformed { expected: 6, problem };
            assert_eq!(Flash::of_check(outcome), Some(flash));
        }
    }

    #[test]
    fn an_ending_is_told_by_the_state_alone() {
        for outcome in [Outcome::Approved, Outcome::TooManyAttempts, Outcome::Canceled] {
            assert_eq!(Flash::of_check(outcome), None);
        }
    }
}
