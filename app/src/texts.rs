//! The words of the page, as plain data.
//!
//! The catalogue lives on the server; a page gets the strings of its locale as a value and the
//! island gets them as props, so that no translation machinery is shipped to a phone.

use serde::{Deserialize, Serialize};

/// Declares [`Texts`] so that the names of its fields are also the ids of the catalogue.
macro_rules! texts {
    ($($(#[$doc:meta])* $field:ident),+ $(,)?) => {
        /// Every fixed string of the pages in one locale.
        ///
        /// The catalogue's id of a field is its name with hyphens: `resend_wait` is `resend-wait`.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub struct Texts {
            /// BCP 47 tag of the locale, for `<html lang>`.
            pub locale: String,
            $($(#[$doc])* pub $field: String,)+
        }

        impl Texts {
            /// Collects the strings by asking `text` for each id.
            pub fn collect(locale: &str, mut text: impl FnMut(&str) -> String) -> Self {
                Self {
                    locale: locale.to_owned(),
                    $($field: text(&stringify!($field).replace('_', "-")),)+
                }
            }
        }
    };
}

texts! {
    /// "OTP Verification"
    title,
    /// "SUBMIT"
    submit,
    /// "RESEND OTP"
    resend,
}
