//! A throw-away PostgreSQL without a password and without syncing, for tests that want the real database.

use std::fs::{self, File};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use tempfile::TempDir;

use super::{free_port, log_tail, temporary_directory};
use crate::process::{Ending, Processes, Running};

const INITDB_LIMIT: Duration = Duration::from_secs(120);
const READY_LIMIT: Duration = Duration::from_secs(60);

/// A fast shutdown: open connections are cut, the files stay sound.
const FAST_SHUTDOWN: Ending = Ending {
    signal: Signal::INT,
    ..Ending::SERVER
};

/// Fields in the order in which they have to go: the server before its files.
#[derive(Debug)]
pub(crate) struct Postgres {
    _server: Running,
    _directory: TempDir,
    port: u16,
}

/// PostgreSQL refuses to run as root, so root runs it as the user that Debian's package made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct User {
    uid: u32,
    gid: u32,
}

impl Postgres {
    pub(crate) fn start(processes: &Processes) -> Result<Self> {
        let programs = programs().context("PostgreSQL is not installed")?;
        let user = unprivileged_user()?;
        let directory = temporary_directory("postgres")?;
        if let Some(user) = user {
            chown(directory.path(), Some(user.uid), Some(user.gid)).context("cannot hand the directory over")?;
        }

        let data = directory.path().join("data");
        let mut initdb = as_user(&programs.join("initdb"), user, directory.path());
        initdb
            .arg("-D")
            .arg(&data)
            .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"]);
        processes.run_quietly(&mut initdb, INITDB_LIMIT)?;

        let port = free_port()?;
        let log = directory.path().join("log");
        let output = File::create(&log).context("cannot create the log of PostgreSQL")?;
        let mut postgres = as_user(&programs.join("postgres"), user, directory.path());
        postgres.arg("-D").arg(&data).args(["-p", &port.to_string()]);
        for setting in settings(directory.path()) {
            postgres.args(["-c", &setting]);
        }
        postgres
            .stdout(output.try_clone().context("cannot share the log")?)
            .stderr(output);
        let mut server = processes.start(&mut postgres, FAST_SHUTDOWN)?;

        let is_ready = programs.join("pg_isready");
        server
            .wait_until(processes, READY_LIMIT, || answers(&is_ready, port))
            .with_context(|| format!("PostgreSQL did not start; its log ends with\n{}", log_tail(&log)))?;
        Ok(Self {
            _server: server,
            _directory: directory,
            port,
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }
}

/// Where the programs of the newest PostgreSQL on this machine are; Debian keeps them off the search path.
pub(crate) fn programs() -> Option<PathBuf> {
    let debian = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"));
    let others = ["/usr/local/pgsql/bin", "/usr/local/bin", "/usr/bin"]
        .into_iter()
        .map(PathBuf::from);
    let complete = |path: &PathBuf| {
        ["initdb", "postgres", "pg_isready"]
            .iter()
            .all(|name| path.join(name).exists())
    };
    debian
        .filter(complete)
        .max_by_key(|path| version(path))
        .or_else(|| others.into_iter().find(complete))
}

fn version(programs: &Path) -> u32 {
    let name = programs
        .parent()
        .and_then(Path::file_name)
        .and_then(|name| name.to_str());
    name.and_then(|name| name.parse().ok()).unwrap_or(0)
}

fn settings(directory: &Path) -> [String; 7] {
    [
        "listen_addresses=127.0.0.1".to_owned(),
        format!("unix_socket_directories={}", directory.display()),
        "max_connections=400".to_owned(),
        // Nothing here outlives the run, so nothing has to survive a power cut.
        "fsync=off".to_owned(),
        "synchronous_commit=off".to_owned(),
        "full_page_writes=off".to_owned(),
        "log_min_messages=warning".to_owned(),
    ]
}

fn as_user(program: &Path, user: Option<User>, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(directory).stdin(std::process::Stdio::null());
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    command
}

fn unprivileged_user() -> Result<Option<User>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let accounts = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
    let user = account(&accounts, "postgres").or_else(|| account(&accounts, "nobody"));
    ensure!(
        user.is_some(),
        "PostgreSQL does not run as root, and there is no user postgres or nobody to run it as"
    );
    Ok(user)
}

fn account(accounts: &str, name: &str) -> Option<User> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let found = fields.next() == Some(name);
        let (uid, gid) = (fields.nth(1)?, fields.next()?);
        found.then_some(User {
            uid: uid.parse().ok()?,
            gid: gid.parse().ok()?,
        })
    })
}

fn answers(is_ready: &Path, port: u16) -> bool {
    let mut command = Command::new(is_ready);
    command.args(["-q", "-h", "127.0.0.1", "-U", "postgres", "-p", &port.to_string()]);
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_found_by_their_whole_name() {
        let accounts = "root:x:0:0:root:/root:/bin/sh\npostgresql:x:9:9::/:/x\npostgres:x:105:112:PG:/var:/bin/sh\n";

        assert_eq!(account(accounts, "postgres"), Some(User { uid: 105, gid: 112 }));
        assert_eq!(account(accounts, "nobody"), None);
    }

    #[test]
    fn the_newest_version_wins_by_number() {
        assert!(version(Path::new("/usr/lib/postgresql/15/bin")) > version(Path::new("/usr/lib/postgresql/9/bin")));
    }
}
