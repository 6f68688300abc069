//! `fuzz`: runs the targets of tests/fuzz, each for some time, and keeps the inputs that reach what no recorded example
//! reaches. It installs nothing: what it needs is no part of a fresh machine, and the tests replay its corpus without.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::arguments::FuzzOptions;
use crate::install;
use crate::process::{self, BUILD_LIMIT, Processes};
use crate::progress;
use crate::workspace::Workspace;

const PROBE_LIMIT: Duration = Duration::from_secs(20);
const FOLDER: &str = "tests/fuzz";

/// How libFuzzer calls inputs that broke something. They stay, whatever else reaches the same code.
const BROKE: [&str; 4] = ["crash-", "leak-", "oom-", "timeout-"];

pub(crate) fn run(workspace: &Workspace, processes: &Processes, options: &FuzzOptions) -> Result<ExitCode> {
    let targets = chosen(
        &targets(&workspace.path(FOLDER).join("targets"))?,
        options.target.as_deref(),
    )?;
    let mut toolchains = process::command(workspace, "rustup");
    let toolchains = processes.captured(toolchains.args(["toolchain", "list"]), PROBE_LIMIT);
    let toolchains = toolchains.map(|captured| captured.stdout).unwrap_or_default();
    let has_cargo_fuzz = install::answers(workspace, processes, "cargo-fuzz", "--version");
    let nightly = ready(&toolchains, has_cargo_fuzz)?;

    let mut broken = Vec::new();
    for target in targets {
        let outcome = progress::step(&format!("fuzzing {target} for {} s", options.seconds), || {
            let limit = BUILD_LIMIT + Duration::from_secs(options.seconds.into());
            let fuzzing = &mut fuzzing(workspace, nightly, &target, options.seconds);
            processes.run_quietly(fuzzing, limit)
        });
        processes.check_interrupted()?;
        match outcome {
            Ok(()) => minimise(workspace, processes, nightly, &target)?,
            Err(problem) => {
                progress::error(&format!("{target}: {problem:#}"));
                broken.push(target);
            }
        }
    }
    if broken.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    progress::error(&format!(
        "failed: {}; input that broke something is kept in {FOLDER}/corpus, where `cargo xtask test` finds it",
        broken.join(", ")
    ));
    Ok(ExitCode::FAILURE)
}

/// The nightly toolchain to use, or what to type to be able to fuzz.
fn ready(toolchains: &str, has_cargo_fuzz: bool) -> Result<&str> {
    let names = toolchains.lines().filter_map(|line| line.split_whitespace().next());
    let nightly = names.filter(|name| name.starts_with("nightly")).min();
    let mut missing = Vec::new();
    if nightly.is_none() {
        missing.push("a nightly compiler: rustup toolchain install nightly --profile minimal");
    }
    if !has_cargo_fuzz {
        missing.push("cargo-fuzz: cargo install cargo-fuzz --locked");
    }
    match nightly {
        Some(nightly) if missing.is_empty() => Ok(nightly),
        _ => bail!("fuzzing needs what is missing here\n  {}", missing.join("\n  ")),
    }
}

fn targets(folder: &Path) -> Result<Vec<String>> {
    let names = names(folder)?.into_iter();
    let stem = |name: OsString| Path::new(&name).file_stem()?.to_str().map(str::to_owned);
    Ok(names.filter_map(stem).collect())
}

fn chosen(targets: &[String], wanted: Option<&str>) -> Result<Vec<String>> {
    let Some(wanted) = wanted else {
        return Ok(targets.to_vec());
    };
    ensure!(
        targets.iter().any(|target| target == wanted),
        "there is no target {wanted:?}, only {}",
        targets.join(", ")
    );
    Ok(vec![wanted.to_owned()])
}

/// Neighbours of the corpus are read too, but only the corpus is written to.
fn fuzzing(workspace: &Workspace, nightly: &str, target: &str, seconds: u32) -> Command {
    let corpus = corpus(workspace, target);
    let mut command = cargo_fuzz(workspace, nightly, target);
    command.arg(&corpus).args(seeds(workspace, target));
    let mut prefix = OsString::from("-artifact_prefix=");
    prefix.push(corpus.join(""));
    command.arg("--").arg(format!("-max_total_time={seconds}")).arg(prefix);
    command
}

/// Leaves in the corpus few inputs that together reach all that the recorded examples do not.
fn minimise(workspace: &Workspace, processes: &Processes, nightly: &str, target: &str) -> Result<()> {
    let merged = tempfile::tempdir().context("cannot make a temporary directory")?;
    if let Some(seeds) = seeds(workspace, target) {
        copy_files(&seeds, merged.path())?;
    }
    let seeds = names(merged.path())?;
    let corpus = corpus(workspace, target);
    let mut merging = cargo_fuzz(workspace, nightly, target);
    merging
        .arg(merged.path())
        .arg(&corpus)
        .args(["--", "-set_cover_merge=1", "-use_counters=0"]);
    processes.run_quietly(&mut merging, BUILD_LIMIT)?;
    let (before, after) = (names(&corpus)?, names(merged.path())?);
    for name in after.difference(&seeds) {
        fs::copy(merged.path().join(name), corpus.join(name)).context("cannot write to the corpus")?;
    }
    for name in dispensable(&before, &after) {
        fs::remove_file(corpus.join(name)).context("cannot remove from the corpus")?;
    }
    Ok(())
}

