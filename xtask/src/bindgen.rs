//! Makes the JavaScript glue for the compiled island.

use std::{error::Error, path::Path};

use wasm_bindgen_cli_support::Bindgen;

/// The stem of both files, whatever the crate is called: the manifest and the loader know it.
const OUT_NAME: &str = "island";

/// Reads the compiler's output at `wasm` and writes `island.js` and `island_bg.wasm` into `out`.
///
/// The glue is an ES module for browsers that is told the URL of the WebAssembly when it starts,
/// because that URL holds a hash that it cannot know.
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
