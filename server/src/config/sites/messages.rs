//! The texts of a site's messages.

use std::{path::Path, sync::Arc};

use otp::Channel;
use unic_langid::LanguageIdentifier;

use crate::{
    config::settings::Settings,
    delivery::template::{CALL_LANGUAGE, TEXTS},
    i18n::{DEFAULT_LOCALE, Overlay},
};

/// The texts of the folder `messages`, for the channels of the site.
pub(super) fn read(
    settings: &mut Settings,
    directory: &Path,
    channels: &[Channel],
) -> Arc<Overlay> {
    let Some(folder) =
        settings.parse_optional("messages", |folder| Ok::<_, &str>(directory.join(folder)))
    else {
        return Arc::default();
    };
    let of_channels = [
        ("email-", Channel::Email),
        ("sms-", Channel::Sms),
        ("whatsapp-", Channel::Whatsapp),
        ("call-", Channel::Voice),
    ];
    let is_unused = |id: &str| {
        let of = of_channels.iter().find(|(prefix, _)| id.starts_with(prefix));
        of.is_some_and(|(_, channel)| !channels.contains(channel))
    };
    let may_lack = |locale: &str, id: &str| locale == DEFAULT_LOCALE || is_unused(id);
    let overlay = Overlay::read(&folder, &TEXTS, may_lack).unwrap_or_else(|problems| {
        for problem in problems {
            settings.refuse("messages", problem);
        }
        Overlay::default()
    });
    for locale in overlay.locales() {
        let language = overlay.format(locale, CALL_LANGUAGE, None);
        if !language.is_none_or(|language| has_region(&language)) {
            let problem = "must be a language with its region, such as de-AT";
            settings.refuse("messages", format!("{CALL_LANGUAGE} of {locale}.ftl {problem}"));
        }
    }
    Arc::new(overlay)
}

/// Whether a text is a BCP 47 tag with a region, by which a voice can be chosen.
fn has_region(text: &str) -> bool {
    text.parse::<LanguageIdentifier>().is_ok_and(|language| language.region.is_some())
}

/// A hash by which the SMS Retriever API of Android finds messages: 11 characters of base64.
pub(super) fn parse_app_hash(text: &str) -> Result<String, &'static str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/');
    if text.len() == 11 && text.chars().all(fits) {
        Ok(text.to_owned())
    } else {
        Err(
            "must be 11 characters of A-Z, a-z, 0-9, \"+\" and \"/\", as Android computes it for an app",
        )
    }
}
