//! Which form of a compressed file a client takes (RFC 9110, section 12.5.3).

use axum::http::{HeaderMap, header};

/// The forms that files are kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Brotli,
    Gzip,
    Identity,
}

impl Encoding {
    /// The densest form that the client says it takes. Weights only ever rule a form out here:
    /// no client gains from the larger one of two that it understands.
    pub(super) fn preferred(headers: &HeaderMap) -> Self {
        let takes = |name: &str| {
            headers
                .get_all(header::ACCEPT_ENCODING)
                .iter()
                .filter_map(|value| value.to_str().ok())
                .flat_map(|value| value.split(','))
                .any(|choice| accepts(choice, name))
        };
        if takes("br") {
            Self::Brotli
        } else if takes("gzip") {
            Self::Gzip
        } else {
            Self::Identity
        }
    }
}

/// Does one element, such as `gzip;q=0.5`, accept `name`? A weight of zero means "anything but".
fn accepts(choice: &str, name: &str) -> bool {
    let mut parts = choice.split(';').map(str::trim);
    let named = parts.next().is_some_and(|coding| coding.eq_ignore_ascii_case(name));
    let refused = parts
        .filter_map(|parameter| parameter.split_once('='))
        .any(|(key, value)| key.trim() == "q" && value.trim().parse() == Ok(0.0_f32));
    named && !refused
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn preferred(accept: &'static str) -> Encoding {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(accept));
        Encoding::preferred(&headers)
    }

    #[test]
    fn the_densest_accepted_form_wins_whatever_the_order() {
        assert_eq!(preferred("gzip, deflate, br, zstd"), Encoding::Brotli);
        assert_eq!(preferred("GZIP;q=1.0, br ; q=0.1"), Encoding::Brotli);
        assert_eq!(preferred("deflate, gzip;q=0.5"), Encoding::Gzip);
    }

    #[test]
    fn a_weight_of_zero_refuses_a_form() {
        assert_eq!(preferred("br;q=0, gzip"), Encoding::Gzip);
        assert_eq!(preferred("br;q=0.000, gzip; q=0"), Encoding::Identity);
    }

    #[test]
    fn nothing_known_means_the_file_as_it_is() {
        assert_eq!(preferred("zstd, brotli"), Encoding::Identity);
        assert_eq!(Encoding::preferred(&HeaderMap::new()), Encoding::Identity);
    }
}
