//! Headers that decide whether a request is believed: each stands in it once at most (S12).
//!
//! A program in front of us may read the first of two equal headers where we read the last, so two are
//! refused, as RFC 9112, section 3.2, demands for `Host`.

use app::error::ApiError;
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, header},
};

use super::{health, problem::Problem};

/// The headers, beside `Host`.
const ONCE: [HeaderName; 2] = [header::ORIGIN, HeaderName::from_static("sec-fetch-site")];

/// Allows requests with one `Host`, which names what the request line names if that names a host, and with
/// at most one of each other header that decides. Checks of health may lack a `Host`, as those of some load
/// balancers do.
///
/// # Errors
///
/// A header is missing, stands there twice or contradicts another.
pub(super) fn demand(request: &Request) -> Result<(), Problem> {
    let headers = request.headers();
    let hosts = count(headers, &header::HOST);
    let has_host = hosts == 1 || hosts == 0 && health::answers_at(request.uri().path());
    let agrees = request.uri().authority().is_none_or(|authority| {
        let host = headers.get(header::HOST).map(HeaderValue::as_bytes);
        host.is_some_and(|host| host.eq_ignore_ascii_case(authority.as_str().as_bytes()))
    });
    let is_once = ONCE.iter().all(|name| count(headers, name) <= 1);
    if has_host && agrees && is_once { Ok(()) } else { Err(ApiError::BadRequest.into()) }
}

fn count(headers: &HeaderMap, name: &HeaderName) -> usize {
    headers.get_all(name).iter().count()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn is_well_formed(target: &str, headers: &[(&str, &str)]) -> bool {
        let request = Request::post(target);
        let add = |request: axum::http::request::Builder, (name, value): &(&str, &str)| {
            request.header(*name, *value)
        };
        let request = headers.iter().fold(request, add).body(Body::empty()).unwrap();
        demand(&request).is_ok()
    }

    #[test]
    fn s12_headers_that_decide_stand_in_a_request_once() {
        let host = ("host", "otp.example.com");
        let (ours, evil) = ("https://otp.example.com", "https://evil.example");

        assert!(is_well_formed("/", &[host]));
        assert!(is_well_formed("/", &[host, ("origin", ours), ("sec-fetch-site", "none")]));
        assert!(!is_well_formed("/", &[host, host]));
        assert!(!is_well_formed("/", &[host, ("host", "evil.example")]));
        assert!(!is_well_formed("/health/ready", &[host, host]));
        for (one, other) in [(ours, ours), (ours, evil), (evil, ours)] {
            assert!(!is_well_formed("/", &[host, ("origin", one), ("origin", other)]));
        }
        let twice = [host, ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")];
        assert!(!is_well_formed("/", &twice));
    }

    #[test]
    fn a_host_is_missing_in_checks_of_health_alone() {
        assert!(!is_well_formed("/", &[]));
        assert!(!is_well_formed("/v1/verifications", &[]));
        assert!(!is_well_formed("/healthy", &[]));
        assert!(is_well_formed("/health/live", &[]));
        assert!(is_well_formed("/health/ready", &[]));
    }

    #[test]
    fn s16_a_host_in_the_request_line_is_the_one_of_the_header() {
        let absolute = "http://otp.example.com/";
        assert!(is_well_formed(absolute, &[("host", "otp.example.com")]));
        assert!(is_well_formed(absolute, &[("host", "OTP.example.com")]));
        assert!(!is_well_formed(absolute, &[("host", "evil.example")]));
        assert!(!is_well_formed(absolute, &[("host", "otp.example.com:80")]));
        assert!(!is_well_formed("http://me@otp.example.com/", &[("host", "otp.example.com")]));
        assert!(!is_well_formed("http://otp.example.com/health/live", &[]));
    }
}
