//! HTTP/1.1 written out by hand, for both ends: tests have to see every byte, and to send what no client library would.

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const HEAD_LIMIT: usize = 256 << 10;

/// How long an answer may take before a test gives up on it.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Headers in their order, names in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(String, String)>);

/// A request to send.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Headers,
    pub body: Vec<u8>,
}

/// The part before a body, whichever side sent it.
#[derive(Debug, Clone)]
pub struct Head {
    pub first_line: String,
    pub headers: Headers,
}

/// A connection with what was read from it and not used yet.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    body: Body,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    Length(u64),
    Chunked,
    UntilClose,
    Over,
}

impl Headers {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }

    /// The header, which has to be there.
    pub fn need(&self, name: &str) -> &str {
        self.get(name)
            .unwrap_or_else(|| panic!("there is no {name} in {self:?}"))
    }
}

impl Request {
    pub fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            ..Self::default()
        }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn headers(self, headers: &[(&str, &str)]) -> Self {
        headers
            .iter()
            .fold(self, |request, (name, value)| request.header(name, value))
    }

    pub fn json(self, body: &Value) -> Self {
        self.bytes("application/json", body.to_string().into_bytes())
    }

    pub fn bytes(mut self, kind: &str, body: Vec<u8>) -> Self {
        self.body = body;
        self.header("content-type", kind)
    }

    /// The whole request as it goes over the wire.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.encode_head(Some(self.body.len()));
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Only the head, announcing a body of that length.
    pub fn encode_head(&self, length: Option<usize>) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nhost: 127.0.0.1\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(length) = length.filter(|length| *length > 0 || self.method != "GET") {
            head.push_str(&format!("content-length: {length}\r\n"));
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    /// Sends it over a connection of its own and reads the whole answer. An answer that breaks off is an error.
    pub async fn send(&self, address: SocketAddr) -> Result<Answer> {
        let work = async {
            let mut connection = Connection::open(address).await?;
            connection.write(&self.encode()).await?;
            connection.answer().await
        };
        timeout(PATIENCE, work)
            .await
            .unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
    }
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.text()))
    }

    pub fn read<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }

    /// Asserts on the status and passes the answer on.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
}

