//! The dashboard, from Rust sources to the files that `control` embeds: compile to WASM, write bindings, give every
//! file a name that changes with its contents, compress. Skipped when nothing that it is made of changed.

mod assets;
mod bindings;
mod fingerprint;
mod toolchain;
mod tree;

use std::fs;

use anyhow::{Context, Result};

use self::assets::Page;
use self::toolchain::Toolchain;
use crate::process::{BUILD_LIMIT, Processes};
use crate::progress;
use crate::workspace::Workspace;

/// What stands in the embedded directory without being built.
const CHECKED_IN: [&str; 1] = ["placeholder.html"];

pub(crate) fn build(workspace: &Workspace, processes: &Processes) -> Result<()> {
    let toolchain = toolchain::find_or_install(workspace, processes)?;
    let fingerprint = fingerprint::of(workspace, &format!("{toolchain:?}"))?;
    let recorded = workspace.target("dashboard/fingerprint");
    let dist = workspace.target("dashboard/dist");
    if dist.join("index.html").exists() && fs::read_to_string(&recorded).is_ok_and(|text| text == fingerprint) {
        progress::line("==> dashboard: nothing changed");
        return tree::mirror(&tree::read(&dist)?, &workspace.embedded_dashboard(), &CHECKED_IN);
    }

    let wasm = progress::step("compiling the dashboard", || compile(workspace, processes, &toolchain))?;
    let bound = progress::step("writing its bindings", || {
        bindings::generate(&wasm, &workspace.target("dashboard/bindings"))
    })?;
    progress::step("packing the dashboard", || {
        let page = Page::read(&workspace.path("frontend"))?;
        let files = assets::compressed(assets::assemble(bound, &page)?)?;
        progress::line(&format!(
            "    first load: {} kB compressed",
            assets::first_load_bytes(&files) / 1000
        ));
        tree::mirror(&files, &dist, &[])?;
        tree::mirror(&files, &workspace.embedded_dashboard(), &CHECKED_IN)
    })?;
    fs::write(&recorded, fingerprint).with_context(|| format!("cannot write {}", recorded.display()))
}

fn compile(workspace: &Workspace, processes: &Processes, toolchain: &Toolchain) -> Result<Vec<u8>> {
    let target = workspace.target(toolchain.target_directory());
    let mut command = toolchain.cargo(workspace, "build");
    command.args([
        "--profile",
        "dashboard",
        "--package",
        "gatewright-dashboard",
        "--bin",
        "gatewright-dashboard",
    ]);
    command.arg("--target-dir").arg(&target);
    processes.run(&mut command, BUILD_LIMIT)?;
    let wasm = target.join("wasm32-unknown-unknown/dashboard/gatewright-dashboard.wasm");
    fs::read(&wasm).with_context(|| format!("the build left no {}", wasm.display()))
}

/// A cargo command for the dashboard's sources, for tasks other than the build. None where the machine has no
/// WASM target of rustup's, whose tools (clippy) Debian's way lacks.
pub(crate) fn cargo_for_lints(workspace: &Workspace, processes: &Processes) -> Option<std::process::Command> {
    match toolchain::find_or_install(workspace, processes) {
        Ok(toolchain @ Toolchain::Rustup) => {
            let mut command = toolchain.cargo(workspace, "clippy");
            command
                .arg("--target-dir")
                .arg(workspace.target(toolchain.target_directory()));
            Some(command)
        }
        Ok(Toolchain::Debian { .. }) | Err(_) => None,
    }
}
