//! The entries of `crates/llm/tests/entries` for libFuzzer. `cargo xtask fuzz` runs them; on a stable compiler the test
//! `anything` of that package runs what is kept here.

#[path = "../../../crates/llm/tests/entries/mod.rs"]
mod entries;

/// Runs the entry of this name.
pub fn run(name: &str, bytes: &[u8]) {
    let entry = entries::ENTRIES.iter().find(|entry| entry.name == name);
    (entry.expect("a target is called like its entry").run)(bytes);
}
