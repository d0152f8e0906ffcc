//! The words of a call.

use fluent_bundle::{FluentArgs, FluentValue};

use super::{CALL_LANGUAGE, Wording, one_line};
use crate::{delivery::OutgoingMessage, i18n::Catalogue};

/// What a call says: a sentence, the digits one by one, a sentence, the digits again, and a last sentence. It holds
/// the clear code.
pub struct Call {
    /// Language of the words, a BCP 47 tag with a region, by which a voice is chosen.
    pub language: String,
    /// Before the digits.
    pub first: String,
    /// The digits.
    pub digits: Vec<char>,
    /// Before they are said again.
    pub again: String,
    /// At the end.
    pub last: String,
}

impl Call {
    /// The words for a message in its language.
    pub fn of(catalogue: &Catalogue, message: &OutgoingMessage) -> Self {
        let wording = Wording::of(catalogue, message);
        let brand = one_line(&message.site.brand.name);
        let args = FluentArgs::from_iter([("brand", FluentValue::from(brand))]);
        let text = |id| wording.text(id, &args);
        Self {
            language: text(CALL_LANGUAGE),
            first: text("call-first"),
            digits: message.code.as_str().chars().collect(),
            again: text("call-again"),
            last: text("call-last"),
        }
    }

    /// The call as one text, for gateways that read a text out. The commas make pauses.
    pub fn text(&self) -> String {
        let Self { first, digits, again, last, .. } = self;
        let digits: Vec<_> = digits.iter().map(char::to_string).collect();
        let digits = digits.join(", ");
        format!("{first} {digits}. {again} {digits}. {last}")
    }
}
