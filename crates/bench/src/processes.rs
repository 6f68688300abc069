//! The programs that a benchmark runs beside itself: started in a process group of their own, on one core if wanted, and
//! gone when their value is dropped, whatever happened.

use std::fs::{File, OpenOptions};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::results::say;

const POLL: Duration = Duration::from_millis(20);
const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(15);

/// The number of a processor core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Core(pub(crate) usize);

#[derive(Debug)]
pub(crate) struct Running {
    name: String,
    child: Child,
    pid: Pid,
    log: PathBuf,
}

/// The program, kept to the core. The process that results is the program's own: nothing stands between.
pub(crate) fn pinned(program: &Path, core: Option<Core>) -> Command {
    match core {
        Some(Core(number)) => {
            let mut command = Command::new("/usr/bin/taskset");
            command.arg("-c").arg(number.to_string()).arg(program);
            command
        }
        None => Command::new(program),
    }
}

impl Running {
    /// Starts the program with both of its outputs in `log`.
    pub(crate) fn start(name: &str, mut command: Command, log: &Path) -> Result<Self> {
        command.stdout(open(log)?);
        Self::spawn(name, command, log)
    }

    /// Starts one of this binary's own parts and gives the address that it announces.
    pub(crate) async fn announced(name: &str, mut command: Command, log: &Path) -> Result<(Self, String)> {
        command.stdout(Stdio::piped());
        let mut running = Self::spawn(name, command, log)?;
        let output = running.child.stdout.take().context("its output was asked for")?;
        let mut line = String::new();
        let read = timeout(START_LIMIT, BufReader::new(output).read_line(&mut line)).await;
        match read {
            Ok(Ok(length)) if length > 0 => Ok((running, line.trim().to_owned())),
            _ => bail!("{name} did not say where it listens\n{}", running.last_words()),
        }
    }

    fn spawn(name: &str, mut command: Command, log: &Path) -> Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .stderr(open(log)?)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let pid = id.with_context(|| format!("{name} has no process id"))?;
        Ok(Self {
            name: name.to_owned(),
            child,
            pid,
            log: log.to_owned(),
        })
    }

    pub(crate) fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Asks `ready` again and again until it says yes, the program ends, or a minute is over.
    pub(crate) async fn until<F: Future<Output = bool>>(&mut self, ready: impl Fn() -> F) -> Result<()> {
        let deadline = Instant::now() + START_LIMIT;
        while !ready().await {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended with {status}\n{}", self.name, self.last_words());
            }
            if Instant::now() > deadline {
                bail!("{} was not ready within a minute\n{}", self.name, self.last_words());
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    /// Asks the program to end, and makes it end when it takes too long.
    pub(crate) async fn stop(mut self) -> Result<()> {
        // It may have ended by itself.
        let _gone = kill_process(self.pid, Signal::TERM);
        match timeout(STOP_LIMIT, self.child.wait()).await {
            Ok(ended) => ended
                .map(drop)
                .with_context(|| format!("cannot wait for {}", self.name)),
            Err(_late) => {
                say(format_args!(
                    "{} did not end within {} s and is killed",
                    self.name,
                    STOP_LIMIT.as_secs()
                ));
                Ok(())
            }
        }
    }

    /// The end of what it logged, for the message of a failure.
    pub(crate) fn last_words(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = text.lines().rev().take(15).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A program that ended has no process group any more.
        let _gone = kill_process_group(self.pid, Signal::KILL);
    }
}

/// Runs a program to its end and gives what it printed.
pub(crate) async fn output(name: &str, mut command: Command) -> Result<String> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let output = command.output().await.with_context(|| format!("cannot start {name}"))?;
    if !output.status.success() {
        bail!(
            "{name} ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    String::from_utf8(output.stdout).with_context(|| format!("{name} printed what is no text"))
}

/// A loopback port that nobody listens on at this moment.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no free port")?;
    Ok(listener.local_addr()?.port())
}

/// The first of the usual places that has the program.
pub(crate) fn find_program(name: &str, folders: &[&str]) -> Result<PathBuf> {
    let mut places = folders.iter().map(|folder| Path::new(folder).join(name));
    let found = places.find(|path| path.is_file());
    found.with_context(|| format!("{name} is not installed (looked in {})", folders.join(", ")))
}

fn open(log: &Path) -> Result<File> {
    let opened = OpenOptions::new().create(true).append(true).open(log);
    opened.with_context(|| format!("cannot write {}", log.display()))
}
