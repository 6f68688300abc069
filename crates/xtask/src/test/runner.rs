//! Runs compiled tests and counts them: by cargo-nextest where it is installed, else each test program by itself, since
//! compiling nextest would take longer than the tests.

use std::fs;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context, Result};

use super::compile::Program;
use super::counts::{self, Counts};
use crate::install;
use crate::process::{self, Processes, last_lines};
use crate::progress;
use crate::workspace::Workspace;

const STAGE_LIMIT: Duration = Duration::from_secs(30 * 60);
const PROGRAM_LIMIT: Duration = Duration::from_secs(15 * 60);

/// Where the profile `ci` of .config/nextest.toml has nextest write its results.
const JUNIT: &str = "nextest/ci/junit.xml";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runner {
    Nextest,
    Programs,
}

/// Some of the compiled tests, and what they are told.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    /// The very selection that the tests were compiled with.
    pub(crate) packages: &'a [&'a str],
    /// In nextest's language, for nextest; the programs below are the same choice for the other way.
    pub(crate) filterset: &'a str,
    pub(crate) programs: Vec<&'a Program>,
    pub(crate) names: &'a [String],
    pub(crate) environment: Vec<(&'static str, String)>,
}

impl Runner {
    pub(crate) fn choose(workspace: &Workspace, processes: &Processes) -> Self {
        if install::answers(workspace, processes, "cargo-nextest", "--version") {
            Self::Nextest
        } else {
            Self::Programs
        }
    }

    pub(crate) fn run(self, workspace: &Workspace, processes: &Processes, batch: &Batch<'_>) -> Result<Counts> {
        match self {
            Self::Nextest => by_nextest(workspace, processes, batch),
            Self::Programs => by_programs(workspace, processes, batch),
        }
    }
}

fn by_nextest(workspace: &Workspace, processes: &Processes, batch: &Batch<'_>) -> Result<Counts> {
    let junit = workspace.target(JUNIT);
    if junit.exists() {
        fs::remove_file(&junit).with_context(|| format!("cannot remove {}", junit.display()))?;
    }
    let mut nextest = process::cargo(workspace, &["nextest", "run", "--profile", "ci", "--no-tests", "pass"]);
    nextest
        .args(batch.packages)
        .args(["--filterset", batch.filterset])
        .args(batch.names);
    nextest.envs(batch.environment.iter().map(|(name, value)| (name, value)));
    let status = processes.status(&mut nextest, STAGE_LIMIT)?;
    if status.success() && !junit.exists() {
        // No test had the names that were asked for.
        return Ok(Counts::default());
    }
    let document = fs::read_to_string(&junit).with_context(|| format!("nextest ran no test ({status})"))?;
    let counts = counts::of_junit(&document).with_context(|| format!("cannot read {}", junit.display()))?;
    Ok(with_unexplained(counts, status))
}

fn by_programs(workspace: &Workspace, processes: &Processes, batch: &Batch<'_>) -> Result<Counts> {
    let mut total = Counts::default();
    for program in &batch.programs {
        let mut test = process::command(workspace, &program.executable.to_string_lossy());
        test.args(batch.names)
            .current_dir(&program.package)
            .env("CARGO_MANIFEST_DIR", &program.package);
        test.envs(batch.environment.iter().map(|(name, value)| (name, value)));
        let name = program.executable.file_name().unwrap_or_default().to_string_lossy();
        let outcome = processes.captured(&mut test, PROGRAM_LIMIT);
        processes.check_interrupted()?;
        total += match outcome {
            Ok(captured) => {
                let counts = counts::of_libtest(&captured.stdout).unwrap_or(Counts { passed: 0, failed: 1 });
                progress::line(&format!(
                    "    {name}: {} passed, {} failed",
                    counts.passed, counts.failed
                ));
                if !captured.status.success() {
                    progress::line(&last_lines(&format!("{}\n{}", captured.stdout, captured.stderr), 200));
                }
                with_unexplained(counts, captured.status)
            }
            Err(problem) => {
                progress::line(&format!("    {name}: {problem:#}"));
                Counts { passed: 0, failed: 1 }
            }
        };
    }
    Ok(total)
}

/// Whatever else made a runner fail must not disappear behind tests that passed.
fn with_unexplained(counts: Counts, status: ExitStatus) -> Counts {
    let unexplained = u64::from(!status.success() && counts.failed == 0);
    Counts {
        failed: counts.failed + unexplained,
        ..counts
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::*;

    fn program(directory: &Path, name: &str, script: &str) -> Program {
        let executable = directory.join(name);
        fs::write(&executable, format!("#!/bin/sh\n{script}\n")).expect("written");
        fs::set_permissions(&executable, fs::Permissions::from_mode(0o755)).expect("made executable");
        Program {
            executable,
            package: directory.to_path_buf(),
        }
    }

    fn counted(scripts: &[&str]) -> Counts {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let programs: Vec<Program> = scripts
            .iter()
            .enumerate()
            .map(|(index, script)| program(directory.path(), &format!("test-{index}"), script))
            .collect();
        let batch = Batch {
            packages: &[],
            filterset: "all()",
            programs: programs.iter().collect(),
            names: &["budget".to_owned()],
            environment: vec![("GATEWRIGHT_TEST_TOPOLOGY", "solo".to_owned())],
        };
        by_programs(&Workspace::locate(), &Processes::unwatched(), &batch).expect("they ran")
    }

    #[test]
    fn programs_are_counted_together_and_told_what_to_run() {
        let told = "test \"$1 $GATEWRIGHT_TEST_TOPOLOGY\" = 'budget solo' || exit 3";

        let counts = counted(&[
            &format!("{told}; echo 'test result: ok. 3 passed; 0 failed; 0 ignored'"),
            "echo 'test result: FAILED. 1 passed; 2 failed; 0 ignored'; exit 101",
        ]);

        assert_eq!(counts, Counts { passed: 4, failed: 2 });
    }

    #[test]
    fn a_program_that_dies_is_a_failure_whatever_it_said() {
        assert_eq!(counted(&["exit 101"]), Counts { passed: 0, failed: 1 });
        assert_eq!(
            counted(&["echo 'test result: ok. 3 passed; 0 failed; 0 ignored'; kill -SEGV $$"]),
            Counts { passed: 3, failed: 1 }
        );
    }
}
