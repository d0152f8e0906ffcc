//! The HTML of an e-mail.
//!
//! Mail programs drop style sheets or parts of them, so everything that matters stands in `style` attributes; the style
//! sheet adds the dark scheme for those that read it. The document loads nothing: the logo is attached.

use app::wire::Brand;
use base64::{Engine, engine::general_purpose::STANDARD};

/// `Content-ID` of the logo.
pub(in crate::delivery) const LOGO_ID: &str = "logo";
/// Accent of a site that has none, on light ground and on dark; those of the pages.
const ACCENT: (&str, &str) = ("#3346c8", "#a9b5ff");

/// A logo as a picture that mail programs show: they do not show SVG, and some not WebP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo {
    /// Media type.
    pub media_type: &'static str,
    /// The file.
    pub content: Vec<u8>,
}

impl Logo {
    /// The logo of a brand, which is a `data:` URI there.
    pub(super) fn of(brand: &Brand) -> Option<Self> {
        let uri = brand.logo.as_deref()?;
        ["image/png", "image/jpeg"].into_iter().find_map(|media_type| {
            let encoded =
                uri.strip_prefix("data:")?.strip_prefix(media_type)?.strip_prefix(";base64,")?;
            Some(Self { media_type, content: STANDARD.decode(encoded).ok()? })
        })
    }
}

/// The parts of the document, as plain text.
pub(super) struct Document<'a> {
    pub(super) locale: &'a str,
    pub(super) brand: &'a str,
    /// Accent on light ground and on dark.
    pub(super) accent: Option<&'a (String, String)>,
    pub(super) has_logo: bool,
    pub(super) intro: &'a str,
    pub(super) code: &'a str,
    pub(super) usage: &'a str,
    pub(super) ignore: &'a str,
    pub(super) not_me: Option<NotMe<'a>>,
}

/// The link by which the recipient says that they did not ask for the code.
pub(super) struct NotMe<'a> {
    pub(super) url: &'a str,
    pub(super) before: String,
    pub(super) name: String,
}

impl Document<'_> {
    pub(super) fn html(&self) -> String {
        let (light, dark) =
            self.accent.map_or(ACCENT, |(light, dark)| (light.as_str(), dark.as_str()));
        let [brand, intro, usage, ignore] =
            [self.brand, self.intro, self.usage, self.ignore].map(escape);
        let (locale, light, dark) = (escape(self.locale), escape(light), escape(dark));
        let code = self.code;
        let font = "system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif";
        // Beside the name, which is read out, the picture adds nothing.
        let logo = if self.has_logo {
            format!(
                "<img src=\"cid:{LOGO_ID}\" alt=\"\" height=\"32\" \
                 style=\"height:32px;vertical-align:middle;margin:0 12px 0 0\">"
            )
        } else {
            String::new()
        };
        let last = self.not_me.as_ref().map(|NotMe { url, before, name }| {
            let (url, before, name) = (escape(url), escape(before), escape(name));
            format!(
                "<p dir=\"auto\" class=\"muted\" style=\"margin:16px 0 0;font:14px/1.5 {font};color:#565e6b\">\n\
                 {before} <a class=\"accent\" href=\"{url}\" style=\"color:{light}\">{name}</a>\n\
                 </p>\n"
            )
        });
        let last = last.unwrap_or_default();
        format!(
            "<!DOCTYPE html>\n\
             <html lang=\"{locale}\">\n\
             <head><meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <style>\n\
             :root{{color-scheme:light dark}}\n\
             @media (prefers-color-scheme:dark){{\n\
             .ground{{background:#111316!important}}\n\
             .card{{background:#1b1e23!important;border-color:#2c313a!important}}\n\
             .code{{background:#111316!important;color:#f1f3f5!important}}\n\
             .text{{color:#f1f3f5!important}}\n\
             .muted{{color:#a8b0bd!important}}\n\
             .accent{{color:{dark}!important}}\n\
             .bar{{border-top-color:{dark}!important}}\n\
             }}\n\
             </style></head>\n\
             <body class=\"ground\" style=\"margin:0;padding:24px 12px;background:#e9ebee\">\n\
             <div class=\"card bar\" style=\"max-width:440px;margin:0 auto;padding:28px;background:#fff;\
             border:1px solid #e2e5ea;border-top:4px solid {light};border-radius:12px\">\n\
             <p dir=\"auto\" class=\"text\" style=\"margin:0 0 24px;font:600 18px/1.5 {font};color:#171a1f\">\
             {logo}{brand}</p>\n\
             <p dir=\"auto\" class=\"text\" style=\"margin:0 0 12px;font:16px/1.5 {font};color:#171a1f\">{intro}</p>\n\
             <p dir=\"ltr\" class=\"code\" style=\"margin:0 0 20px;padding:16px;border-radius:12px;background:#f1f3f5;\
             color:#171a1f;text-align:center;\
             font:bold 32px/1.25 ui-monospace,Menlo,Consolas,monospace;letter-spacing:4px\">\n\
             {code}\n\
             </p>\n\
             <p dir=\"auto\" class=\"text\" style=\"margin:0 0 16px;font:16px/1.5 {font};color:#171a1f\">{usage}</p>\n\
             <p dir=\"auto\" class=\"muted\" style=\"margin:0;font:14px/1.5 {font};color:#565e6b\">{ignore}</p>\n\
             {last}\
             </div>\n\
             </body>\n\
             </html>\n"
        )
    }
}

/// The text for the content or an attribute of HTML or XML.
pub(in crate::delivery) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            _ => escaped.push(c),
        }
    }
    escaped
}
