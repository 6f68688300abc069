//! The browser journeys: a new installation of the server, and node driving Chromium through e2e/journeys. The journeys
//! themselves, and what they look at, are in e2e.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::install;
use crate::process::{self, Processes};
use crate::progress;
use crate::servers::gatewright::Gatewright;
use crate::test::Counts;
use crate::workspace::Workspace;

const NPM_LIMIT: Duration = Duration::from_secs(5 * 60);
const JOURNEYS_LIMIT: Duration = Duration::from_secs(20 * 60);

/// What e2e/run.mjs writes at its end.
#[derive(Debug, Deserialize)]
struct Summary {
    passed: u64,
    failed: u64,
}

pub(crate) fn run(workspace: &Workspace, processes: &Processes, server: &Path, filters: &[String]) -> Result<Counts> {
    let browser = install::browser().context("there is no Chromium")?;
    install_packages(workspace, processes)?;
    let results = workspace.target("journeys");
    fs::create_dir_all(&results).with_context(|| format!("cannot create {}", results.display()))?;
    let summary = results.join("summary.json");
    if summary.exists() {
        fs::remove_file(&summary).with_context(|| format!("cannot remove {}", summary.display()))?;
    }

    let server = Gatewright::start(workspace, processes, server, &results.join("server.log"))?;
    let mut node = process::command(workspace, "node");
    node.current_dir(workspace.path("e2e")).arg("run.mjs");
    node.args(["--url", server.url(), "--setup-link", server.setup_link()]);
    node.arg("--browser")
        .arg(browser)
        .arg("--summary")
        .arg(&summary)
        .args(filters);
    let status = processes.status(&mut node, JOURNEYS_LIMIT)?;

    let text = fs::read_to_string(&summary).with_context(|| format!("the journeys left no summary ({status})"))?;
    let Summary { passed, failed } = serde_json::from_str(&text).context("cannot read the summary of the journeys")?;
    Ok(Counts { passed, failed })
}

/// Skipped when the installed packages are the ones of the lock file.
fn install_packages(workspace: &Workspace, processes: &Processes) -> Result<()> {
    let lock = workspace.path("e2e/package-lock.json");
    let installed = workspace.path("e2e/node_modules/gatewright-lock.json");
    let wanted = fs::read(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
    if fs::read(&installed).is_ok_and(|present| present == wanted) {
        return Ok(());
    }
    progress::step("installing the npm packages of the journeys", || {
        let mut npm = process::command(workspace, "npm");
        npm.args(["ci", "--no-audit", "--no-fund", "--prefix"])
            .arg(workspace.path("e2e"));
        processes.run_quietly(&mut npm, NPM_LIMIT)?;
        fs::write(&installed, &wanted).with_context(|| format!("cannot write {}", installed.display()))
    })
}
