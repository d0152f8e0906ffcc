//! WhatsApp messages by Twilio's Messages API.
//!
//! WhatsApp lets businesses begin a conversation by templates only, which it has approved. So the text is that of the
//! account's template, and the request names the template and the code.

use std::collections::BTreeMap;

use serde_json::json;

use super::Form;
use crate::delivery::OutgoingMessage;

/// The WhatsApp sender of an account and its templates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhatsappSettings {
    /// A number in E.164.
    pub sender: String,
    /// SID of the content template (`HX...`) for languages that have none of their own.
    pub content: String,
    /// SIDs of further content templates by language, as BCP 47 tags in lower case.
    pub contents: BTreeMap<String, String>,
}

impl WhatsappSettings {
    /// The fields of a message. The code is the template's first variable.
    pub(super) fn form(&self, message: &OutgoingMessage) -> Form {
        let variables = json!({ "1": message.code.as_str() });
        vec![
            ("To", format!("whatsapp:{}", message.to.address())),
            ("From", format!("whatsapp:{}", self.sender)),
            ("ContentSid", self.content(&message.locale).to_owned()),
            ("ContentVariables", variables.to_string()),
        ]
    }

    /// The template for a locale, for its language, or the usual one.
    fn content(&self, locale: &str) -> &str {
        let locale = locale.to_ascii_lowercase();
        let language = locale.split('-').next().unwrap_or_default();
        let own = self.contents.get(&locale).or_else(|| self.contents.get(language));
        own.unwrap_or(&self.content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_without_a_template_of_its_own_has_the_usual_one() {
        let contents = [("de", "HXde"), ("pt-br", "HXbr")];
        let contents = contents.map(|(locale, sid)| (locale.to_owned(), sid.to_owned()));
        let settings = WhatsappSettings {
            sender: "+447700900002".to_owned(),
            content: "HXusual".to_owned(),
            contents: contents.into(),
        };
        for (locale, sid) in [
            ("de", "HXde"),
            ("de-AT", "HXde"),
            ("pt-BR", "HXbr"),
            ("pt", "HXusual"),
            ("en", "HXusual"),
            ("", "HXusual"),
        ] {
            assert_eq!(settings.content(locale), sid, "{locale}");
        }
    }
}
