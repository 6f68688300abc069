//! A program under test: started with its output in a file, watched, ended by signal, and gone when its value is.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::guardian;
use crate::wait::eventually;

#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
    ended: Option<ExitStatus>,
}

impl Process {
    /// Starts the program with both outputs appended to `log`.
    pub fn start(command: &mut Command, log: &Path) -> Self {
        let output = File::options()
            .create(true)
            .append(true)
            .open(log)
            .expect("the log can be written");
        command.stdin(Stdio::null());
        command
            .stdout(output.try_clone().expect("the log can be shared"))
            .stderr(output);
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        guardian::watch(child.id());
        Self {
            child,
            log: log.to_owned(),
            ended: None,
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// All it has written so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// How it ended, if it has.
    pub fn status(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().expect("a child can be asked for");
            if self.ended.is_some() {
                guardian::forget(self.child.id());
            }
        }
        self.ended
    }

    pub fn signal(&mut self, signal: Signal) {
        if self.status().is_none() {
            let pid = i32::try_from(self.child.id())
                .ok()
                .and_then(Pid::from_raw)
                .expect("a child has a process id");
            kill_process(pid, signal).expect("a child that was not waited for can be signalled");
        }
    }

    /// Ends it at once, as a power cut would.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        if self.ended.is_none() {
            self.ended = Some(self.child.wait().expect("a child can be waited for"));
            guardian::forget(self.child.id());
        }
    }

    /// Waits until it ends by itself.
    pub async fn exit(&mut self, within: Duration) -> ExitStatus {
        let log = self.log.clone();
        eventually(&format!("the process of {} ends", log.display()), within, async || {
            self.status()
        })
        .await
    }

    /// The most memory it ever had, in kilobytes.
    pub fn peak_memory_kb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it is running");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .expect("Linux tells the peak");
        line.trim()
            .trim_end_matches(" kB")
            .parse()
            .expect("a number of kilobytes")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A temporary directory that goes even when its value is never dropped.
pub fn directory(name: &str) -> TempDir {
    let prefix = format!("gatewright-it-{name}-");
    let directory = tempfile::Builder::new()
        .prefix(&prefix)
        .tempdir()
        .expect("a temporary directory");
    guardian::clear_away(directory.path());
    directory
}

/// A loopback port that nobody listens on, below those that the system hands out for outgoing connections: a server
/// that is started again finds it free.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 11_000;
    const COUNT: u16 = 20_000;
    let start = u16::try_from(std::process::id() % 400).expect("less than 400") * 50;
    for _ in 0..COUNT {
        let offset = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(start) % COUNT;
        if TcpListener::bind(("127.0.0.1", FIRST + offset)).is_ok() {
            return FIRST + offset;
        }
    }
    panic!("no free port on 127.0.0.1");
}
