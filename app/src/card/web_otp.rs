//! `WebOTP`: a phone's browser offers the code of a text message that names this host.
//!
//! See <https://wicg.github.io/web-otp/>. Browsers without it, and people who decline, change
//! nothing: every rejection is silent.

use js_sys::{Array, Object, Reflect};
use leptos::{prelude::window, task::spawn_local};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortController;

/// One pending question to the browser, if any.
#[derive(Default)]
pub(super) struct WebOtp {
    pending: Option<AbortController>,
}

impl WebOtp {
    /// Asks for the code of the next message, in place of an earlier question.
    pub(super) fn listen(&mut self, arrived: impl Fn(String) + 'static) {
        self.abort();
        let Some((request, controller)) = ask() else { return };
        self.pending = Some(controller);
        spawn_local(async move {
            let credential = JsFuture::from(request).await.unwrap_or_default();
            let code = get(&credential, "code").and_then(|code| code.as_string());
            if let Some(code) = code {
                arrived(code);
            }
        });
    }

    /// Withdraws the question.
    pub(super) fn abort(&mut self) {
        if let Some(controller) = self.pending.take() {
            controller.abort();
        }
    }
}

/// `navigator.credentials.get({ otp: { transport: ["sms"] }, signal })`
fn ask() -> Option<(js_sys::Promise, AbortController)> {
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
    // Setting a property of a plain object of our own does not fail.
    let _ = Reflect::set(object, &name.into(), value);
}
