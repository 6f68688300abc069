//! PostgreSQL and Redis for a cluster: throw-away ones of our own on loopback. A PostgreSQL that runs already can be
//! used; a Redis cannot, because its data would be taken for this cluster's and its subscriptions are cut.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::processes::{Running, find_program, free_port, output};

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Given {
    /// Address of a maintenance database of a PostgreSQL that may be used; one is started when absent
    #[arg(long, env = "GATEWRIGHT_TEST_POSTGRES", hide_env_values = true)]
    postgres: Option<String>,
}

/// Both servers, as long as this value lives.
#[derive(Debug)]
pub(crate) struct Servers {
    pub(crate) postgres_url: String,
    pub(crate) redis_url: String,
    maintenance: String,
    database: String,
    _own: Vec<Running>,
}

impl Servers {
    pub(crate) async fn start(given: &Given, directory: &Path) -> Result<Self> {
        let mut own = Vec::new();
        let maintenance = match &given.postgres {
            Some(address) => address.clone(),
            None => {
                let (running, address) = start_postgres(&directory.join("postgres")).await?;
                own.push(running);
                address
            }
        };
        let database = format!("gatewright_bench_{}", std::process::id());
        let (server, _) = maintenance
            .rsplit_once('/')
            .context("a PostgreSQL address ends in a database's name")?;
        let postgres_url = format!("{server}/{database}");
        drop_database(&maintenance, &database).await?;
        psql(&maintenance, &format!("create database {database}")).await?;
        let (running, redis_url) = start_redis(&directory.join("redis")).await?;
        own.push(running);
        Ok(Self {
            postgres_url,
            redis_url,
            maintenance,
            database,
            _own: own,
        })
    }

    /// What a statement gives in the installation's database: a line a row, its columns divided by `|`.
    pub(crate) async fn ask(&self, statement: &str) -> Result<String> {
        psql(&self.postgres_url, statement).await
    }

    /// Leaves nothing behind on a PostgreSQL that goes on running.
    pub(crate) async fn stop(self) -> Result<()> {
        drop_database(&self.maintenance, &self.database).await
    }
}

async fn start_postgres(directory: &Path) -> Result<(Running, String)> {
    let folder = postgres_folder()?;
    fs::create_dir_all(directory)?;
    // PostgreSQL refuses to run as root, and whoever runs it has to reach its files.
    let account = postgres_account()?;
    if let Some(account) = &account {
        chown(directory, Some(account.user), Some(account.group))?;
        open_for_passing(directory.parent().context("the directory is within one of ours")?)?;
    }
    let data = directory.join("data");
    let program = |name: &str| {
        let mut command = Command::new(folder.join(name));
        command.env_clear().env("LC_ALL", "C").current_dir(directory);
        if let Some(account) = &account {
            command.uid(account.user).gid(account.group);
        }
        command
    };
    let mut initialise = program("initdb");
    initialise
        .arg("-D")
        .arg(&data)
        .args(["-U", "bench", "-A", "trust", "-E", "UTF8", "--no-sync"]);
    output("initdb", initialise).await?;
    let port = free_port()?;
    let mut serve = program("postgres");
    serve
        .arg("-D")
        .arg(&data)
        .args(["-p", &port.to_string(), "-h", "127.0.0.1"]);
    serve.arg("-k").arg(directory).args(["-c", "max_connections=100"]);
    let mut running = Running::start("postgres", serve, &directory.join("log"))?;
    let address = format!("postgres://bench@127.0.0.1:{port}/postgres");
    running
        .until(|| async { psql(&address, "select 1").await.is_ok() })
        .await?;
    Ok((running, address))
}

/// Lets others pass through a directory of ours, not look into it.
fn open_for_passing(directory: &Path) -> Result<()> {
    let permissions = fs::metadata(directory)?.permissions();
    if permissions.mode() & 0o001 == 0 {
        fs::set_permissions(directory, fs::Permissions::from_mode(permissions.mode() | 0o011))?;
    }
    Ok(())
}

#[derive(Debug)]
struct Account {
    user: u32,
    group: u32,
}

/// The account to run PostgreSQL under: our own, unless that is root.
fn postgres_account() -> Result<Option<Account>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let accounts = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
    let mut fields = accounts.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let found = fields.find_map(|fields| match fields.as_slice() {
        ["postgres", _, user, group, ..] => Some(Account {
            user: user.parse().ok()?,
            group: group.parse().ok()?,
        }),
        _ => None,
    });
    found
        .map(Some)
        .context("there is no account named postgres to run PostgreSQL under")
}

/// Where the newest installed PostgreSQL has its programs: Debian keeps them out of the search path.
fn postgres_folder() -> Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let numbered = versions.filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path())));
    let newest = numbered.max().map(|(_, path)| path.join("bin"));
    match newest {
        Some(folder) => Ok(folder),
        None => find_program("postgres", &["/usr/bin", "/usr/local/bin"])
            .map(|program| program.parent().map(Path::to_owned).unwrap_or_default()),
    }
}

async fn drop_database(maintenance: &str, name: &str) -> Result<()> {
    psql(maintenance, &format!("drop database if exists {name} with (force)"))
        .await
        .map(drop)
}

async fn psql(address: &str, statement: &str) -> Result<String> {
    let folder = postgres_folder()?;
    let folder = folder.to_str().context("a path that is no text")?;
    let mut command = Command::new(find_program("psql", &[folder, "/usr/bin", "/usr/local/bin"])?);
    command
        .args(["-X", "-q", "-A", "-t", "-c", statement, address])
        .env("PGCONNECT_TIMEOUT", "2");
    output("psql", command).await
}

async fn start_redis(directory: &Path) -> Result<(Running, String)> {
    fs::create_dir_all(directory)?;
    let port = free_port()?;
    let mut command = Command::new(find_program("redis-server", &["/usr/bin", "/usr/local/bin"])?);
    command.args([
        "--port",
        &port.to_string(),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
    ]);
    command.arg("--dir").arg(directory);
    let mut running = Running::start("redis-server", command, &directory.join("log"))?;
    let address = format!("redis://127.0.0.1:{port}");
    running
        .until(|| async { redis_command(&address, "PING").await.is_ok() })
        .await?;
    Ok((running, address))
}

/// Sends one command without arguments that need quoting, and gives the first line of the reply.
pub(crate) async fn redis_command(address: &str, command: &str) -> Result<String> {
    let rest = address
        .strip_prefix("redis://")
        .context("a Redis address begins with redis://")?;
    let mut socket = TcpStream::connect(rest).await.context("Redis does not listen")?;
    socket.write_all(format!("{command}\r\n").as_bytes()).await?;
    let mut reply = Vec::new();
    while !reply.ends_with(b"\r\n") {
        let read = tokio::time::timeout(Duration::from_secs(5), socket.read_buf(&mut reply)).await;
        ensure!(read.context("Redis does not answer")?? > 0, "Redis hung up");
    }
    let reply = String::from_utf8_lossy(&reply).trim().to_owned();
    ensure!(!reply.starts_with('-'), "Redis refuses {command}: {reply}");
    Ok(reply)
}
