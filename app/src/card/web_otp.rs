//! `WebOTP`: the browser of a phone offers the code of a text message that names this host.
//!
//! See <https://wicg.github.io/web-otp/>. Rejections are ignored: the browser may not support it, and
//! the person may decline.

use js_sys::{Array, Object, Reflect};
use leptos::{prelude::window, task::spawn_local};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortController;

/// At most one pending request to the browser.
#[derive(Default)]
pub(super) struct WebOtp {
    pending: Option<AbortController>,
}

impl WebOtp {
    /// Requests the code of the next message, and aborts an earlier request.
    pub(super) fn listen(&mut self, arrived: impl Fn(String) + 'static) {
        self.abort();
        let Some((request, controller)) = request() else { return };
        self.pending = Some(controller);
        spawn_local(async move {
            let credential = JsFuture::from(request).await.unwrap_or_default();
            let code = get(&credential, "code").and_then(|code| code.as_string());
            if let Some(code) = code {
                arrived(code);
            }
        });
    }

    /// Aborts the request.
    pub(super) fn abort(&mut self) {
        if let Some(controller) = self.pending.take() {
            controller.abort();
        }
    }
}

/// `navigator.credentials.get({ otp: { transport: ["sms"] }, signal })`
fn request() -> Option<(js_sys::Promise, AbortController)> {
    get(&window(), "OTPCredential").filter(JsValue::is_function)?;
    let controller = AbortController::new().ok()?;
    let otp = Object::new();
    set(&otp, "transport", &Array::of1(&"sms".into()));
    let options = Object::new();
    set(&options, "otp", &otp);
    set(&options, "signal", &controller.signal());
    let credentials = get(&window().navigator(), "credentials")?;
    let method = get(&credentials, "get")?.dyn_into::<js_sys::Function>().ok()?;
    let request = method.call1(&credentials, &options).ok()?.dyn_into().ok()?;
    Some((request, controller))
}

fn get(object: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(object, &name.into()).ok()
}

fn set(object: &Object, name: &str, value: &JsValue) {
    // Setting a property of a plain object does not fail.
    let _ = Reflect::set(object, &name.into(), value);
}
