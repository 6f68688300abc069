//! The JavaScript between the browser and the compiled WASM, written by wasm-bindgen as a library, so that no tool has
//! to be installed and its version is always the one that the dashboard was compiled with.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use super::tree;

#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) wasm: Vec<u8>,
    /// The module that the loader imports.
    pub(crate) javascript: String,
    /// JavaScript that libraries bring along; the module imports it by these paths below `snippets`.
    pub(crate) snippets: BTreeMap<String, Vec<u8>>,
}

pub(crate) fn generate(wasm: &[u8], directory: &Path) -> Result<Bound> {
    if directory.exists() {
        fs::remove_dir_all(directory).with_context(|| format!("cannot empty {}", directory.display()))?;
    }
    let mut bindgen = Bindgen::new();
    bindgen.input_bytes("dashboard", wasm.to_vec());
    bindgen.web(true)?;
    bindgen.typescript(false);
    bindgen.remove_name_section(true);
    bindgen.remove_producers_section(true);
    // The loader names the WASM; without its hash the module could not.
    bindgen.omit_default_module_path(true);
    bindgen.generate(directory)?;

    let javascript = directory.join("dashboard.js");
    let wasm = directory.join("dashboard_bg.wasm");
    let brought = directory.join("snippets");
    let snippets = if brought.exists() {
        tree::read(&brought)?
    } else {
        BTreeMap::new()
    };
    Ok(Bound {
        wasm: fs::read(&wasm).with_context(|| format!("wasm-bindgen left no {}", wasm.display()))?,
        javascript: fs::read_to_string(&javascript)
            .with_context(|| format!("wasm-bindgen left no {}", javascript.display()))?,
        snippets,
    })
}
