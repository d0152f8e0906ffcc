//! `/.well-known/security.txt`: where to report vulnerabilities (RFC 9116).

use std::{fmt::Write, sync::Arc};

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use jiff::Timestamp;

use super::{Context, problem::Problem};

/// Milliseconds after an answer at which its data is stale: half a year, where RFC 9116 recommends
/// less than a year.
const LIFETIME: u64 = 180 * 24 * 60 * 60 * 1000;

/// `GET /.well-known/security.txt`; 404 where the configuration names no contact.
pub(super) async fn get(State(context): State<Arc<Context>>) -> Result<impl IntoResponse, Problem> {
    let web = &context.web;
    if web.security_contacts.is_empty() {
        return Err(Problem::bare(StatusCode::NOT_FOUND));
    }
    // Whole seconds, as in the examples of RFC 9116.
    let expires = i64::try_from(((web.now)() + LIFETIME) / 1000).unwrap_or(i64::MAX);
    let expires = Timestamp::from_second(expires).unwrap_or(Timestamp::MAX);
    let mut text = String::new();
    for contact in &web.security_contacts {
        // Writing into a string cannot fail.
        let _ = writeln!(text, "Contact: {contact}");
    }
    let origin = web.origin.as_str();
    let _ = writeln!(text, "Expires: {expires}");
    let _ = writeln!(text, "Canonical: {origin}/.well-known/security.txt");
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=86400"),
    ];
    Ok((headers, text))
}
