//! What is no conversation, or is a part of one that is read in one dialect only.

use std::time::Duration;

use bytes::Bytes;
use chrono::DateTime;
use gatewright_llm::dialect::PathFacts;
use gatewright_llm::embed::{Amount, EmbedAnswer, EmbedContents, EmbedDialect, EmbedRequest, Encoding, Wanted};
use gatewright_llm::{PassedStream, Request, Step, UsageChunk, classify, count_request, read_answer, sandbox};
use gatewright_types::api::Dialect;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::conversation::assert_json;

fn assert_written(wanted: &Wanted<'_>) {
    for dialect in EmbedDialect::ALL {
        for (body, _) in dialect.write(wanted, "m").into_iter().flat_map(|shares| shares.bodies) {
            assert_json(&body);
        }
    }
}

pub(super) fn embeddings(bytes: &[u8]) {
    if let Ok(request) = EmbedRequest::parse(Bytes::copy_from_slice(bytes)) {
        let forwarded: Vec<Bytes> = request
            .forward("upstream/model-1", Encoding::Float)
            .into_iter()
            .collect();
        assert_json(&forwarded.concat());
        if let Ok(wanted) = request.read() {
            assert_written(&wanted);
        }
    }
    for amount in [Amount::One, Amount::Several] {
        if let Ok(contents) = EmbedContents::parse(Bytes::copy_from_slice(bytes), amount) {
            for (body, _) in contents.forward("upstream/model-1") {
                assert_json(&body);
            }
            if let Ok(wanted) = contents.read() {
                assert_written(&wanted);
            }
        }
    }
    for inputs in [1, 2] {
        let answers = [
            EmbedAnswer::read_openai(bytes, inputs),
            EmbedAnswer::read_gemini(bytes, inputs),
            EmbedAnswer::read_cohere(bytes, inputs),
        ];
        for answer in answers.into_iter().flatten() {
            for encoding in [Encoding::Float, Encoding::Base64] {
                assert_json(&answer.write(encoding, "m"));
            }
        }
    }
}

/// A status, header lines, a blank line and a body, or else all of it a body.
pub(super) fn error(bytes: &[u8]) {
    let _ = read_answer(bytes);
    let at = bytes.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = at.map_or((&b""[..], bytes), |at| (&bytes[..at], &bytes[at + 2..]));
    let mut lines = head.split(|byte| *byte == b'\n');
    let status = lines
        .next()
        .and_then(|line| std::str::from_utf8(line).ok()?.parse().ok());
    let mut headers = HeaderMap::new();
    for line in lines {
        let Some(colon) = line.windows(2).position(|pair| pair == b": ") else {
            continue;
        };
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = HeaderValue::from_bytes(&line[colon + 2..]);
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.insert(name, value);
        }
    }
    let failure = classify(status.unwrap_or(500), &headers, body, DateTime::UNIX_EPOCH);
    let length = failure.message.chars().count();
    assert!((1..=500).contains(&length), "{failure:?}");
}

/// A chat request to a provider of the same dialect.
pub(super) fn forward(bytes: &[u8]) {
    let body = Bytes::copy_from_slice(bytes);
    let Ok(request) = Request::parse(Dialect::OpenaiChat, body, PathFacts::default()) else {
        return;
    };
    let _ = count_request("m", request.body());
    let forwarded: Vec<Bytes> = request.forward("upstream/model-1").into_iter().collect();
    let forwarded = forwarded.concat();
    assert_json(&forwarded);
    let again = Request::parse(Dialect::OpenaiChat, forwarded.into(), PathFacts::default()).expect("a request");
    assert_eq!(again.model(), "upstream/model-1");
    assert_eq!(again.stream(), request.stream());
    assert!(!again.stream() || again.caller_asked_usage());
}

pub(super) fn sandboxed(bytes: &[u8]) {
    for stream in [true, false] {
        let script = sandbox(bytes, stream, "sandbox-small", "req_1", 1_794_200_000);
        assert!(script.wait <= Duration::from_secs(3_600), "{script:?}");
        let is_empty = |step: &Step| matches!(step, Step::Send(bytes) if bytes.is_empty());
        assert!(!script.steps.iter().any(is_empty), "{script:?}");
    }
}

/// A chat stream that passes on, cut in all places.
pub(super) fn chat_stream(bytes: &[u8]) {
    for usage in [UsageChunk::Keep, UsageChunk::Strip] {
        let whole = watched(usage, [bytes]);
        assert_eq!(watched(usage, bytes.chunks(1)), whole);
        assert_eq!(watched(usage, bytes.chunks(37)), whole);
    }
}

fn watched<'a>(usage: UsageChunk, pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<u8>, String) {
    let mut stream = PassedStream::chat(usage);
    let mut out = Vec::new();
    let mut failed = None;
    for piece in pieces {
        let seen = stream.push(Bytes::copy_from_slice(piece));
        out.extend(seen.out.into_iter().flatten());
        failed = failed.or(seen.failed);
    }
    let mut ended = stream.end();
    out.extend(ended.out.take().into_iter().flatten());
    (out, format!("{ended:?} {failed:?}"))
}
