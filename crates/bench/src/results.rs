//! Where results go: lines of JSON on standard output and in a file, words for people on standard error.

use std::fmt;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::json;

/// A file of results that is also printed.
#[derive(Debug)]
pub(crate) struct Results {
    file: File,
    path: PathBuf,
}

impl Results {
    /// Opens `<directory>/<benchmark>-<time>.jsonl` and writes what machine this is.
    pub(crate) fn create(directory: &Path, benchmark: &str) -> Result<Self> {
        std::fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
        let time = crate::clock::now().format("%Y%m%dT%H%M%SZ");
        let path = directory.join(format!("{benchmark}-{time}.jsonl"));
        let file = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
        let mut results = Self { file, path };
        results.line(&json!({"machine": machine(), "benchmark": benchmark, "at": crate::clock::now()}))?;
        Ok(results)
    }

    pub(crate) fn line(&mut self, value: &impl Serialize) -> Result<()> {
        let line = serde_json::to_string(value)?;
        writeln!(std::io::stdout(), "{line}").context("standard output is closed")?;
        writeln!(self.file, "{line}").with_context(|| format!("cannot write {}", self.path.display()))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// A line for the person who watches. Nobody watching is no reason to stop.
pub(crate) fn say(words: fmt::Arguments<'_>) {
    let _nobody_reads = writeln!(std::io::stderr(), "{words}");
}

/// The first line of a part's standard output, which tells the address it listens on.
pub(crate) fn announce(value: &impl fmt::Display) -> Result<()> {
    let mut output = std::io::stdout();
    writeln!(output, "{value}")
        .and_then(|()| output.flush())
        .context("standard output is closed")
}

fn machine() -> serde_json::Value {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let processors = read("/proc/cpuinfo");
    let model = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    json!({
        "processor": model.map(|(_, name)| name),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "kernel": read("/proc/sys/kernel/osrelease").trim(),
        "load": read("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>(),
    })
}
