//! Tells the linker how to lay out the released program. A page of memory is used for as long as one function in it
//! runs, and those that run are few and far between: `layout.ld` puts them side by side. Addresses that are filled in
//! at the start are written shortly, for the same reason.

#![expect(clippy::disallowed_methods, reason = "cargo tells a build script by its environment")]

use std::env;
use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=layout.ld");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    let is_linux = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    if !is_linux || !is("PROFILE", "release") {
        return;
    }
    let here = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let layout = Path::new(&here).join("layout.ld");
    // While it is written anew: valgrind would not know the functions of a program that is laid out.
    if !layout.exists() {
        return;
    }
    println!("cargo::rustc-link-arg-bins=-Wl,-T,{}", layout.display());
    println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
}
