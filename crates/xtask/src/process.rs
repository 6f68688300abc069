//! Other programs: starting them in process groups of their own, waiting for them within a limit, and ending them when
//! a person presses Ctrl-C or something here fails. It knows nothing of what the programs do.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal};
use signal_hook::consts::signal::{SIGHUP, SIGINT, SIGTERM};

use crate::progress::Stopwatch;
use crate::workspace::Workspace;

/// Long enough for the slowest honest build; its end means that something hangs.
pub(crate) const BUILD_LIMIT: Duration = Duration::from_secs(45 * 60);

const POLL: Duration = Duration::from_millis(25);

/// Cargo tells these to the program that it runs. Handed on to an inner cargo they would make build scripts that watch
/// them run again, once from here and once from a shell, for ever.
const TOLD_BY_CARGO: [&str; 20] = [
    "CARGO",
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_LINKS",
    "CARGO_MANIFEST_PATH",
    "CARGO_PKG_AUTHORS",
    "CARGO_PKG_DESCRIPTION",
    "CARGO_PKG_HOMEPAGE",
    "CARGO_PKG_LICENSE",
    "CARGO_PKG_LICENSE_FILE",
    "CARGO_PKG_NAME",
    "CARGO_PKG_README",
    "CARGO_PKG_REPOSITORY",
    "CARGO_PKG_RUST_VERSION",
    "CARGO_PKG_VERSION",
    "CARGO_PKG_VERSION_MAJOR",
    "CARGO_PKG_VERSION_MINOR",
    "CARGO_PKG_VERSION_PATCH",
    "CARGO_PKG_VERSION_PRE",
    "CARGO_PRIMARY_PACKAGE",
    "CARGO_CRATE_NAME",
];

/// Starts programs and knows whether the person wants all of it to end.
#[derive(Debug)]
pub(crate) struct Processes {
    interrupted: Arc<AtomicBool>,
}

/// A program that runs beside us and is ended, by its own process group, when this value goes.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    name: String,
    ending: Ending,
}

/// How a program is asked to end, and how long it may take before it is killed with all that it started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ending {
    pub(crate) signal: Signal,
    pub(crate) reach: Reach,
    pub(crate) patience: Duration,
}

/// Who hears the signal.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reach {
    /// A server, which ends its own children in its own order.
    Program,
    /// A tool and all that it started, as a terminal does it.
    Group,
}

impl Ending {
    pub(crate) const TOOL: Self = Self {
        signal: Signal::INT,
        reach: Reach::Group,
        patience: Duration::from_secs(20),
    };
    pub(crate) const SERVER: Self = Self {
        signal: Signal::TERM,
        reach: Reach::Program,
        patience: Duration::from_secs(20),
    };
}

/// What a program that ran to its end had to say.
#[derive(Debug)]
pub(crate) struct Captured {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A command in the workspace's root, without input and without what cargo told us about ourselves.
pub(crate) fn command(workspace: &Workspace, program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(workspace.root()).stdin(Stdio::null());
    for name in TOLD_BY_CARGO {
        command.env_remove(name);
    }
    command
}

pub(crate) fn cargo(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut command = command(workspace, "cargo");
    command.args(arguments);
    command
}

impl Processes {
    /// From here on Ctrl-C and a polite kill no longer end this program: what waits here notices and returns an error,
    /// so that everything that was started is ended on the way out.
    pub(crate) fn watching_signals() -> Result<Self> {
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&interrupted)).context("cannot watch for Ctrl-C")?;
        }
        Ok(Self { interrupted })
    }

    #[cfg(test)]
    pub(crate) fn unwatched() -> Self {
        Self {
            interrupted: Arc::default(),
        }
    }

    #[cfg(test)]
    pub(crate) fn interrupt(&self) {
        self.interrupted.store(true, Ordering::SeqCst);
    }

    pub(crate) fn check_interrupted(&self) -> Result<()> {
        ensure!(!self.interrupted.load(Ordering::SeqCst), "interrupted");
        Ok(())
    }

    /// Whether Ctrl-C was pressed since the last time this was asked.
    pub(crate) fn take_interruption(&self) -> bool {
        self.interrupted.swap(false, Ordering::SeqCst)
    }

    pub(crate) fn start(&self, command: &mut Command, ending: Ending) -> Result<Running> {
        self.check_interrupted()?;
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", told(command)))?;
        Ok(Running { child, name, ending })
    }

    /// Runs a program to its end with its output shown.
    pub(crate) fn status(&self, command: &mut Command, limit: Duration) -> Result<ExitStatus> {
        let running = self.start(command, Ending::TOOL)?;
        self.finish(running, limit)
    }

    /// Like `status`, and an error unless the program says that it succeeded.
    pub(crate) fn run(&self, command: &mut Command, limit: Duration) -> Result<()> {
        let status = self.status(command, limit)?;
        ensure!(status.success(), "failed ({status}): {}", told(command));
        Ok(())
    }

    /// Runs a program to its end and keeps what it says.
    pub(crate) fn captured(&self, command: &mut Command, limit: Duration) -> Result<Captured> {
        self.captured_stdout(command.stderr(Stdio::piped()), limit)
    }

    /// Like `captured`, but what the program says on its standard error goes where the caller has sent it.
    pub(crate) fn captured_stdout(&self, command: &mut Command, limit: Duration) -> Result<Captured> {
        let mut running = self.start(command.stdout(Stdio::piped()), Ending::TOOL)?;
        let stdout = running.child.stdout.take().map(collect);
        let stderr = running.child.stderr.take().map(collect);
        let status = self.finish(running, limit)?;
        Ok(Captured {
            status,
            stdout: joined(stdout),
            stderr: joined(stderr),
        })
    }

    /// Runs a talkative program: what it says is shown only when it fails.
    pub(crate) fn run_quietly(&self, command: &mut Command, limit: Duration) -> Result<()> {
        let captured = self.captured(command, limit)?;
        if captured.status.success() {
            return Ok(());
        }
        let said = format!("{}\n{}", captured.stdout.trim(), captured.stderr.trim());
        bail!(
            "failed ({}): {}\n{}",
            captured.status,
            told(command),
            last_lines(&said, 30)
        )
    }

    fn finish(&self, mut running: Running, limit: Duration) -> Result<ExitStatus> {
        let stopwatch = Stopwatch::start();
        loop {
            if let Some(status) = running.ended()? {
                return Ok(status);
            }
            self.check_interrupted()?;
            ensure!(
                stopwatch.elapsed() < limit,
                "{} did not end within {} s",
                running.name,
                limit.as_secs()
            );
            std::thread::sleep(POLL);
        }
    }
}

