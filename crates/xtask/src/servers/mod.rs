//! Throw-away servers for the tests: each lives in a temporary directory, listens on loopback at a free port, and is
//! gone, directory included, when its value goes.

pub(crate) mod gatewright;
pub(crate) mod postgres;
pub(crate) mod redis;

use std::net::TcpListener;
use std::path::Path;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::process;

/// A port that nobody listens on at this moment.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("cannot open a port on 127.0.0.1")?;
    Ok(listener.local_addr().context("cannot read the port back")?.port())
}

fn temporary_directory(name: &str) -> Result<TempDir> {
    let prefix = format!("gatewright-{name}-");
    tempfile::Builder::new()
        .prefix(&prefix)
        .tempdir()
        .context("cannot make a temporary directory")
}

/// The end of a server's log, to explain why it did not start.
fn log_tail(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    process::last_lines(&String::from_utf8_lossy(&text), 20)
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;
    use std::path::Path;
    use std::process::Command;

    use super::postgres::{self, Postgres};
    use super::redis::Redis;
    use crate::process::Processes;

    fn port_of(url: &str) -> u16 {
        let digits: String = url
            .rsplit(':')
            .next()
            .unwrap_or_default()
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        digits.parse().expect("the address has a port")
    }

    #[test]
    fn postgres_answers_queries_and_leaves_nothing_behind() {
        let processes = Processes::unwatched();
        let postgres = Postgres::start(&processes).expect("PostgreSQL starts");
        let url = postgres.url();
        let psql = postgres::programs().expect("it is installed").join("psql");
        let queries = [
            "-Atc",
            "create database a",
            "-c",
            "show fsync",
            "-c",
            "show data_directory",
        ];
        let output = Command::new(psql).arg(&url).args(queries).output().expect("psql runs");

        drop(postgres);

        let text = String::from_utf8_lossy(&output.stdout);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines.get(..2),
            Some(["CREATE DATABASE", "off"].as_slice()),
            "{output:?}"
        );
        assert_eq!(lines.get(2).map(|directory| Path::new(directory).exists()), Some(false));
        assert!(TcpStream::connect(("127.0.0.1", port_of(&url))).is_err());
    }

    #[test]
    fn redis_is_gone_with_its_value() {
        let processes = Processes::unwatched();
        let redis = Redis::start(&processes).expect("Redis starts");
        let port = port_of(&redis.url());
        assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());

        drop(redis);

        assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    }
}
