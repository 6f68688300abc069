//! As much HTTP/1.1 as the load generator and the mock need: where a head ends, its first line and a few headers.
//! Neither side is exposed to strangers, so anything unusual is an error rather than a case.

use anyhow::{Context, Result, bail};

/// The part of a message before its body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head<'a> {
    text: &'a str,
}

/// How the end of a body is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    Length(u64),
    Chunked,
}

impl<'a> Head<'a> {
    /// The head at the start of `bytes` and the number of bytes it takes; `None` until all of it is there.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Option<(Self, usize)>> {
        let Some(end) = memchr::memmem::find(bytes, b"\r\n\r\n") else {
            if bytes.len() > 64 * 1024 {
                bail!("a message head of more than 64 KiB");
            }
            return Ok(None);
        };
        let text = bytes.get(..end).and_then(|head| std::str::from_utf8(head).ok());
        let text = text.context("a message head that is not text")?;
        Ok(Some((Self { text }, end + 4)))
    }

    /// The status code of a response.
    pub(crate) fn status(&self) -> Result<u16> {
        let mut words = self.text.split(' ');
        match (
            words.next(),
            words.next().and_then(|code| code.trim_end().get(..3)?.parse().ok()),
        ) {
            (Some(version), Some(code)) if version.starts_with("HTTP/1.") => Ok(code),
            _ => bail!("no status line: {:?}", self.text.lines().next().unwrap_or_default()),
        }
    }

    /// Method and path of a request.
    pub(crate) fn request_line(&self) -> Option<(&'a str, &'a str)> {
        let mut words = self.text.split(' ');
        Some((words.next()?, words.next()?))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&'a str> {
        let lines = self.text.split("\r\n").skip(1);
        let mut headers = lines.filter_map(|line| line.split_once(':'));
        headers
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }

    pub(crate) fn framing(&self) -> Result<Option<Framing>> {
        if let Some(coding) = self.header("transfer-encoding") {
            return match coding.eq_ignore_ascii_case("chunked") {
                true => Ok(Some(Framing::Chunked)),
                false => bail!("transfer-encoding {coding}"),
            };
        }
        let Some(length) = self.header("content-length") else {
            return Ok(None);
        };
        Ok(Some(Framing::Length(
            length.parse().with_context(|| format!("content-length {length:?}"))?,
        )))
    }

    pub(crate) fn closes(&self) -> bool {
        self.header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        let text = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nconnection: Close\r\n\r\nbody";

        assert!(Head::parse(&text[..text.len() - 6]).expect("no error").is_none());
        let (head, length) = Head::parse(text).expect("no error").expect("the head is whole");
        assert_eq!((head.status().expect("a status"), length), (200, text.len() - 4));
        assert_eq!(head.framing().expect("known"), Some(Framing::Length(12)));
        assert!(head.closes());
        assert_eq!(head.header("x-other"), None);
    }

    #[test]
    fn what_is_no_response_is_an_error() {
        let (head, _) = Head::parse(b"SSH-2.0 hello\r\n\r\n").expect("no error").expect("whole");

        assert!(head.status().is_err());
    }
}