fn dispensable<'a>(before: &'a BTreeSet<OsString>, after: &'a BTreeSet<OsString>) -> impl Iterator<Item = &'a OsStr> {
    let broke = |name: &OsStr| BROKE.iter().any(|prefix| name.to_string_lossy().starts_with(prefix));
    let gone = before.difference(after).map(OsString::as_os_str);
    gone.filter(move |name| !broke(name))
}

fn cargo_fuzz(workspace: &Workspace, nightly: &str, target: &str) -> Command {
    let mut command = process::command(workspace, "rustup");
    command.args([
        "run",
        nightly,
        "cargo",
        "fuzz",
        "run",
        "--fuzz-dir",
        FOLDER,
        "--target-dir",
    ]);
    command.arg(workspace.target("fuzz")).arg(target);
    command
}

fn corpus(workspace: &Workspace, target: &str) -> PathBuf {
    workspace.path(FOLDER).join("corpus").join(target)
}

/// The recorded examples of a target, where there are some.
fn seeds(workspace: &Workspace, target: &str) -> Option<PathBuf> {
    let golden = workspace.path("crates/llm/tests/golden");
    let folders = [golden.join("dialects").join(target), golden.join(target)];
    folders.into_iter().find(|folder| folder.is_dir())
}

fn names(folder: &Path) -> Result<BTreeSet<OsString>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    entries.map(|entry| Ok(entry?.file_name())).collect()
}

/// Copies the files of a folder and of those in it into one.
fn copy_files(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            copy_files(&path, to)?;
            continue;
        }
        // Files of the same name lie in several of the folders.
        let name = path.strip_prefix(from.parent().unwrap_or(from)).unwrap_or(&path);
        let name = name.to_string_lossy().replace('/', "-");
        fs::copy(&path, to.join(name)).with_context(|| format!("cannot copy {}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nightly_compiler_is_found_among_others() {
        let toolchains = "stable-x86_64-unknown-linux-gnu (active, default)\n\
            nightly-2026-05-16-x86_64-unknown-linux-gnu\nnightly-x86_64-unknown-linux-gnu (override)\n";

        let nightly = ready(toolchains, true).expect("ready");

        assert_eq!(nightly, "nightly-2026-05-16-x86_64-unknown-linux-gnu");
    }

    #[test]
    fn what_is_missing_is_told_with_the_command_that_gets_it() {
        let told = |toolchains, has_cargo_fuzz| ready(toolchains, has_cargo_fuzz).expect_err("missing").to_string();
        let nightly = "a nightly compiler: rustup toolchain install nightly --profile minimal";
        let cargo_fuzz = "cargo-fuzz: cargo install cargo-fuzz --locked";
        let begin = "fuzzing needs what is missing here";

        assert_eq!(told("stable (default)\n", true), format!("{begin}\n  {nightly}"));
        assert_eq!(told("nightly\n", false), format!("{begin}\n  {cargo_fuzz}"));
        assert_eq!(told("", false), format!("{begin}\n  {nightly}\n  {cargo_fuzz}"));
    }

    #[test]
    fn every_target_is_fuzzed_or_the_one_that_is_asked_for() {
        let targets = targets(&Workspace::locate().path(FOLDER).join("targets")).expect("targets");

        assert_eq!(chosen(&targets, None).expect("all"), targets);
        assert_eq!(chosen(&targets, Some("anthropic")).expect("one"), ["anthropic"]);
        let problem = chosen(&targets, Some("moon")).expect_err("none").to_string();
        assert!(
            problem.starts_with("there is no target \"moon\", only anthropic, bedrock, "),
            "{problem}"
        );
    }

    #[test]
    fn only_the_corpus_is_written_to_and_examples_are_read() {
        let workspace = Workspace::locate();

        let command = fuzzing(&workspace, "nightly", "anthropic", 5);

        let arguments: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
        let corpus = corpus(&workspace, "anthropic").to_string_lossy().into_owned();
        let from = arguments.iter().position(|word| *word == corpus).expect("the corpus");
        let examples = workspace.path("crates/llm/tests/golden/dialects/anthropic");
        let expected = [
            examples.to_string_lossy().into_owned(),
            "--".to_owned(),
            "-max_total_time=5".to_owned(),
            format!("-artifact_prefix={corpus}/"),
        ];
        assert_eq!(arguments[from + 1..], expected);
    }

    #[test]
    fn input_that_broke_something_stays_in_the_corpus() {
        let names = |names: &[&str]| names.iter().map(OsString::from).collect::<BTreeSet<_>>();
        let (before, after) = (names(&["a", "b", "crash-c", "timeout-d"]), names(&["b", "e"]));

        assert_eq!(dispensable(&before, &after).collect::<Vec<_>>(), ["a"]);
    }
}
