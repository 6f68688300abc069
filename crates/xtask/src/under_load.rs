//! Watches a server while the benchmark asks it what applications ask.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

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

/// What a watched server left, a file for each time it ran.
pub(crate) struct Left {
    pub(crate) files: Vec<PathBuf>,
    _directory: TempDir,
}

/// `line` says to a shell how the server is started, up to its own arguments, when it is to leave what is seen in such a
/// file; `%p` in the name is the number of the process.
pub(crate) fn watch(workspace: &Workspace, processes: &Processes, line: impl FnOnce(&Path) -> String) -> Result<Left> {
    let directory = tempfile::tempdir().context("no directory")?;
    let line = line(&directory.path().join("%p.left"));
    let server = directory.path().join("server");
    fs::write(&server, format!("#!/bin/sh\nexec {line} \"$@\"\n"))?;
    fs::set_permissions(&server, fs::Permissions::from_mode(0o755))?;
    let program = workspace.target("release/gatewright-bench");
    let mut bench = process::command(workspace, &program.to_string_lossy());
    bench.args(["gateway", "--targets", "gatewright", "--passes", "1", "--workloads"]);
    bench.arg(WORKLOADS.join(",")).arg("--binary").arg(&server);
    processes.run_quietly(&mut bench, RUN_LIMIT)?;
    let mut files = Vec::new();
    for entry in fs::read_dir(directory.path())? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "left") {
            files.push(path);
        }
    }
    ensure!(!files.is_empty(), "the watched server left nothing");
    Ok(Left {
        files,
        _directory: directory,
    })
}
