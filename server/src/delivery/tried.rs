//! The tries of one message, kept with it in the outbox, so that a restart goes on with the right provider.

use otp::Timestamp;
use serde::{Deserialize, Serialize};

use super::Failure;

/// Transient failures of a provider after which the others have their turn.
const TRIES_IN_TURN: u32 = 3;
/// Tries that a provider may leave without an answer. The second may already be a duplicate, so there is no
/// third by the same provider (S25).
const UNANSWERED: usize = 2;

/// The failed tries of one message, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried(Vec<Try>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Try {
    provider: String,
    failure: Failure,
    /// Time before which the provider asks not to be tried again, if that is later than it would be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_before: Option<Timestamp>,
}

impl Tried {
    /// Reads the text of [`Tried::to_text`]. A text that another version wrote counts as no tries.
    pub fn parse(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// The form that is stored. It holds names of providers and kinds of failures only.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Adds a failed try. With `not_before`, its provider is not due again before that time.
    pub fn add(&mut self, provider: &str, failure: Failure, not_before: Option<Timestamp>) {
        self.0.push(Try { provider: provider.to_owned(), failure, not_before });
    }

    /// Whether this provider was asked.
    pub(super) fn contains(&self, provider: &str) -> bool {
        self.of(provider).next().is_some()
    }

    /// Whether this provider is not asked again: it refused the message for good, did not answer twice, or took it
    /// without its arriving.
    pub(super) fn is_over(&self, provider: &str) -> bool {
        let count = |kind| self.of(provider).filter(|tried| tried.failure == kind).count();
        count(Failure::Ambiguous) >= UNANSWERED
            || count(Failure::Permanent) + count(Failure::Returned) > 0
    }

    /// Whether a provider took the message.
    pub(super) fn was_taken(&self) -> bool {
        self.0.iter().any(|tried| tried.failure == Failure::Returned)
    }

    /// Turns that this provider has had: after each one the others come first.
    pub(super) fn turns(&self, provider: &str) -> u32 {
        let (mut turns, mut in_turn) = (0, 0);
        for Try { failure, not_before, .. } in self.of(provider) {
            in_turn += 1;
            let is_retried_soon =
                matches!(failure, Failure::Transient | Failure::Unclear) && not_before.is_none();
            if !is_retried_soon || in_turn == TRIES_IN_TURN {
                turns += 1;
                in_turn = 0;
            }
        }
        turns
    }

    /// The time before which this provider has asked not to be tried again, if it has.
    pub(super) fn not_before(&self, provider: &str) -> Option<Timestamp> {
        self.of(provider).filter_map(|tried| tried.not_before).max()
    }

    /// Tries that were left without an answer, each of which may have sent the message.
    pub fn unanswered(&self) -> u32 {
        u32::try_from(self.silent().count()).unwrap_or(u32::MAX)
    }

    /// The providers of these tries.
    pub fn silent(&self) -> impl Iterator<Item = &str> {
        let silent = self.0.iter().filter(|tried| tried.failure.may_have_sent());
        silent.map(|tried| &*tried.provider)
    }

    fn of(&self, provider: &str) -> impl Iterator<Item = &Try> {
        self.0.iter().filter(move |tried| tried.provider == provider)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Failure::{Account, Ambiguous, Permanent, Returned, Transient, Unclear};

    fn tried(failures: &[Failure]) -> Tried {
        let mut tried = Tried::default();
        for failure in failures {
            tried.add("a", *failure, None);
        }
        tried
    }

    #[test]
    fn a_turn_ends_with_three_transient_failures_or_one_that_waiting_does_not_help() {
        for (failures, turns) in [
            (&[][..], 0),
            (&[Transient, Transient], 0),
            (&[Transient, Transient, Transient], 1),
            (&[Transient, Transient, Transient, Transient], 1),
            (&[Transient, Unclear, Unclear], 1),
            (&[Account], 1),
            (&[Ambiguous], 1),
            (&[Transient, Account, Transient, Transient], 1),
            (&[Transient, Account, Transient, Transient, Transient], 2),
        ] {
            assert_eq!(tried(failures).turns("a"), turns, "{failures:?}");
            assert_eq!(tried(failures).turns("b"), 0);
        }
        let mut asked_to_wait = tried(&[]);
        asked_to_wait.add("a", Transient, Some(Timestamp::from_millis(1)));
        assert_eq!(asked_to_wait.turns("a"), 1);
    }

    #[test]
    fn a_refusal_of_the_message_and_a_second_silence_are_final_and_a_refused_account_is_not() {
        for failures in [
            &[Permanent][..],
            &[Returned],
            &[Transient, Permanent],
            &[Ambiguous, Account, Ambiguous],
        ] {
            assert!(tried(failures).is_over("a"), "{failures:?}");
            assert!(!tried(failures).is_over("b"));
        }
        for failures in [&[][..], &[Ambiguous, Transient], &[Account, Account, Account]] {
            assert!(!tried(failures).is_over("a"), "{failures:?}");
        }
    }

    #[test]
    fn what_is_stored_is_read_again_and_anything_else_counts_as_nothing() {
        let mut all = tried(&[Transient, Account, Ambiguous, Permanent, Returned]);
        all.add("b", Transient, Some(Timestamp::from_millis(7)));
        assert_eq!(Tried::parse(&all.to_text()), all);
        assert_eq!(all.not_before("b"), Some(Timestamp::from_millis(7)));
        for text in ["", "{}", r#"[{"provider":"a","failure":"new"}]"#] {
            assert_eq!(Tried::parse(text), Tried::default(), "{text}");
        }
        let first = r#"[{"provider":"a","failure":"transient"}]"#;
        assert_eq!(tried(&[Transient]).to_text(), first);
    }
}
