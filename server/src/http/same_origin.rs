//! Protection from cross-site requests (S12).
//!
//! Browsers send the source of a request in `Sec-Fetch-Site`, older ones in `Origin`; a page can set
//! neither. A request with neither is refused as well: it comes from no browser, and other programs
//! have an API of their own.

use app::error::ApiError;
use axum::{
    extract::Request,
    http::{HeaderMap, header},
};

use super::problem::Problem;
use crate::origin::Origin;

/// Allows safe methods, and other methods from our own pages.
///
/// # Errors
///
/// The request changes state and does not come from our own origin.
pub(super) fn demand(request: &Request, origin: &Origin) -> Result<(), Problem> {
    if request.method().is_safe() || is_ours(request.headers(), origin) {
        Ok(())
    } else {
        Err(ApiError::CrossSite.into())
    }
}

fn is_ours(headers: &HeaderMap, origin: &Origin) -> bool {
    match (headers.get("sec-fetch-site"), headers.get(header::ORIGIN)) {
        // `none`: the person did it, for example by reloading; no page can cause it.
        (Some(site), _) => site == "same-origin" || site == "none",
        (None, Some(from)) => from == origin.as_str(),
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s12_only_our_own_pages_change_state() {
        let origin = Origin::parse("https://otp.example.com").unwrap();
        let ours = |headers: &[(&'static str, &str)]| {
            let headers =
                headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
            is_ours(&headers.collect(), &origin)
        };

        assert!(ours(&[("sec-fetch-site", "same-origin")]));
        assert!(ours(&[("sec-fetch-site", "none")]));
        assert!(ours(&[("origin", "https://otp.example.com")]));

        assert!(!ours(&[]));
        for site in ["cross-site", "same-site", "", "Same-Origin "] {
            // A sibling host is as foreign as any other, whatever it says beside.
            let said = [("sec-fetch-site", site), ("origin", "https://otp.example.com")];
            assert!(!ours(&said), "{site}");
        }
        for from in [
            "null",
            "http://otp.example.com",
            "https://otp.example.com:444",
            "https://otp.example.com.evil.example",
            "https://www.otp.example.com",
        ] {
            assert!(!ours(&[("origin", from)]), "{from}");
        }
        // The Host header has no say (S16).
        assert!(!ours(&[("origin", "https://evil.example"), ("host", "evil.example")]));
    }
}
