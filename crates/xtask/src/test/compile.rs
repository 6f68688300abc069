//! One build for all native tests and the server binary. Every later call names the same packages, since cargo unites
//! features over the packages that are named: another selection would compile half of the dependencies again.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::process::{self, BUILD_LIMIT, Processes};
use crate::workspace::Workspace;

/// All that is native. `xtask` has its own build, which ran before this and shares nothing with the product.
pub(crate) const PACKAGES: [&str; 5] = [
    "--workspace",
    "--exclude",
    "gatewright-dashboard",
    "--exclude",
    "gatewright-xtask",
];

pub(crate) const OWN_PACKAGE: [&str; 2] = ["--package", "gatewright-xtask"];

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Built {
    pub(crate) server: Option<PathBuf>,
    pub(crate) programs: Vec<Program>,
}

/// One test program, and the directory of the package that it tests, where it is to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) executable: PathBuf,
    pub(crate) package: PathBuf,
}

impl Program {
    pub(crate) fn is_black_box(&self, workspace: &Workspace) -> bool {
        self.package == workspace.path("tests")
    }
}

pub(crate) fn compile(workspace: &Workspace, processes: &Processes, packages: &[&str]) -> Result<Built> {
    let mut build = process::cargo(workspace, &["build", "--bins", "--tests"]);
    build
        .args(["--message-format", "json-render-diagnostics"])
        .args(packages);
    let captured = processes.captured_stdout(build.stderr(Stdio::inherit()), BUILD_LIMIT)?;
    ensure!(captured.status.success(), "the tests do not compile");
    read(&captured.stdout)
}

#[derive(Debug, Deserialize)]
struct Message {
    reason: String,
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
    profile: Option<Profile>,
    executable: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Profile {
    test: bool,
}

fn read(messages: &str) -> Result<Built> {
    let mut built = Built::default();
    for line in messages.lines().filter(|line| line.starts_with('{')) {
        let message: Message = serde_json::from_str(line).context("cannot read what cargo built")?;
        if message.reason != "compiler-artifact" {
            continue;
        }
        let (Some(executable), Some(manifest), Some(target)) =
            (message.executable, message.manifest_path, message.target)
        else {
            continue;
        };
        if message.profile.is_some_and(|profile| profile.test) {
            let package = manifest.parent().unwrap_or(Path::new("/")).to_path_buf();
            built.programs.push(Program { executable, package });
        } else if target.name == "gatewright" {
            built.server = Some(executable);
        }
    }
    Ok(built)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_programs_and_the_server_are_told_apart() {
        let messages = r#"
   Compiling something
{"reason":"compiler-artifact","manifest_path":"/w/crates/llm/Cargo.toml","target":{"name":"gatewright_llm"},"profile":{"test":false},"executable":null}
{"reason":"compiler-artifact","manifest_path":"/w/crates/llm/Cargo.toml","target":{"name":"gatewright_llm"},"profile":{"test":true},"executable":"/w/target/debug/deps/llm-1"}
{"reason":"compiler-artifact","manifest_path":"/w/crates/server/Cargo.toml","target":{"name":"gatewright"},"profile":{"test":true},"executable":"/w/target/debug/deps/gatewright-2"}
{"reason":"compiler-artifact","manifest_path":"/w/crates/server/Cargo.toml","target":{"name":"gatewright"},"profile":{"test":false},"executable":"/w/target/debug/gatewright"}
{"reason":"build-finished","success":true}
"#;
        let program = |executable: &str, package: &str| Program {
            executable: executable.into(),
            package: package.into(),
        };

        let built = read(messages).expect("cargo's messages");

        assert_eq!(built.server, Some(PathBuf::from("/w/target/debug/gatewright")));
        assert_eq!(
            built.programs,
            [
                program("/w/target/debug/deps/llm-1", "/w/crates/llm"),
                program("/w/target/debug/deps/gatewright-2", "/w/crates/server")
            ]
        );
    }
}
