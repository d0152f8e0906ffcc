//! Review of the text messages that a site words itself.

use std::sync::Arc;

use otp::{Code, Recipient, Timestamp};

use super::{SMS_WORDINGS, Wording, code_args, last_line, length};
use crate::{delivery::OutgoingMessage, i18n::Catalogue, site::Site};

/// One sentence for each own wording of a site's text messages that does not fit into one message, with the site's
/// brand and its shortest codes.
pub fn overlong(catalogue: &Catalogue, site: &Arc<Site>, origin_host: &str) -> Vec<String> {
    let now = Timestamp::default();
    let Ok(anybody) = Recipient::parse("+442079460000", None, None) else { return Vec::new() };
    let code = Code::zeros(site.policy.code_length());
    let expires_at = now + site.policy.lifetime();
    let mut message =
        OutgoingMessage::detached(site.clone(), anybody, code, origin_host, expires_at);
    message.app_hash.clone_from(&site.android_app_hash);
    let of_locale = |locale: &str| {
        let message = OutgoingMessage { locale: locale.to_owned(), ..message.clone() };
        let wording = Wording::of(catalogue, &message);
        let args = code_args(&wording, &message, now);
        let own = SMS_WORDINGS.iter().filter_map(|id| {
            let text = site.overlay.format(locale, id, Some(&args))?;
            let problem = length::problem(&format!("{text}\n{}", last_line(&message)))?;
            let instead = if *id == "sms-bare" {
                "it is sent in several parts"
            } else {
                "a shorter one is sent in its place"
            };
            Some(format!("{id} of site {} in {locale} {problem}, so {instead}", site.name))
        });
        own.collect::<Vec<_>>()
    };
    site.overlay.locales().flat_map(of_locale).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use app::wire::Brand;
    use otp::Policy;

    use super::*;
    use crate::{delivery::template::TEXTS, i18n::Overlay};

    #[test]
    fn own_texts_that_do_not_fit_into_one_message_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("en.ftl", "sms-text = { $code } is your code.\nsms-short = { $code } ’s\n");
        let long = "x".repeat(130);
        let de = format!("sms-text = {{ $code }} {long}\nsms-bare = ’{long} {{ $code }}\n");
        write("de.ftl", &de);
        let overlay = Overlay::read(folder.path(), &TEXTS, |_, _| true).unwrap();
        let brand = Brand { name: "Example".to_owned(), ..Brand::default() };
        let site =
            Site { overlay: Arc::new(overlay), ..Site::named("shop", Policy::default(), brand) };

        let told = overlong(&Catalogue::load().unwrap(), &Arc::new(site), "otp.example.com");

        assert_eq!(
            told,
            [
                "sms-text of site shop in de has 162 characters with brand and last line, where 140 fit into one \
                 message, so a shorter one is sent in its place",
                "sms-bare of site shop in de has 163 characters with brand and last line, where 70 fit into one \
                 message because of \u{2019}, so it is sent in several parts",
            ]
        );
    }
}
