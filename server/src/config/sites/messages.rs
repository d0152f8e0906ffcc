//! The texts of a site's messages.

use std::{path::Path, sync::Arc};

use otp::Channel;

use crate::{
    config::settings::Settings,
    delivery::template::TEXTS,
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
    let is_unused = |id: &str| {
        (id.starts_with("email-") && !channels.contains(&Channel::Email))
            || (id.starts_with("sms-") && !channels.contains(&Channel::Sms))
    };
    let may_lack = |locale: &str, id: &str| locale == DEFAULT_LOCALE || is_unused(id);
    let overlay = Overlay::read(&folder, &TEXTS, may_lack).unwrap_or_else(|problems| {
        for problem in problems {
            settings.refuse("messages", problem);
        }
        Overlay::default()
    });
    Arc::new(overlay)
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
