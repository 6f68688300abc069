//! Tells cargo to compile this crate again when a file comes or goes in the embedded dashboard directory, which the
//! macro that embeds it cannot. It builds nothing: `cargo xtask dashboard` fills the directory.

fn main() {
    println!("cargo::rerun-if-changed=dashboard-dist");
}
