//! Headers that tell browsers what our answers must not be used for (S13), on every one of them.

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::Response,
};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use rand::{TryRng, rngs::SysRng};

use crate::origin::Origin;

const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const COEP: HeaderName = HeaderName::from_static("cross-origin-embedder-policy");

/// The same for every answer that says nothing about its [`Exposure`].
const FIXED: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // Not `no-referrer`: with it browsers send `Origin: null` even from our own forms.
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (CORP, "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "otp-credentials=(self), camera=(), display-capture=(), geolocation=(), microphone=(), \
         payment=(), usb=()",
    ),
];

/// What is no page of ours needs nothing at all.
const BARE_POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; \
                           frame-ancestors 'none'";

/// Two years, as browsers' preload lists ask for (ASVS 5.0 3.4.1).
const HSTS: &str = "max-age=63072000; includeSubDomains";

/// The number that tells our own inline script and style from injected ones; new for each answer.
///
/// A page that is laid out with it carries it in the extensions of its response, from where the
/// policy takes it.
#[derive(Clone, Debug)]
pub(super) struct Nonce(String);

impl Nonce {
    /// Draws one: 128 bits.
    pub(super) fn draw() -> Result<Self, rand::rngs::SysError> {
        let mut bytes = [0; 16];
        SysRng.try_fill_bytes(&mut bytes)?;
        Ok(Self(STANDARD_NO_PAD.encode(bytes)))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    fn policy(&self, targets: &str, ancestors: &str) -> HeaderValue {
        let nonce = &self.0;
        let policy = format!(
            "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; \
             style-src 'nonce-{nonce}'; img-src 'self' data:; connect-src 'self'; \
             base-uri 'none'; form-action {targets}; frame-ancestors {ancestors}"
        );
        HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static(BARE_POLICY))
    }
}

/// What other sites may do with an answer. Without it, nothing: a handler has to say so, in the
/// extensions of its response.
#[derive(Clone, Debug)]
pub(super) enum Exposure {
    /// Any page may load it.
    LoadedByAnyone,
    /// It is a page that the pages of this one origin may show in a frame. The origin comes from the
    /// configuration, never from what a request says.
    FramedBy(String),
}

/// Whom a form of the page may be posted to beside ourselves. It comes from the configuration, never
/// from what a request says, and is there for one page of one answer.
#[derive(Clone, Debug)]
pub(super) struct FormTarget(pub(super) Origin);

/// Adds the headers to an answer; `hsts` where the public origin is https.
pub(super) fn add(response: &mut Response, hsts: bool) {
    let exposure = response.extensions_mut().remove::<Exposure>();
    let ancestors = match &exposure {
        Some(Exposure::FramedBy(origin)) => origin.as_str(),
        Some(Exposure::LoadedByAnyone) | None => "'none'",
    };
    let targets = match response.extensions_mut().remove::<FormTarget>() {
        Some(FormTarget(origin)) => format!("'self' {origin}"),
        None => "'self'".to_owned(),
    };
    let policy = response
        .extensions()
        .get::<Nonce>()
        .map_or(HeaderValue::from_static(BARE_POLICY), |nonce| nonce.policy(&targets, ancestors));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if exposure.is_some() {
        headers.insert(CORP, HeaderValue::from_static("cross-origin"));
    }
    if let Some(Exposure::FramedBy(_)) = exposure {
        // It knows only "nowhere" and "on our own pages"; browsers that know `frame-ancestors` would
        // pass it over, and there are no others that run the island.
        headers.remove(header::X_FRAME_OPTIONS);
        // Pages that are isolated from others frame only what is isolated as well.
        headers.insert(COEP, HeaderValue::from_static("require-corp"));
    }
    if hsts {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
    }
    // Assets bring their own; everything else depends on somebody's state.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}
