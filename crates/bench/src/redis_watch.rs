//! What nodes have Redis do, as it tells of it itself: `INFO` does not tell a call of a node from what a script does.

use anyhow::{Context, Result, ensure};
use memchr::memmem;
use serde::Serialize;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// For a thousand requests.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct RedisUse {
    /// What nodes asked of it: scripts and single commands alike.
    pub(crate) calls: f64,
    /// Those of them that ran a script.
    pub(crate) scripts: f64,
    /// All commands, those within scripts as well.
    pub(crate) commands: f64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Seen {
    calls: u64,
    scripts: u64,
    within_scripts: u64,
}

#[derive(Debug)]
pub(crate) struct RedisWatch {
    stop: watch::Sender<bool>,
    watching: JoinSet<std::io::Result<Seen>>,
}

impl RedisWatch {
    pub(crate) async fn begin(address: &str) -> Result<Self> {
        let rest = address
            .strip_prefix("redis://")
            .context("a Redis address begins with redis://")?;
        let socket = TcpStream::connect(rest).await.context("Redis does not listen")?;
        let mut socket = BufReader::new(socket);
        socket.write_all(b"MONITOR\r\n").await?;
        let mut answer = Vec::new();
        socket.read_until(b'\n', &mut answer).await?;
        ensure!(answer.starts_with(b"+OK"), "Redis does not let itself be watched");
        let (stop, stopped) = watch::channel(false);
        let mut watching = JoinSet::new();
        watching.spawn(watch_until(socket, stopped));
        Ok(Self { stop, watching })
    }

    pub(crate) async fn end(mut self, requests: u64) -> Result<RedisUse> {
        self.stop.send_replace(true);
        let seen = self.watching.join_next().await.context("one task watches")??;
        Ok(seen?.of(requests))
    }
}

async fn watch_until(mut socket: BufReader<TcpStream>, mut stopped: watch::Receiver<bool>) -> std::io::Result<Seen> {
    let (mut seen, mut line) = (Seen::default(), Vec::new());
    loop {
        tokio::select! {
            read = socket.read_until(b'\n', &mut line) => {
                if read? == 0 {
                    return Err(std::io::ErrorKind::UnexpectedEof.into());
                }
                seen.note(&line);
                line.clear();
            }
            _ = stopped.changed() => return Ok(seen),
        }
    }
}

impl Seen {
    /// `+1796054400.123456 [0 127.0.0.1:5000] "evalsha" …`; in place of the address it is `lua` within a script.
    fn note(&mut self, line: &[u8]) {
        let Some(end) = memmem::find(line, b"] \"") else {
            return;
        };
        let (place, command) = line.split_at(end);
        if place.ends_with(b" lua") {
            self.within_scripts += 1;
            return;
        }
        self.calls += 1;
        let name = command.get(3..7).unwrap_or_default();
        self.scripts += u64::from(name.eq_ignore_ascii_case(b"eval"));
    }

    fn of(self, requests: u64) -> RedisUse {
        let thousand = |count: u64| count as f64 * 1e3 / requests.max(1) as f64;
        RedisUse {
            calls: thousand(self.calls),
            scripts: thousand(self.scripts),
            commands: thousand(self.calls + self.within_scripts),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nodes_ask_is_told_from_what_scripts_do() {
        let mut seen = Seen::default();
        for line in [
            r#"+1796054400.123456 [0 127.0.0.1:5000] "EVALSHA" "ab" "1" "x] \" lua"#,
            r#"+1796054400.123457 [0 lua] "hget" "x""#,
            r#"+1796054400.123458 [0 lua] "xadd" "x""#,
            r#"+1796054400.123459 [1 unix:/run/redis] "hget" "evalsha""#,
        ] {
            seen.note(line.as_bytes());
        }

        assert_eq!(
            seen.of(500),
            RedisUse {
                calls: 4.0,
                scripts: 2.0,
                commands: 8.0,
            }
        );
    }
}
