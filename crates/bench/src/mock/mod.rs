//! The upstream of the benchmark: answers OpenAI's chat completions and Anthropic's messages on loopback for as little
//! CPU time as a user-space program can, so that what is measured is the gateway. It checks nothing and knows no errors but a malformed request.

mod answers;
mod request;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::prompt::{self, Answer};
use answers::Answers;
pub(crate) use answers::events_of;
use request::Asked;

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// Told on standard output once it listens
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: String,
    /// Milliseconds before each answer
    #[arg(long, default_value_t = 0)]
    delay_ms: u64,
}

pub(crate) async fn run(options: Options) -> Result<()> {
    let listener = TcpListener::bind(&options.listen).await.context("cannot listen")?;
    crate::results::announce(&listener.local_addr()?)?;
    let answers = Arc::new(Answers::prepare());
    let delay = Duration::from_millis(options.delay_ms);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (socket, _peer) = accepted.context("cannot accept")?;
                socket.set_nodelay(true)?;
                connections.spawn(serve(socket, answers.clone(), delay));
            }
            // A caller that goes away in the middle is the caller's business.
            Some(_gone) = connections.join_next() => {}
        }
    }
}

async fn serve(mut socket: TcpStream, answers: Arc<Answers>, delay: Duration) -> Result<()> {
    let mut pending = Vec::with_capacity(64 * 1024);
    loop {
        let Some(length) = request::whole(&pending)? else {
            match socket.read_buf(&mut pending).await? {
                0 if pending.is_empty() => return Ok(()),
                0 => bail!("half a request"),
                _ => continue,
            }
        };
        let request = pending.get(..length.total).unwrap_or_default();
        let body = request.get(length.head..).unwrap_or_default();
        let answer = prompt::asked(body);
        let tells_usage = memchr::memmem::find(body, b"\"include_usage\":true").is_some();
        pending.drain(..length.total);
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let (document, stream) = match length.asked {
            Asked::Openai if tells_usage => (&answers.document, &answers.with_usage),
            Asked::Openai => (&answers.document, &answers.plain),
            Asked::Anthropic => (&answers.message, &answers.message_stream),
        };
        match answer {
            Answer::Whole => socket.write_all(document).await?,
            Answer::Stream { chunks, pause } => send_stream(&mut socket, stream, chunks, pause).await?,
        }
    }
}

async fn send_stream(socket: &mut TcpStream, stream: &answers::Stream, chunks: u32, pause: Duration) -> Result<()> {
    let start = Instant::now();
    socket.write_all(&stream.start).await?;
    for index in 0..chunks {
        if !pause.is_zero() {
            tokio::time::sleep_until(start + pause * (index + 1)).await;
        }
        socket.write_all(&stream.text).await?;
    }
    Ok(socket.write_all(&stream.end).await?)
}
