//! `up`: from a checkout to a running product in one process on embedded storage. What it prints when ready (address,
//! setup link, first call) is the server's own welcome; this only builds, starts and stops it.

use std::net::TcpListener;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;

use crate::arguments::UpOptions;
use crate::dashboard;
use crate::process::{self, BUILD_LIMIT, Ending, Processes, Running};
use crate::progress;
use crate::workspace::Workspace;

const POLL: Duration = Duration::from_millis(50);

/// The server has its own limit on draining, which is shorter.
const DRAIN: Ending = Ending {
    patience: Duration::from_secs(60),
    ..Ending::SERVER
};

pub(crate) fn run(workspace: &Workspace, processes: &Processes, options: &UpOptions) -> Result<ExitCode> {
    let ports = [options.port, options.port + 1];
    for port in ports {
        ensure_free(port)?;
    }
    dashboard::build(workspace, processes)?;
    progress::step("compiling the server", || {
        let arguments = [
            "build",
            "--profile",
            "quick",
            "--package",
            "gatewright-server",
            "--bin",
            "gatewright",
        ];
        processes.run(&mut process::cargo(workspace, &arguments), BUILD_LIMIT)
    })?;
    progress::line("==> starting it; Ctrl-C stops it");
    let server = processes.start(&mut server(workspace, options), DRAIN)?;
    attend(processes, server)
}

/// Found out before the build rather than after it.
fn ensure_free(port: u16) -> Result<()> {
    TcpListener::bind(("127.0.0.1", port)).map(drop).with_context(|| {
        format!("cannot listen on 127.0.0.1:{port}; another port can be asked for: cargo xtask up --port 9080")
    })
}

fn server(workspace: &Workspace, options: &UpOptions) -> Command {
    let binary = workspace.target("quick/gatewright");
    let mut command = Command::new(binary);
    command.args(["serve", "--welcome"]).stdin(Stdio::null());
    command.env("GATEWRIGHT_LISTEN", format!("127.0.0.1:{}", options.port));
    command.env("GATEWRIGHT_ADMIN_LISTEN", format!("127.0.0.1:{}", options.port + 1));
    command.env("GATEWRIGHT_DATA_DIR", &options.data);
    command
}

/// Waits for the server to end, and hands every Ctrl-C on to it: the first drains, what a second means is its affair.
fn attend(processes: &Processes, mut server: Running) -> Result<ExitCode> {
    let mut asked_to_stop = false;
    loop {
        if let Some(status) = server.ended()? {
            if status.success() || asked_to_stop {
                progress::line("==> stopped");
                return Ok(ExitCode::SUCCESS);
            }
            let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
            progress::error(&format!("the server ended by itself ({status})"));
            return Ok(ExitCode::from(code));
        }
        if processes.take_interruption() {
            if !asked_to_stop {
                progress::line("==> stopping: requests in flight are finished first");
            }
            asked_to_stop = true;
            server.signal(Signal::INT)?;
        }
        std::thread::sleep(POLL);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null());
        command
    }

    #[test]
    fn an_interruption_is_handed_on_and_the_drain_is_waited_for() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let (ready, drained) = (directory.path().join("ready"), directory.path().join("drained"));
        let script = "trap 'sleep 0.2; echo done > drained; exit 0' INT; echo > ready; while :; do sleep 0.05; done";
        let processes = Processes::unwatched();
        let mut server = processes
            .start(shell(script).current_dir(directory.path()), DRAIN)
            .expect("sh runs");
        server
            .wait_until(&processes, Duration::from_secs(10), || ready.exists())
            .expect("it gets ready");
        processes.interrupt();

        let code = attend(&processes, server).expect("it was asked to stop");

        assert_eq!(code, ExitCode::SUCCESS);
        assert_eq!(fs::read_to_string(drained).expect("it drained"), "done\n");
    }

    #[test]
    fn a_server_that_refuses_to_start_gives_its_own_exit_code() {
        let processes = Processes::unwatched();
        let server = processes.start(&mut shell("exit 64"), DRAIN).expect("sh runs");

        assert_eq!(attend(&processes, server).expect("it ended"), ExitCode::from(64));
    }

    #[test]
    fn a_taken_port_is_told_before_anything_is_built() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("it has an address").port();

        let told = ensure_free(port).expect_err("it is taken");

        let expected =
            format!("cannot listen on 127.0.0.1:{port}; another port can be asked for: cargo xtask up --port 9080");
        assert_eq!(told.to_string(), expected);
    }
}
