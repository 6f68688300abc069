//! What the tasks need on the machine: looks whether it is there, installs Debian's packages where it may, and otherwise
//! says which command to type. It never touches anything that is there already.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail, ensure};

use crate::process::{self, Processes};
use crate::progress;
use crate::servers::postgres;
use crate::workspace::Workspace;

const APT_LIMIT: Duration = Duration::from_secs(15 * 60);
const PROBE_LIMIT: Duration = Duration::from_secs(20);

/// Something that a task cannot do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    Postgres,
    Redis,
    Chromium,
    Node,
    Nginx,
    Valgrind,
}

impl Tool {
    fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Postgres => &["postgresql"],
            Self::Redis => &["redis-server"],
            Self::Chromium => &["chromium"],
            Self::Node => &["nodejs", "npm"],
            Self::Nginx => &["nginx-light"],
            Self::Valgrind => &["valgrind"],
        }
    }

    fn is_there(self, workspace: &Workspace, processes: &Processes) -> bool {
        match self {
            Self::Postgres => postgres::programs().is_some(),
            Self::Redis => answers(workspace, processes, "redis-server", "--version"),
            Self::Chromium => browser().is_some(),
            Self::Node => node_is_there(workspace, processes),
            Self::Nginx => Path::new("/usr/sbin/nginx").exists() || answers(workspace, processes, "nginx", "-v"),
            Self::Valgrind => answers(workspace, processes, "valgrind", "--version"),
        }
    }
}

/// After this every one of the tools is there, or the error says what to type.
pub(crate) fn ensure_tools(workspace: &Workspace, processes: &Processes, tools: &[Tool]) -> Result<()> {
    let missing: Vec<Tool> = tools
        .iter()
        .copied()
        .filter(|tool| !tool.is_there(workspace, processes))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().flat_map(|tool| tool.packages()).copied().collect();
    debian_packages(workspace, processes, &packages)?;
    for tool in missing {
        ensure!(
            tool.is_there(workspace, processes),
            "{tool:?} is still missing after its packages were installed"
        );
    }
    Ok(())
}

pub(crate) fn debian_packages(workspace: &Workspace, processes: &Processes, packages: &[&str]) -> Result<()> {
    let list = packages.join(" ");
    let typed = format!("apt-get update && apt-get install -y --no-install-recommends {list}");
    let has_apt = answers(workspace, processes, "apt-get", "--version");
    if !has_apt || !rustix::process::geteuid().is_root() {
        bail!("these are missing: {list}; install them, as root on Debian by: {typed}");
    }
    progress::step(&format!("installing {list}"), || {
        processes.run_quietly(apt_get(workspace).arg("update"), APT_LIMIT)?;
        let mut install = apt_get(workspace);
        install
            .args(["install", "-y", "--no-install-recommends"])
            .args(packages);
        processes.run_quietly(&mut install, APT_LIMIT)
    })
}

fn apt_get(workspace: &Workspace) -> Command {
    let mut command = process::command(workspace, "apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    // Debian starts a server that it installs; in runlevel 1 it does not, and only the program is wanted here.
    command.env("RUNLEVEL", "1");
    command
}

pub(crate) fn answers(workspace: &Workspace, processes: &Processes, program: &str, flag: &str) -> bool {
    let mut command = process::command(workspace, program);
    processes
        .captured(command.arg(flag), PROBE_LIMIT)
        .is_ok_and(|captured| captured.status.success())
}

pub(crate) fn node_is_there(workspace: &Workspace, processes: &Processes) -> bool {
    ["node", "npm"]
        .iter()
        .all(|program| answers(workspace, processes, program, "--version"))
}

pub(crate) fn browser() -> Option<PathBuf> {
    [
        "/usr/bin/chromium",
        "/usr/bin/chromium-browser",
        "/usr/bin/google-chrome",
        "/opt/google/chrome/chrome",
    ]
    .into_iter()
    .map(PathBuf::from)
    .find(|path| path.exists())
}
