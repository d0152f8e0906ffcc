//! Generates the JavaScript glue of the compiled island.

use std::{error::Error, path::Path};

use wasm_bindgen_cli_support::Bindgen;

/// Stem of both file names; the server looks them up in the manifest by it.
const OUT_NAME: &str = "island";

/// Reads the compiler's output at `wasm` and writes `island.js` and `island_bg.wasm` into `out`.
///
/// The glue is an ES module. It gets the URL of the WebAssembly as a parameter, because that URL holds
/// a hash.
pub(crate) fn generate(wasm: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(wasm)
        .out_name(OUT_NAME)
        .web(true)
        .map_err(Box::<dyn Error>::from)?
        .typescript(false)
        .omit_default_module_path(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(out)
        .map_err(Into::into)
}
