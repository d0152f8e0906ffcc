//! Calls by Twilio's Calls API, which say the code.
//!
//! The request holds the whole script of the call in `TwiML`, so Twilio has nothing to fetch.

use super::Form;
use crate::{
    delivery::{
        OutgoingMessage, Senders,
        template::{Call, escape},
    },
    i18n::Catalogue,
};

/// Longest ringing, in seconds. Voicemail usually answers later.
const LONGEST_RINGING: u64 = 25;
/// Shortest ringing that leaves time to answer.
const SHORTEST_RINGING: u64 = 5;
/// Seconds that Twilio may add to the ringing.
const ADDED: u64 = 5;
/// Longest call, in seconds from its answer. Ten digits said twice take about 50.
const LONGEST_CALL: u64 = 120;

/// The numbers of an account that call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoiceSettings {
    /// A number in E.164.
    pub sender: String,
    /// Numbers for calls to some countries.
    pub senders: Senders<String>,
}

impl VoiceSettings {
    /// The fields of a call, with `left` seconds left of the code's life; `None` if that is too short for the person to
    /// answer and listen.
    pub(super) fn form(
        &self,
        catalogue: &Catalogue,
        message: &OutgoingMessage,
        left: u64,
    ) -> Option<Form> {
        let call = Call::of(catalogue, message);
        let (ringing, limit) = times(left, call.digits.len() as u64)?;
        let sender = self.senders.of(&message.to).unwrap_or(&self.sender);
        Some(vec![
            ("To", message.to.address().to_owned()),
            ("From", sender.to_owned()),
            ("Twiml", twiml(&call)),
            ("Timeout", ringing.to_string()),
            ("TimeLimit", limit.to_string()),
        ])
    }
}

/// Longest ringing and longest call, in seconds, so that the digits can be said once and nothing is said after the
/// code's expiry.
fn times(left: u64, digits: u64) -> Option<(u64, u64)> {
    let said_once = 5 + 2 * digits;
    let ringing = left.checked_sub(said_once + ADDED)?.min(LONGEST_RINGING);
    let limit = (left - ringing - ADDED).min(LONGEST_CALL);
    (ringing >= SHORTEST_RINGING).then_some((ringing, limit))
}

/// The script of a call. Each digit is a sentence of its own; a second of silence goes before each sentence.
fn twiml(call: &Call) -> String {
    let Call { language, first, digits, again, last } = call;
    let language = escape(language);
    let digits: Vec<_> = digits.iter().map(char::to_string).collect();
    let parts = [std::slice::from_ref(first), &digits, std::slice::from_ref(again), &digits];
    let sentences = parts.into_iter().flatten().chain([last]).map(|words| {
        let words = escape(words);
        format!(r#"<Pause length="1"/><Say language="{language}">{words}</Say>"#)
    });
    let sentences: String = sentences.collect();
    format!(r#"<?xml version="1.0" encoding="UTF-8"?><Response>{sentences}</Response>"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s25_a_call_ends_before_its_code_and_leaves_time_to_hear_it() {
        for (left, digits, expected) in [
            (300, 6, Some((25, 120))),
            (60, 6, Some((25, 30))),
            (40, 6, Some((18, 17))),
            (27, 6, Some((5, 17))),
            (26, 6, None),
            (40, 10, Some((10, 25))),
            (34, 10, None),
            (0, 4, None),
        ] {
            assert_eq!(times(left, digits), expected, "{left} {digits}");
        }
        for left in 0..400 {
            let Some((ringing, limit)) = times(left, 8) else { continue };
            assert!(ringing + ADDED + limit <= left && limit >= 21, "{left}");
        }
    }

    #[test]
    fn words_cannot_change_the_script() {
        let call = Call {
            language: "en-GB".to_owned(),
            first: "A & <B>".to_owned(),
            digits: vec!['4'],
            again: "</Say>".to_owned(),
            last: "\"".to_owned(),
        };
        let script = twiml(&call);
        assert!(script.contains(">A &amp; &lt;B&gt;</Say>"), "{script}");
        assert_eq!(script.matches("</Say>").count(), 5, "{script}");
    }
}
