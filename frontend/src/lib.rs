//! The entry that the browser calls once the WebAssembly has arrived.
//!
//! It holds nothing else, so that everything interactive lives in `app`, where it is also
//! rendered and tested natively.

// Without this line the linker drops `app`, and with it every exported island.
extern crate app;

/// Gets the page's islands ready to be hydrated; the loader then calls each island by its name.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
