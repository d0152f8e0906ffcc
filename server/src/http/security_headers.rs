//! Security headers of every answer (S13).

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::Response,
};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use rand::{TryRng, rngs::SysRng};

use crate::origin::Origin;

const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const COEP: HeaderName = HeaderName::from_static("cross-origin-embedder-policy");

/// Headers of every answer, unless it is framed or loaded by other pages.
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

/// Policy of answers that are no pages.
const BARE_POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; \
                           frame-ancestors 'none'";

/// Two years, as browsers' preload lists ask for (ASVS 5.0 3.4.1).
const HSTS: &str = "max-age=63072000; includeSubDomains";

/// Nonce that tells our own inline script and style from injected ones; new for each answer.
///
/// A page carries it in the extensions of its response, from where the policy takes it.
#[derive(Clone, Debug)]
pub(super) struct Nonce(String);

impl Nonce {
    /// Draws one of 128 bits.
    ///
    /// # Errors
    ///
    /// The operating system's generator fails.
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

/// Marks an answer that any page may load.
#[derive(Clone, Copy, Debug)]
pub(super) struct LoadedByAnyone;

/// Origin that a form of this one answer may be posted to, beside our own. It comes from the
/// configuration, never from what a request says.
#[derive(Clone, Debug)]
pub(super) struct FormTarget(pub(super) Origin);

/// The headers of an answer that is no page, as lines for answers that do not come from the router.
pub(super) fn lines(hsts: bool) -> String {
    let mut bare = Response::default();
    add(&mut bare, None, hsts);
    let line = |(name, value): (&HeaderName, &HeaderValue)| {
        Some(format!("{name}: {}\r\n", value.to_str().ok()?))
    };
    bare.headers().iter().filter_map(line).collect()
}

/// Adds the headers to an answer; `hsts` where the public origin is https.
///
/// `ancestor` is the one origin whose pages may show the answer in a frame. It comes from the
/// configuration, never from what a request says.
pub(super) fn add(response: &mut Response, ancestor: Option<&str>, hsts: bool) {
    let for_anyone = response.extensions_mut().remove::<LoadedByAnyone>().is_some();
    let targets = match response.extensions_mut().remove::<FormTarget>() {
        Some(FormTarget(origin)) => format!("'self' {origin}"),
        None => "'self'".to_owned(),
    };
    let nonce = response.extensions().get::<Nonce>();
    let policy = nonce.map_or(HeaderValue::from_static(BARE_POLICY), |nonce| {
        nonce.policy(&targets, ancestor.unwrap_or("'none'"))
    });
    let headers = response.headers_mut();
    // Room for all of them at once, and for those that hyper adds.
    headers.reserve(FIXED.len() + 6);
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if for_anyone || ancestor.is_some() {
        headers.insert(CORP, HeaderValue::from_static("cross-origin"));
    }
    if ancestor.is_some() {
        // It knows only "nowhere" and "on our own pages"; browsers that know `frame-ancestors` ignore
        // it, and no others run the island.
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
