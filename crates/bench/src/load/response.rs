//! Reads responses off a kept-alive connection, however the bytes happen to be cut. It finds where the body is and ends;
//! what the body says is for `check`.

use anyhow::{Context, Result, bail, ensure};

use crate::http::{Framing, Head};

/// One response as far as it has come.
#[derive(Debug)]
pub(crate) struct Response {
    state: State,
    pub(crate) status: u16,
    pub(crate) is_stream: bool,
    /// The server will close the connection after it.
    pub(crate) closes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Head,
    /// This much of a body of known length is missing.
    Body(u64),
    ChunkSize,
    /// This much of a chunk is missing.
    Chunk(u64),
    ChunkEnd,
    Trailer,
    Done,
}

impl Response {
    pub(crate) const fn new() -> Self {
        Self {
            state: State::Head,
            status: 0,
            is_stream: false,
            closes: false,
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Takes what it can from the front of `bytes`, hands pieces of the body to `body`, and gives the number of bytes
    /// taken. The rest belongs in front of the next read.
    pub(crate) fn advance(&mut self, bytes: &[u8], mut body: impl FnMut(&[u8]) -> Result<()>) -> Result<usize> {
        let mut taken = 0;
        loop {
            let rest = bytes.get(taken..).unwrap_or_default();
            match self.state {
                State::Head => {
                    let Some((head, length)) = Head::parse(rest)? else {
                        return Ok(taken);
                    };
                    taken += length;
                    self.begin(head)?;
                }
                State::Body(missing) | State::Chunk(missing) => {
                    let length = usize::try_from(missing).unwrap_or(usize::MAX).min(rest.len());
                    body(rest.get(..length).unwrap_or_default())?;
                    taken += length;
                    self.state = match (self.state, missing - length as u64) {
                        (State::Chunk(_), 0) => State::ChunkEnd,
                        (State::Chunk(_), missing) => State::Chunk(missing),
                        (_, 0) => State::Done,
                        (_, missing) => State::Body(missing),
                    };
                    if length == rest.len() && matches!(self.state, State::Body(_) | State::Chunk(_)) {
                        return Ok(taken);
                    }
                }
                State::ChunkSize => {
                    let Some(line) = line(rest) else { return Ok(taken) };
                    taken += line.len() + 2;
                    self.state = match chunk_size(line)? {
                        0 => State::Trailer,
                        size => State::Chunk(size),
                    };
                }
                State::ChunkEnd => {
                    if rest.len() < 2 {
                        return Ok(taken);
                    }
                    ensure!(rest.starts_with(b"\r\n"), "a chunk that is longer than it says");
                    taken += 2;
                    self.state = State::ChunkSize;
                }
                State::Trailer => {
                    let Some(line) = line(rest) else { return Ok(taken) };
                    taken += line.len() + 2;
                    if line.is_empty() {
                        self.state = State::Done;
                    }
                }
                State::Done => return Ok(taken),
            }
        }
    }

    fn begin(&mut self, head: Head<'_>) -> Result<()> {
        self.status = head.status()?;
        self.closes = head.closes();
        self.is_stream = head
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("text/event-stream"));
        self.state = match head.framing()? {
            Some(Framing::Chunked) => State::ChunkSize,
            Some(Framing::Length(0)) => State::Done,
            Some(Framing::Length(length)) => State::Body(length),
            None => bail!("a response of unknown length"),
        };
        Ok(())
    }
}

fn line(bytes: &[u8]) -> Option<&[u8]> {
    bytes.get(..memchr::memmem::find(bytes, b"\r\n")?)
}

fn chunk_size(line: &[u8]) -> Result<u64> {
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
    std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok())
        .with_context(|| format!("chunk size {:?}", String::from_utf8_lossy(line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
    const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\ncontent-type: text/event-stream\r\n\r\n\
        3\r\nhel\r\n2;note=x\r\nlo\r\n0\r\nx-trailer: 1\r\n\r\n";

    /// Feeds the bytes in pieces of `size`, gives the bodies of all responses in them.
    fn read(bytes: &[u8], size: usize) -> Vec<String> {
        let (mut bodies, mut pending) = (Vec::new(), Vec::new());
        let (mut response, mut text) = (Response::new(), Vec::new());
        for piece in bytes.chunks(size) {
            pending.extend_from_slice(piece);
            loop {
                let taken = response
                    .advance(&pending, |piece| {
                        text.extend_from_slice(piece);
                        Ok(())
                    })
                    .expect("well-formed");
                pending.drain(..taken);
                if !response.is_done() {
                    break;
                }
                bodies.push(String::from_utf8(std::mem::take(&mut text)).expect("text"));
                response = Response::new();
            }
        }
        assert!(pending.is_empty() && text.is_empty(), "{pending:?}");
        bodies
    }

    #[test]
    fn responses_on_one_connection_are_told_apart_however_they_are_cut() {
        let both = [WHOLE, CHUNKED, WHOLE].concat();

        for size in 1..=both.len() {
            assert_eq!(read(&both, size), ["hello", "hello", "hello"], "in pieces of {size}");
        }
    }

    #[test]
    fn an_unfinished_response_is_not_done() {
        for (bytes, name) in [(WHOLE, "whole"), (CHUNKED, "chunked")] {
            for end in 0..bytes.len() {
                let mut response = Response::new();
                response.advance(&bytes[..end], |_| Ok(())).expect("well-formed so far");

                assert!(!response.is_done(), "{name} cut at {end}");
            }
        }
    }

    #[test]
    fn status_kind_and_intention_to_close_are_told() {
        let mut response = Response::new();
        response.advance(CHUNKED, |_| Ok(())).expect("well-formed");
        assert_eq!(
            (response.status, response.is_stream, response.closes),
            (200, true, false)
        );

        let mut response = Response::new();
        let refused = b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        assert_eq!(
            response.advance(refused, |_| Ok(())).expect("well-formed"),
            refused.len()
        );
        assert_eq!(
            (response.status, response.is_done(), response.closes),
            (503, true, true)
        );
    }

    #[test]
    fn a_chunk_longer_than_it_says_is_an_error() {
        let wrong = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhello\r\n";

        assert!(Response::new().advance(wrong, |_| Ok(())).is_err());
    }
}
