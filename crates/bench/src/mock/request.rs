//! Finds out whether a whole request has come, without reading what it says.

use anyhow::{Result, bail};

use crate::http::{Framing, Head};

/// Where a request's parts end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Length {
    pub(crate) head: usize,
    pub(crate) total: usize,
    pub(crate) asked: Asked,
}

/// Whose dialect it is in, by its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Openai,
    Anthropic,
}

/// The extent of the request at the start of `bytes`; `None` until all of it is there.
pub(crate) fn whole(bytes: &[u8]) -> Result<Option<Length>> {
    let Some((head, length)) = Head::parse(bytes)? else {
        return Ok(None);
    };
    let Some((method, path)) = head.request_line() else {
        bail!("no request line")
    };
    let asked = match path.rsplit_once("/v1/") {
        Some((_, "chat/completions")) if method == "POST" => Asked::Openai,
        Some((_, "messages")) if method == "POST" => Asked::Anthropic,
        _ => bail!("{method} {path} is not served here"),
    };
    let body = match head.framing()? {
        Some(Framing::Length(body)) => usize::try_from(body)?,
        Some(Framing::Chunked) => bail!("a request of unknown length: no gateway has reason to send one"),
        None => 0,
    };
    let total = length + body;
    Ok((bytes.len() >= total).then_some(Length {
        head: length,
        total,
        asked,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_whole_when_its_body_is() {
        let head = "POST /v1/chat/completions HTTP/1.1\r\ncontent-length: 2\r\n\r\n";
        let request = format!("{head}{{}}POST");
        let length = Length {
            head: head.len(),
            total: head.len() + 2,
            asked: Asked::Openai,
        };

        assert_eq!(whole(request.as_bytes()).expect("no error"), Some(length));
        for end in 0..length.total {
            assert_eq!(
                whole(&request.as_bytes()[..end]).expect("no error"),
                None,
                "cut at {end}"
            );
        }
    }

    #[test]
    fn the_address_tells_the_dialect() {
        let asked = |line: &str| whole(format!("{line} HTTP/1.1\r\ncontent-length: 0\r\n\r\n").as_bytes());

        let messages = asked("POST /v1/messages").expect("no error").expect("all of it");
        assert_eq!(messages.asked, Asked::Anthropic);
        assert!(asked("GET /v1/messages").is_err());
        assert!(asked("POST /v1/embeddings").is_err());
    }
}
