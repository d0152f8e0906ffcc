//! Answers of a gateway, judged by status and by a field.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::super::Undelivered;

/// The meaning of a gateway's answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Statuses of accepted messages.
    pub accepted: Vec<RangeInclusive<u16>>,
    /// Statuses of messages that were not sent and may be later.
    pub transient: Vec<RangeInclusive<u16>>,
    /// Statuses that refuse the account.
    pub account: Vec<RangeInclusive<u16>>,
    /// JSON pointer of a field. If the field is present its value decides; otherwise the status.
    pub field: Option<String>,
    /// Its values for accepted messages. If there are any, values that are in no list refuse the message.
    pub accepted_values: Vec<String>,
    /// Its values for messages that were not sent and may be later.
    pub transient_values: Vec<String>,
    /// Its values that refuse the account.
    pub account_values: Vec<String>,
    /// JSON pointer of the gateway's id of the message.
    pub message_id: Option<String>,
}

impl Answers {
    /// Judges an answer; gives the gateway's id of a message that it accepted. `body` is `None` if it is not JSON.
    ///
    /// # Errors
    /// If the message was not accepted, or possibly not.
    pub fn judge(&self, status: u16, body: Option<&Value>) -> Result<Option<String>, Undelivered> {
        let at = |pointer: &Option<String>| text(body?.pointer(pointer.as_deref()?)?);
        let reason = format!("HTTP {status}");
        if let Some(value) = at(&self.field) {
            // Values are told if the configuration lists them; others may repeat the recipient.
            let told = |kind: &str| format!("{reason}, {kind} {value}");
            if self.accepted_values.contains(&value) {
                return Ok(at(&self.message_id));
            } else if self.transient_values.contains(&value) {
                return Err(Undelivered::transient(told("answer")));
            } else if self.account_values.contains(&value) {
                return Err(Undelivered::account(told("answer")));
            } else if !self.accepted_values.is_empty() {
                return Err(Undelivered::permanent(format!("{reason}, an answer in no list")));
            }
        }
        let is_in = |statuses: &[RangeInclusive<u16>]| statuses.iter().any(|s| s.contains(&status));
        if is_in(&self.accepted) && self.accepted_values.is_empty() {
            Ok(at(&self.message_id))
        } else if is_in(&self.accepted) {
            // The field that decides is missing.
            Err(Undelivered::ambiguous(format!("{reason}, without the field that decides")))
        } else if is_in(&self.transient) {
            Err(Undelivered::transient(reason))
        } else if is_in(&self.account) {
            Err(Undelivered::account(reason))
        } else if status >= 500 {
            // The gateway failed with the message in hand, or a proxy in between did: it may have been sent.
            Err(Undelivered::ambiguous(reason))
        } else if (300..=399).contains(&status) {
            // The URL is wrong, whatever the message.
            Err(Undelivered::account(format!("{reason}, a redirect")))
        } else {
            Err(Undelivered::permanent(reason))
        }
    }

    /// Whether a status is one of accepted messages.
    pub(super) fn is_accepted(&self, status: u16) -> bool {
        self.accepted.iter().any(|statuses| statuses.contains(&status))
    }

    /// Whether a status refuses the account.
    pub(super) fn is_account(&self, status: u16) -> bool {
        self.account.iter().any(|statuses| statuses.contains(&status))
    }
}

/// A text, a number or a truth value as text.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::delivery::Failure::{self, Account, Ambiguous, Permanent, Transient};

    fn answers() -> Answers {
        Answers {
            accepted: vec![200..=299],
            transient: vec![429..=429, 503..=503],
            account: vec![401..=403],
            field: Some("/code".into()),
            transient_values: vec!["7".into()],
            account_values: vec!["8".into()],
            message_id: Some("/ids/0".into()),
            ..Answers::default()
        }
    }

    fn kind(answers: &Answers, status: u16, body: &Value) -> Option<Failure> {
        answers.judge(status, Some(body)).err().map(|undelivered| undelivered.kind)
    }

    #[test]
    fn statuses_decide_where_the_field_does_not() {
        for (status, body, expected) in [
            (202, json!({}), None),
            (200, json!({"code": 1}), None),
            (200, json!({"code": 7}), Some(Transient)),
            (400, json!({"code": "8"}), Some(Account)),
            (400, json!({"code": "9"}), Some(Permanent)),
            (429, json!({}), Some(Transient)),
            (500, json!("no"), Some(Ambiguous)),
            (503, json!("no"), Some(Transient)),
            (403, json!({}), Some(Account)),
            (404, json!({}), Some(Permanent)),
            (302, json!({}), Some(Account)),
            (502, json!({}), Some(Ambiguous)),
        ] {
            assert_eq!(kind(&answers(), status, &body), expected, "{status} {body}");
        }
        assert_eq!(answers().judge(200, Some(&json!({"ids": ["m"]}))), Ok(Some("m".to_owned())));
        assert_eq!(answers().judge(200, None), Ok(None));
    }

    #[test]
    fn a_field_whose_accepted_values_are_listed_decides_alone() {
        let answers = Answers { accepted_values: vec!["0".into()], ..answers() };
        for (status, body, expected) in [
            (200, json!({"code": "0"}), None),
            (200, json!({"code": "1"}), Some(Permanent)),
            (200, json!({"code": 7}), Some(Transient)),
            (200, json!({"code": null}), Some(Ambiguous)),
            (200, json!({}), Some(Ambiguous)),
            (401, json!({}), Some(Account)),
        ] {
            assert_eq!(kind(&answers, status, &body), expected, "{status} {body}");
        }
    }

    #[test]
    fn a_truth_value_is_one_of_the_values() {
        let accepted_values = vec!["true".into()];
        let answers =
            Answers { accepted_values, account_values: vec!["false".into()], ..answers() };
        assert_eq!(kind(&answers, 200, &json!({"code": true})), None);
        assert_eq!(kind(&answers, 200, &json!({"code": false})), Some(Account));
    }

    #[test]
    fn s8_values_that_are_not_configured_are_not_told() {
        let answers = Answers { accepted_values: vec!["0".into()], ..answers() };
        let refused = answers.judge(200, Some(&json!({"code": "+447400123456"}))).unwrap_err();
        assert!(!refused.reason.contains("4474"), "{refused}");
    }
}
