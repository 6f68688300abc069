//! `profile`: writes crates/server/server.profdata anew, by which releases are compiled (`.cargo/rustc`). A server that
//! counts what it does is asked by the benchmark; its counts tell the compiler which calls to inline and which ways are
//! never taken. To be run when much has moved, and for another compiler; `layout` after it.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::bench;
use crate::install;
use crate::process::{self, BUILD_LIMIT, Processes};
use crate::progress;
use crate::under_load;
use crate::workspace::Workspace;

const TOOL_LIMIT: Duration = Duration::from_secs(5 * 60);

pub(crate) fn run(workspace: &Workspace, processes: &Processes) -> Result<ExitCode> {
    let profdata = profdata(workspace, processes)?;
    bench::build_benchmarks(workspace, processes)?;
    let counting = workspace.target("counting");
    progress::step("compiling a server that counts", || {
        let arguments = ["build", "--release", "--package", "gatewright-server", "--bins"];
        let mut build = process::cargo(workspace, &arguments);
        build.arg("--target-dir").arg(&counting);
        // Build scripts count, too: theirs are left there.
        let flags = format!("-Cprofile-generate={}", counting.join("unread").display());
        build.env("RUSTFLAGS", flags);
        processes.run(&mut build, BUILD_LIMIT)
    })?;
    let counts = progress::step("having it count", || {
        let program = counting.join("release/gatewright");
        under_load::watch(workspace, processes, |file| {
            format!("env LLVM_PROFILE_FILE={} {}", file.display(), program.display())
        })
    })?;
    let mut merge = process::command(workspace, &profdata);
    merge.args(["merge", "-sparse", "-o"]);
    merge.arg(workspace.path("crates/server/server.profdata"));
    merge.args(&counts.files);
    processes.run_quietly(&mut merge, TOOL_LIMIT)?;
    // Cargo does not know that what it compiled before went by another one.
    processes.run(&mut process::cargo(workspace, &["clean", "--release"]), TOOL_LIMIT)?;
    Ok(ExitCode::SUCCESS)
}

/// The tool that reads the counts: of the compiler's own LLVM, or it would not understand them.
fn profdata(workspace: &Workspace, processes: &Processes) -> Result<String> {
    let mut rustc = process::command(workspace, "rustc");
    let told = processes.captured_stdout(rustc.arg("-vV"), TOOL_LIMIT)?.stdout;
    let major = llvm(&told).context("rustc does not tell its LLVM's version")?;
    let program = format!("llvm-profdata-{major}");
    if !install::answers(workspace, processes, &program, "--version") {
        install::debian_packages(workspace, processes, &[&format!("llvm-{major}")])?;
    }
    Ok(program)
}

/// The major version that `rustc -vV` tells.
fn llvm(told: &str) -> Option<&str> {
    let version = told.lines().find_map(|line| line.strip_prefix("LLVM version: "))?;
    version.split('.').next()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// What the compiler would be asked, of a crate that cargo asks for like this.
    fn asked(arguments: &[&str]) -> String {
        let wrapper = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.cargo/rustc");
        let told = Command::new(wrapper).arg("echo").args(arguments).output();
        String::from_utf8(told.expect("it runs").stdout).expect("text")
    }

    #[test]
    fn only_what_is_released_is_compiled_by_the_profile() {
        const BY_IT: &str = "-Cprofile-use=";
        assert!(asked(&["--crate-name", "tokio", "-C", "linker-plugin-lto"]).contains(BY_IT));
        assert!(asked(&["--crate-name", "gatewright", "-C", "lto=fat"]).contains(BY_IT));

        assert_eq!(asked(&["--crate-name", "tokio"]), "--crate-name tokio\n");
        assert!(!asked(&["-C", "lto=fat", "--target", "wasm32-unknown-unknown"]).contains(BY_IT));
        assert!(!asked(&["-C", "lto=fat", "-Cprofile-generate=counts"]).contains(BY_IT));
    }

    #[test]
    fn the_compiler_tells_its_llvm() {
        assert_eq!(
            llvm("rustc 1.95.0\nrelease: 1.95.0\nLLVM version: 22.1.2\n"),
            Some("22")
        );
        assert_eq!(llvm("rustc 1.95.0\n"), None);
    }
}
