//! `check`: what a change must pass beside the tests. All of it runs even when the first part fails, so that one run
//! tells everything.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::dashboard;
use crate::install;
use crate::process::{self, BUILD_LIMIT, Processes};
use crate::progress;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace, processes: &Processes) -> Result<ExitCode> {
    let mut failed = Vec::new();
    for (name, command) in commands(workspace, processes) {
        let Some(mut command) = command else {
            progress::line(&format!("==> {name}: skipped, its tool is not installed"));
            continue;
        };
        let outcome = progress::step(name, || processes.run(&mut command, BUILD_LIMIT));
        processes.check_interrupted()?;
        if let Err(problem) = outcome {
            progress::error(&format!("{name}: {problem:#}"));
            failed.push(name);
        }
    }
    if failed.is_empty() {
        progress::line("all checks passed");
        return Ok(ExitCode::SUCCESS);
    }
    progress::error(&format!("failed: {}", failed.join(", ")));
    Ok(ExitCode::FAILURE)
}

fn commands(workspace: &Workspace, processes: &Processes) -> [(&'static str, Option<Command>); 5] {
    const NATIVE: [&str; 3] = ["--workspace", "--exclude", "gatewright-dashboard"];

    let formatting = process::cargo(workspace, &["fmt", "--all", "--check"]);

    let mut native = process::cargo(workspace, &["clippy", "--all-targets"]);
    native.args(NATIVE).args(["--", "-D", "warnings"]);

    let wasm = dashboard::cargo_for_lints(workspace, processes).map(|mut command| {
        command.args(["--package", "gatewright-dashboard", "--", "-D", "warnings"]);
        command
    });

    let mut documentation = process::cargo(workspace, &["doc", "--no-deps", "--document-private-items"]);
    documentation.args(NATIVE).env("RUSTDOCFLAGS", "-D warnings");

    let has_deny = install::answers(workspace, processes, "cargo-deny", "--version");
    let dependencies = has_deny.then(|| process::cargo(workspace, &["deny", "check"]));

    [
        ("formatting", Some(formatting)),
        ("lints", Some(native)),
        ("lints of the dashboard", wasm),
        ("documentation", Some(documentation)),
        ("dependency rules (cargo-deny)", dependencies),
    ]
}
