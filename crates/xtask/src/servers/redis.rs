//! A throw-away Redis that keeps nothing on disk, for tests that want the real one.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::{free_port, log_tail, temporary_directory};
use crate::process::{Ending, Processes, Running};

const READY_LIMIT: Duration = Duration::from_secs(30);

/// Fields in the order in which they have to go: the server before its files.
#[derive(Debug)]
pub(crate) struct Redis {
    _server: Running,
    _directory: TempDir,
    port: u16,
}

impl Redis {
    pub(crate) fn start(processes: &Processes) -> Result<Self> {
        let directory = temporary_directory("redis")?;
        let port = free_port()?;
        let log = directory.path().join("log");
        let output = File::create(&log).context("cannot create the log of Redis")?;
        let mut redis = Command::new("redis-server");
        redis.current_dir(directory.path()).stdin(Stdio::null());
        redis.args([
            "--bind",
            "127.0.0.1",
            "--port",
            &port.to_string(),
            "--save",
            "",
            "--appendonly",
            "no",
            "--databases",
            "32",
        ]);
        redis
            .args(["--daemonize", "no", "--loglevel", "warning", "--dir"])
            .arg(directory.path());
        redis
            .stdout(output.try_clone().context("cannot share the log")?)
            .stderr(output);
        let mut server = processes.start(&mut redis, Ending::SERVER)?;
        server
            .wait_until(processes, READY_LIMIT, || answers(port))
            .with_context(|| format!("Redis did not start; its log ends with\n{}", log_tail(&log)))?;
        Ok(Self {
            _server: server,
            _directory: directory,
            port,
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }
}

fn answers(port: u16) -> bool {
    ask(port).is_ok_and(|answer| answer == *b"+PONG\r\n")
}

fn ask(port: u16) -> std::io::Result<[u8; 7]> {
    let patience = Duration::from_secs(1);
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.write_all(b"PING\r\n")?;
    let mut answer = [0_u8; 7];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}
