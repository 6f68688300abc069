//! Watches a server while the benchmark asks it what applications ask.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::process::{self, Processes};
use crate::workspace::Workspace;

const RUN_LIMIT: Duration = Duration::from_secs(60 * 60);
const WORKLOADS: [&str; 6] = [
    "chat-1k",
    "chat-32k",
    "stream",
    "translated-1k",
    "cached-1k",
    "capped-5",
];

/// The server is started by this line of a shell, which ends with its own arguments.
pub(crate) fn watch(workspace: &Workspace, processes: &Processes, directory: &Path, line: &str) -> Result<()> {
    let server = directory.join("server");
    fs::write(&server, format!("#!/bin/sh\nexec {line} \"$@\"\n"))?;
    fs::set_permissions(&server, fs::Permissions::from_mode(0o755))?;
    let program = workspace.target("release/gatewright-bench");
    let mut bench = process::command(workspace, &program.to_string_lossy());
    bench.args(["gateway", "--targets", "gatewright", "--passes", "1", "--workloads"]);
    bench.arg(WORKLOADS.join(",")).arg("--binary").arg(&server);
    processes.run_quietly(&mut bench, RUN_LIMIT)
}
