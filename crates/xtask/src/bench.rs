//! `bench`: builds the server and the benchmark program as they are released and runs the latter. What is measured, and
//! how, is in crates/bench.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;

use crate::install::{self, Tool};
use crate::process::{self, BUILD_LIMIT, Processes};
use crate::progress;
use crate::workspace::Workspace;

const BENCH_LIMIT: Duration = Duration::from_secs(2 * 60 * 60);

/// `arguments` begin with the benchmark's name and are handed on as they are.
pub(crate) fn run(workspace: &Workspace, processes: &Processes, arguments: &[String]) -> Result<ExitCode> {
    install::ensure_tools(workspace, processes, needed_by(arguments))?;
    build(workspace, processes)?;
    let program = workspace.target("release/gatewright-bench");
    let mut bench = process::command(workspace, &program.to_string_lossy());
    bench
        .args(arguments)
        .env("GATEWRIGHT_BINARY", workspace.target("release/gatewright"));
    processes.run(&mut bench, BENCH_LIMIT)?;
    Ok(ExitCode::SUCCESS)
}

/// Both programs as they are released: each by itself, or one would get features of libraries that the other asks for.
pub(crate) fn build(workspace: &Workspace, processes: &Processes) -> Result<()> {
    compile(workspace, processes, "the server", "gatewright-server")?;
    build_benchmarks(workspace, processes)
}

pub(crate) fn build_benchmarks(workspace: &Workspace, processes: &Processes) -> Result<()> {
    compile(workspace, processes, "the benchmarks", "gatewright-bench")
}

fn compile(workspace: &Workspace, processes: &Processes, what: &str, package: &str) -> Result<()> {
    progress::step(&format!("compiling {what}"), || {
        let arguments = ["build", "--release", "--package", package, "--bins"];
        processes.run(&mut process::cargo(workspace, &arguments), BUILD_LIMIT)
    })
}

/// What a benchmark starts beside our own programs.
fn needed_by(arguments: &[String]) -> &'static [Tool] {
    let is_cluster = arguments.iter().any(|argument| argument.ends_with("cluster"));
    match arguments.first().map_or("", String::as_str) {
        "gateway" if is_cluster => &[Tool::Nginx, Tool::Postgres, Tool::Redis],
        "gateway" => &[Tool::Nginx],
        "feed" | "ledger" => &[Tool::Postgres, Tool::Redis],
        _ => &[],
    }
}
