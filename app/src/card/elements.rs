//! Elements of the page by their ids, and the browser's clock.

use leptos::leptos_dom::helpers::document;
use wasm_bindgen::JsCast;

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "milliseconds since 1970 are positive and far below 2^53"
)]
pub(super) fn browser_now() -> u64 {
    js_sys::Date::now() as u64
}

pub(super) fn field() -> Option<web_sys::HtmlInputElement> {
    input("code")
}

pub(super) fn input(id: &str) -> Option<web_sys::HtmlInputElement> {
    document().get_element_by_id(id).map(JsCast::unchecked_into)
}

pub(super) fn focus(id: &str) {
    if let Some(element) = document().get_element_by_id(id) {
        let _ = element.unchecked_ref::<web_sys::HtmlElement>().focus();
    }
}

/// Adds a hidden field to a form, as a button with a value does when it is pressed.
pub(super) fn add_field(form: &str, name: &str, value: &str) {
    let document = document();
    let Some(form) = document.get_element_by_id(form) else { return };
    let Ok(field) = document.create_element("input") else { return };
    for (attribute, value) in [("type", "hidden"), ("name", name), ("value", value)] {
        let _ = field.set_attribute(attribute, value);
    }
    let _ = form.append_child(&field);
}

/// Submits a form as the browser does without script.
pub(super) fn submit(id: &str) {
    if let Some(form) = document().get_element_by_id(id) {
        let _ = form.unchecked_ref::<web_sys::HtmlFormElement>().submit();
    }
}
