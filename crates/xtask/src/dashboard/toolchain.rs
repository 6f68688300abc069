//! A compiler for wasm32-unknown-unknown: rustup's target where rustup can fetch it, else Debian's compiler, which
//! brings the sources of a standard library that it then builds along with the page.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::install;
use crate::process::{self, Processes};
use crate::progress;
use crate::workspace::Workspace;

const TARGET: &str = "wasm32-unknown-unknown";
const PROBE_LIMIT: Duration = Duration::from_secs(30);

/// A machine that reaches only package registries may refuse rustup's server at once or leave it hanging.
const RUSTUP_LIMIT: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Toolchain {
    Rustup,
    /// Debian's rustc looks for a linker that Debian does not have; rustup's toolchain brings one.
    Debian {
        linker: PathBuf,
    },
}

impl Toolchain {
    /// Two compilers in one directory would spoil each other's cache.
    pub(crate) fn target_directory(&self) -> &'static str {
        match self {
            Self::Rustup => "dashboard",
            Self::Debian { .. } => "dashboard-debian",
        }
    }

    pub(crate) fn cargo(&self, workspace: &Workspace, subcommand: &str) -> Command {
        match self {
            Self::Rustup => process::cargo(workspace, &[subcommand, "--target", TARGET]),
            Self::Debian { linker } => {
                let mut command = process::command(workspace, "/usr/bin/cargo");
                command.args([subcommand, "--target", TARGET, "-Z", "build-std=std,panic_abort"]);
                command.env("RUSTC", "/usr/bin/rustc").env("RUSTC_BOOTSTRAP", "1");
                command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
                command
            }
        }
    }
}

pub(crate) fn find_or_install(workspace: &Workspace, processes: &Processes) -> Result<Toolchain> {
    let sysroot = sysroot(workspace, processes)?;
    let libraries = sysroot.join("lib/rustlib").join(TARGET).join("lib");
    if libraries.exists() {
        return Ok(Toolchain::Rustup);
    }
    if debian_compiler_is_there() {
        return debian(workspace, processes, &sysroot);
    }
    let mut add = process::command(workspace, "rustup");
    add.args(["target", "add", TARGET]);
    let added = progress::step("adding the WASM target by rustup", || {
        processes.run_quietly(&mut add, RUSTUP_LIMIT)
    });
    processes.check_interrupted()?;
    match added {
        Ok(()) if libraries.exists() => Ok(Toolchain::Rustup),
        Ok(()) => debian(workspace, processes, &sysroot),
        Err(problem) => {
            progress::line(&format!(
                "    rustup cannot add it, so Debian's compiler is taken instead: {problem:#}"
            ));
            debian(workspace, processes, &sysroot)
        }
    }
}

fn debian(workspace: &Workspace, processes: &Processes, sysroot: &Path) -> Result<Toolchain> {
    let linker = bundled_linker(sysroot).context(
        "there is no compiler for the dashboard: `rustup target add wasm32-unknown-unknown` does not work here, and \
         the Rust toolchain has no rust-lld for Debian's compiler to use",
    )?;
    if !debian_compiler_is_there() {
        install::debian_packages(workspace, processes, &["rustc-web", "cargo-web", "rust-web-src"])
            .context("rustup cannot add the target wasm32-unknown-unknown; the other way is Debian's compiler")?;
        ensure!(
            debian_compiler_is_there(),
            "Debian's packages came without /usr/bin/cargo or the library's sources"
        );
    }
    Ok(Toolchain::Debian { linker })
}

fn debian_compiler_is_there() -> bool {
    ["/usr/bin/rustc", "/usr/bin/cargo", "/usr/lib/rustlib/src"]
        .iter()
        .all(|path| Path::new(path).exists())
}

fn sysroot(workspace: &Workspace, processes: &Processes) -> Result<PathBuf> {
    let mut rustc = process::command(workspace, "rustc");
    let captured = processes.captured(rustc.args(["--print", "sysroot"]), PROBE_LIMIT)?;
    ensure!(
        captured.status.success(),
        "rustc does not tell its sysroot: {}",
        captured.stderr.trim()
    );
    Ok(PathBuf::from(captured.stdout.trim()))
}

fn bundled_linker(sysroot: &Path) -> Option<PathBuf> {
    let hosts = fs::read_dir(sysroot.join("lib/rustlib")).ok()?;
    hosts
        .flatten()
        .map(|host| host.path().join("bin/rust-lld"))
        .find(|linker| linker.exists())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn debians_compiler_builds_the_library_too_and_borrows_the_linker() {
        let toolchain = Toolchain::Debian {
            linker: PathBuf::from("/rust/bin/rust-lld"),
        };

        let command = toolchain.cargo(&Workspace::locate(), "build");

        let arguments: Vec<&OsStr> = command.get_args().collect();
        let set = |name: &str| {
            command
                .get_envs()
                .find(|(key, _)| *key == name)
                .and_then(|(_, value)| value)
        };
        assert_eq!(command.get_program(), "/usr/bin/cargo");
        assert_eq!(
            arguments,
            ["build", "--target", TARGET, "-Z", "build-std=std,panic_abort"]
        );
        assert_eq!(set("RUSTC"), Some(OsStr::new("/usr/bin/rustc")));
        assert_eq!(set("RUSTC_BOOTSTRAP"), Some(OsStr::new("1")));
        assert_eq!(
            set("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER"),
            Some(OsStr::new("/rust/bin/rust-lld"))
        );
    }

    #[test]
    fn the_bundled_linker_is_found_whatever_the_host_is_called() {
        let sysroot = tempfile::tempdir().expect("a temporary directory");
        assert_eq!(bundled_linker(sysroot.path()), None);
        let programs = sysroot.path().join("lib/rustlib/riscv64gc-unknown-linux-gnu/bin");
        fs::create_dir_all(&programs).expect("created");
        fs::write(programs.join("rust-lld"), "").expect("written");

        assert_eq!(bundled_linker(sysroot.path()), Some(programs.join("rust-lld")));
    }
}
