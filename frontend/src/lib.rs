//! Entry point of the WebAssembly.
//!
//! All interactive code is in `app`, where it is also rendered and tested natively.

// Without this line the linker drops `app` with its exported islands.
extern crate app;

/// Prepares hydration; the loader then calls the exported function of each island.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
