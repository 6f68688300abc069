//! A Redis of one cluster's own, so that a test may flush it, kill it and bring it back.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::process::{Process, directory, free_port};
use crate::wait::eventually;

const START: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub struct Redis {
    process: Process,
    directory: TempDir,
    port: u16,
}

impl Redis {
    pub async fn start() -> Self {
        let (directory, port) = (directory("redis"), free_port());
        let redis = Self {
            process: launch(&directory, port),
            directory,
            port,
        };
        redis.ready().await;
        redis
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// It takes what is sent and answers nothing.
    pub fn hang(&mut self) {
        self.process.signal(Signal::STOP);
    }

    /// It answers again.
    pub fn go_on(&mut self) {
        self.process.signal(Signal::CONT);
    }

    /// Starts it again, with nothing in it.
    pub async fn restart(&mut self) {
        self.process.kill();
        self.process = launch(&self.directory, self.port);
        self.ready().await;
    }

    /// Sends a command and gives all that comes back, as the protocol writes it.
    pub async fn command(&self, words: &[&str]) -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], self.port))).await?;
        let mut text = format!("*{}\r\n", words.len());
        for word in words {
            text.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        text.push_str("*1\r\n$4\r\nQUIT\r\n");
        stream.write_all(text.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        answer.truncate(answer.len().saturating_sub(b"+OK\r\n".len()));
        Ok(answer)
    }

    /// Every byte it keeps, keys and values, in no form in particular.
    pub async fn everything(&self) -> Vec<u8> {
        const SCRIPT: &str = "local all = {} \
            for _, key in ipairs(redis.call('KEYS', '*')) do \
                local kind = redis.call('TYPE', key).ok \
                all[#all + 1] = key \
                if kind == 'string' then all[#all + 1] = redis.call('GET', key) \
                elseif kind == 'hash' then for _, v in ipairs(redis.call('HGETALL', key)) do all[#all + 1] = v end \
                elseif kind == 'set' then for _, v in ipairs(redis.call('SMEMBERS', key)) do all[#all + 1] = v end \
                elseif kind == 'zset' then for _, v in ipairs(redis.call('ZRANGE', key, 0, -1)) do all[#all + 1] = v end \
                elseif kind == 'list' then for _, v in ipairs(redis.call('LRANGE', key, 0, -1)) do all[#all + 1] = v end \
                elseif kind == 'stream' then for _, e in ipairs(redis.call('XRANGE', key, '-', '+')) do \
                    for _, v in ipairs(e[2]) do all[#all + 1] = v end end \
                end \
            end return all";
        self.command(&["EVAL", SCRIPT, "0"]).await.expect("Redis answers")
    }

    async fn ready(&self) {
        eventually("Redis answers", START, async || {
            let answer = self.command(&["PING"]).await.ok()?;
            answer.starts_with(b"+PONG").then_some(())
        })
        .await;
    }
}

fn launch(directory: &TempDir, port: u16) -> Process {
    let mut command = Command::new("redis-server");
    command
        .current_dir(directory.path())
        .args(["--bind", "127.0.0.1", "--port", &port.to_string()]);
    command.args([
        "--save",
        "",
        "--appendonly",
        "no",
        "--daemonize",
        "no",
        "--loglevel",
        "warning",
    ]);
    Process::start(&mut command, &directory.path().join("log"))
}