impl Running {
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child
            .try_wait()
            .with_context(|| format!("cannot wait for {}", self.name))
    }

    /// Asks the program itself, not its group: a server ends its own children.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        rustix::process::kill_process(Pid::from_child(&self.child), signal)
            .with_context(|| format!("cannot signal {}", self.name))
    }

    /// Waits until `ready` says yes, the program ends by itself, or the limit is over.
    pub(crate) fn wait_until(
        &mut self,
        processes: &Processes,
        limit: Duration,
        mut ready: impl FnMut() -> bool,
    ) -> Result<()> {
        let stopwatch = Stopwatch::start();
        while !ready() {
            processes.check_interrupted()?;
            if let Some(status) = self.ended()? {
                bail!("{} ended before it was ready ({status})", self.name);
            }
            ensure!(
                stopwatch.elapsed() < limit,
                "{} was not ready within {} s",
                self.name,
                limit.as_secs()
            );
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    fn end(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        let group = Pid::from_child(&self.child);
        // Each of these fails only when the program is gone already, which is what is wanted.
        let _gone = match self.ending.reach {
            Reach::Program => rustix::process::kill_process(group, self.ending.signal),
            Reach::Group => rustix::process::kill_process_group(group, self.ending.signal),
        };
        let stopwatch = Stopwatch::start();
        while stopwatch.elapsed() < self.ending.patience {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(POLL);
        }
        let _gone = rustix::process::kill_process_group(group, Signal::KILL);
        let _gone = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let skipped = lines.len().saturating_sub(count);
    lines.into_iter().skip(skipped).collect::<Vec<_>>().join("\n")
}

/// The command as a person would type it.
fn told(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

fn collect(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // A pipe that breaks has said all that it will.
        let _broken = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn joined(reader: Option<JoinHandle<String>>) -> String {
    reader.and_then(|reader| reader.join().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn output_of_a_program_is_kept_apart() {
        let captured = Processes::unwatched()
            .captured(&mut shell("echo out; echo err >&2; exit 3"), LIMIT)
            .expect("sh runs");

        assert_eq!(captured.stdout, "out\n");
        assert_eq!(captured.stderr, "err\n");
        assert_eq!(captured.status.code(), Some(3));
    }

    #[test]
    fn a_quiet_failure_tells_the_command_and_what_it_said() {
        let told = Processes::unwatched()
            .run_quietly(&mut shell("echo no room >&2; exit 1"), LIMIT)
            .expect_err("it fails");

        assert_eq!(
            told.to_string(),
            "failed (exit status: 1): sh -c echo no room >&2; exit 1\n\nno room"
        );
    }

    #[test]
    fn a_program_that_hangs_is_ended_at_the_limit() {
        let told = Processes::unwatched()
            .status(&mut shell("exec sleep 600"), Duration::from_millis(50))
            .expect_err("it hangs");

        assert_eq!(told.to_string(), "sh did not end within 0 s");
    }

    #[test]
    fn an_interruption_ends_the_wait_and_the_program() {
        let processes = Processes::unwatched();
        let mut running = processes
            .start(&mut shell("exec sleep 600"), Ending::SERVER)
            .expect("sh runs");
        processes.interrupt();

        let told = running
            .wait_until(&processes, LIMIT, || false)
            .expect_err("it was interrupted");
        running.end();

        assert_eq!(told.to_string(), "interrupted");
        assert_eq!(
            running
                .ended()
                .expect("it can be asked")
                .and_then(|status| status.code()),
            None
        );
    }

    #[test]
    fn a_program_that_ignores_the_polite_signal_is_killed() {
        let ending = Ending {
            patience: Duration::from_millis(100),
            ..Ending::SERVER
        };
        let mut command = shell("trap '' TERM; echo ready; while :; do sleep 600; done");
        let mut running = Processes::unwatched()
            .start(command.stdout(Stdio::piped()), ending)
            .expect("sh runs");
        let mut first = [0_u8; 6];
        running
            .child
            .stdout
            .take()
            .expect("piped")
            .read_exact(&mut first)
            .expect("it says ready");

        running.end();

        assert!(running.ended().expect("it can be asked").is_some());
    }

    #[test]
    fn only_the_last_lines_of_a_long_text_are_shown() {
        assert_eq!(last_lines("a\nb\nc\n", 2), "b\nc");
        assert_eq!(last_lines("a", 2), "a");
    }
}
