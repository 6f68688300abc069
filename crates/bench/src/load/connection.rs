//! One kept-alive connection of the load generator: sends the prepared request, reads the answer, tells when it began
//! and ended.

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::check::Check;
use super::response::Response;
use crate::prompt::Answer;

/// Whom to call and with which bytes: they are the same for each request.
#[derive(Debug)]
pub(crate) struct Target {
    address: String,
    request: Vec<u8>,
    answer: Answer,
}

#[derive(Debug)]
pub(crate) struct Connection {
    socket: TcpStream,
    /// Read but not yet taken.
    pending: Vec<u8>,
    check: Check,
}

/// A good answer.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) first_byte: Instant,
    pub(crate) ended: Instant,
    pub(crate) events: u64,
    pub(crate) closes: bool,
}

impl Target {
    pub(crate) fn new(address: String, key: &str, body: &[u8], answer: Answer) -> Self {
        let mut request = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\naccept: */*\r\ncontent-length: {}\r\n\r\n",
            body.len(),
        )
        .into_bytes();
        request.extend_from_slice(body);
        Self {
            address,
            request,
            answer,
        }
    }
}

impl Connection {
    pub(crate) async fn open(target: &Target) -> Result<Self> {
        let socket = TcpStream::connect(&target.address).await.context("cannot connect")?;
        socket.set_nodelay(true)?;
        Ok(Self {
            socket,
            pending: Vec::with_capacity(16 * 1024),
            check: Check::new(target.answer),
        })
    }

    pub(crate) async fn exchange(&mut self, target: &Target) -> Result<Exchange> {
        self.check.reset();
        self.socket
            .write_all(&target.request)
            .await
            .context("the connection broke while sending")?;
        let mut response = Response::new();
        let mut first_byte = None;
        loop {
            let read = self
                .socket
                .read_buf(&mut self.pending)
                .await
                .context("the connection broke")?;
            ensure!(read > 0, "the connection was closed before the answer ended");
            let check = &mut self.check;
            let taken = response.advance(&self.pending, |piece| {
                if !piece.is_empty() {
                    first_byte.get_or_insert_with(Instant::now);
                }
                check.push(piece)
            })?;
            // Nearly always all of it, which costs no copying.
            self.pending.drain(..taken);
            if response.is_done() {
                break;
            }
        }
        let ended = Instant::now();
        ensure!(self.pending.is_empty(), "bytes after the answer");
        ensure!(response.status == 200, "status {}", response.status);
        ensure!(
            response.is_stream == (target.answer != Answer::Whole),
            "a stream for a document, or the reverse"
        );
        self.check.finish()?;
        let first_byte = first_byte.unwrap_or(ended);
        Ok(Exchange {
            first_byte,
            ended,
            events: self.check.events,
            closes: response.closes,
        })
    }
}
