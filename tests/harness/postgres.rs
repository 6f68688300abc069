//! Databases for clusters: fresh ones in the PostgreSQL the run was given, or a PostgreSQL of a test's own that may be
//! stopped and started.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::environment;
use crate::process::{Process, directory, free_port};
use crate::wait::eventually;

const START: Duration = Duration::from_secs(60);

/// A PostgreSQL that one test may do anything to.
#[derive(Debug)]
pub struct Postgres {
    process: Process,
    directory: TempDir,
    port: u16,
}

#[derive(Debug, Clone, Copy)]
struct User {
    uid: u32,
    gid: u32,
}

/// Makes an empty database in the run's PostgreSQL and gives its address.
pub fn fresh_database() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let maintenance = environment::postgres();
    let name = format!("it_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    query(&maintenance, &format!("drop database if exists {name}"));
    query(&maintenance, &format!("create database {name}"));
    let (server, _) = maintenance
        .rsplit_once('/')
        .expect("the address ends in a database's name");
    format!("{server}/{name}")
}

/// Runs a statement and gives what it prints, one line per row.
pub fn query(url: &str, statement: &str) -> String {
    let output = Command::new(program("psql"))
        .args([
            "--no-psqlrc",
            "--quiet",
            "--tuples-only",
            "--no-align",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            url,
            "-c",
            statement,
        ])
        .stdin(Stdio::null())
        .output()
        .expect("psql runs");
    assert!(
        output.status.success(),
        "{statement}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("psql prints text")
}

/// Everything in a database as text, for a search through it.
pub fn dump(url: &str) -> Vec<u8> {
    let output = Command::new(program("pg_dump"))
        .args(["-d", url])
        .stdin(Stdio::null())
        .output()
        .expect("pg_dump runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

impl Postgres {
    pub async fn start() -> Self {
        let (directory, port) = (directory("postgres"), free_port());
        let user = unprivileged_user();
        if let Some(user) = user {
            chown(directory.path(), Some(user.uid), Some(user.gid)).expect("root may hand a directory over");
        }
        let mut initdb = command("initdb", directory.path());
        initdb
            .arg("-D")
            .arg(directory.path().join("data"))
            .stdout(Stdio::null());
        initdb.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"]);
        assert!(initdb.status().expect("initdb runs").success(), "initdb failed");
        let process = launch(&directory, port);
        let postgres = Self {
            process,
            directory,
            port,
        };
        postgres.ready().await;
        postgres
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Stops it, cutting all connections.
    pub async fn stop(&mut self) {
        self.process.signal(Signal::INT);
        self.process.exit(START).await;
    }

    pub async fn start_again(&mut self) {
        self.process = launch(&self.directory, self.port);
        self.ready().await;
    }

    async fn ready(&self) {
        eventually("PostgreSQL answers", START, async || {
            let mut ask = Command::new(program("pg_isready"));
            ask.args(["-q", "-h", "127.0.0.1", "-U", "postgres", "-p", &self.port.to_string()]);
            ask.status().is_ok_and(|status| status.success()).then_some(())
        })
        .await;
    }
}

fn launch(directory: &TempDir, port: u16) -> Process {
    let mut postgres = command("postgres", directory.path());
    postgres
        .arg("-D")
        .arg(directory.path().join("data"))
        .args(["-p", &port.to_string()]);
    let sockets = format!("unix_socket_directories={}", directory.path().display());
    for setting in [
        "listen_addresses=127.0.0.1",
        &sockets,
        "max_connections=200",
        "log_min_messages=warning",
    ] {
        postgres.args(["-c", setting]);
    }
    Process::start(&mut postgres, &directory.path().join("log"))
}

/// The server refuses to run as root, so root runs it as the user that Debian's package made.
fn command(name: &str, directory: &Path) -> Command {
    let mut command = Command::new(program(name));
    command.current_dir(directory).stdin(Stdio::null());
    if let Some(user) = unprivileged_user() {
        command.uid(user.uid).gid(user.gid);
    }
    command
}

fn unprivileged_user() -> Option<User> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let accounts = std::fs::read_to_string("/etc/passwd").expect("accounts can be read");
    let find = |name: &str| {
        accounts.lines().find_map(|line| {
            let mut fields = line.split(':');
            let found = fields.next() == Some(name);
            let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
            found.then_some(User { uid, gid })
        })
    };
    Some(
        find("postgres")
            .or_else(|| find("nobody"))
            .expect("a user who may run PostgreSQL"),
    )
}

/// Debian keeps the programs of each version in a directory of its own.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .map(|entry| entry.path().join("bin").join(name))
        .filter(|path| path.is_file())
        .max();
    newest.unwrap_or_else(|| PathBuf::from(name))
}