impl Head {
    fn parse(text: &str) -> Result<Self> {
        let mut lines = text.split("\r\n");
        let first_line = lines.next().unwrap_or_default().to_owned();
        let mut headers = Vec::new();
        for line in lines {
            let (name, value) = line.split_once(':').ok_or(ErrorKind::InvalidData)?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        Ok(Self {
            first_line,
            headers: Headers(headers),
        })
    }

    pub fn status(&self) -> Result<u16> {
        let code = self.first_line.split(' ').nth(1).and_then(|code| code.parse().ok());
        code.ok_or_else(|| Error::new(ErrorKind::InvalidData, self.first_line.clone()))
    }

    fn body(&self, otherwise: Body) -> Result<Body> {
        if self
            .headers
            .get("transfer-encoding")
            .is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"))
        {
            return Ok(Body::Chunked);
        }
        match self.headers.get("content-length") {
            Some(length) => length
                .parse()
                .map(Body::Length)
                .map_err(|_| ErrorKind::InvalidData.into()),
            None => Ok(otherwise),
        }
    }
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self::of(stream))
    }

    pub fn of(stream: TcpStream) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
            body: Body::Over,
        }
    }

    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).await
    }

    /// The head of a request that arrives; `None` when the peer has closed instead.
    pub async fn request_head(&mut self) -> Result<Option<Head>> {
        let Some(head) = self.head().await? else {
            return Ok(None);
        };
        self.body = head.body(Body::Over)?;
        Ok(Some(head))
    }

    /// The head of an answer.
    pub async fn answer_head(&mut self) -> Result<Head> {
        loop {
            let head = self.head().await?.ok_or(ErrorKind::UnexpectedEof)?;
            let status = head.status()?;
            if status == 100 {
                continue;
            }
            self.body = if matches!(status, 204 | 304) {
                Body::Over
            } else {
                head.body(Body::UntilClose)?
            };
            return Ok(head);
        }
    }

    pub async fn answer(&mut self) -> Result<Answer> {
        let head = self.answer_head().await?;
        let body = self.rest().await?;
        Ok(Answer {
            status: head.status()?,
            headers: head.headers,
            body,
        })
    }

    /// The rest of the body.
    pub async fn rest(&mut self) -> Result<Vec<u8>> {
        let mut whole = Vec::new();
        while let Some(piece) = self.piece().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }

    /// Some more of the body; `None` at its proper end. With chunked coding a piece is one chunk.
    pub async fn piece(&mut self) -> Result<Option<Vec<u8>>> {
        match self.body {
            Body::Over => Ok(None),
            Body::Length(0) => {
                self.body = Body::Over;
                Ok(None)
            }
            Body::Length(left) => {
                if self.buffer.is_empty() && !self.fill().await? {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
                let take = self.buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                self.body = Body::Length(left - take as u64);
                Ok(Some(self.buffer.drain(..take).collect()))
            }
            Body::UntilClose => {
                if self.buffer.is_empty() && !self.fill().await? {
                    self.body = Body::Over;
                    return Ok(None);
                }
                Ok(Some(std::mem::take(&mut self.buffer)))
            }
            Body::Chunked => self.chunk().await,
        }
    }

    async fn chunk(&mut self) -> Result<Option<Vec<u8>>> {
        let line = self.through(b"\r\n").await?.ok_or(ErrorKind::UnexpectedEof)?;
        let size = String::from_utf8_lossy(&line).trim().to_owned();
        let size = usize::from_str_radix(&size, 16).map_err(|_| ErrorKind::InvalidData)?;
        while self.buffer.len() < size + 2 {
            if !self.fill().await? {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        let bytes: Vec<u8> = self.buffer.drain(..size).collect();
        self.buffer.drain(..2);
        if size == 0 {
            self.body = Body::Over;
            return Ok(None);
        }
        Ok(Some(bytes))
    }

    /// Closes this side; the peer may still send.
    pub async fn finish(&mut self) -> Result<()> {
        self.stream.shutdown().await
    }

    /// Passes bytes on between the peer and another connection until both are over.
    pub async fn tunnel(mut self, mut other: TcpStream) -> Result<()> {
        other.write_all(&self.buffer).await?;
        tokio::io::copy_bidirectional(&mut self.stream, &mut other).await?;
        Ok(())
    }

    /// Waits until the peer closes its side, however it does it.
    pub async fn closed(&mut self) {
        while matches!(self.fill().await, Ok(true)) {}
    }

    async fn head(&mut self) -> Result<Option<Head>> {
        let Some(bytes) = self.through(b"\r\n\r\n").await? else {
            return Ok(None);
        };
        let text = String::from_utf8(bytes).map_err(|_| ErrorKind::InvalidData)?;
        Head::parse(text.trim_end_matches("\r\n")).map(Some)
    }

    /// Bytes up to and with a mark; `None` when the peer closed before sending anything.
    async fn through(&mut self, mark: &[u8]) -> Result<Option<Vec<u8>>> {
        loop {
            if let Some(at) = self.buffer.windows(mark.len()).position(|window| window == mark) {
                return Ok(Some(self.buffer.drain(..at + mark.len()).collect()));
            }
            if self.buffer.len() > HEAD_LIMIT {
                return Err(ErrorKind::InvalidData.into());
            }
            if !self.fill().await? {
                return if self.buffer.is_empty() {
                    Ok(None)
                } else {
                    Err(ErrorKind::UnexpectedEof.into())
                };
            }
        }
    }

    async fn fill(&mut self) -> Result<bool> {
        Ok(self.stream.read_buf(&mut self.buffer).await? > 0)
    }
}
