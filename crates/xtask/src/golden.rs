//! `golden`: lets the translation tests write their expected files anew. What changed is then read in the diff.

use std::process::ExitCode;

use anyhow::Result;

use crate::process::{self, BUILD_LIMIT, Processes};
use crate::progress;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace, processes: &Processes) -> Result<ExitCode> {
    let mut tests = process::cargo(workspace, &["test", "--package", "gatewright-llm"]);
    progress::step("writing the golden files", || {
        processes.run(tests.env("UPDATE_GOLDEN", "1"), BUILD_LIMIT)
    })?;
    progress::line("read what changed before you commit it: git diff -- '*golden*'");
    Ok(ExitCode::SUCCESS)
}
