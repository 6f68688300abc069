//! Transcripts: what goes in and what must come out, byte for byte.

mod recorded;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use chrono::DateTime;
use gatewright_llm::dialect::PathFacts;
use gatewright_llm::{
    BadRequest, Failure, PassedStream, Request, Script, Step, UsageChunk, classify, error_body, error_event,
    read_answer, sandbox,
};
use gatewright_types::api::Dialect;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::recorded::compare;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// Runs every file of a folder with this ending through `transform`, and compares with the files beside it: `transform`
/// gives each expected file's ending and content.
fn check_folder(name: &str, ending: &str, transform: impl Fn(Vec<u8>) -> Vec<(&'static str, Vec<u8>)>) {
    let mut inputs: Vec<PathBuf> = fs::read_dir(folder(name))
        .expect(name)
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    inputs.sort();
    assert!(!inputs.is_empty(), "no *{ending} in {name}");
    for input in inputs {
        let stem = input.to_string_lossy().trim_end_matches(ending).to_owned();
        for (expected_ending, content) in transform(fs::read(&input).expect("an input")) {
            let path = PathBuf::from(format!("{stem}{expected_ending}"));
            compare(&path, content).unwrap_or_else(|differs| panic!("{differs}"));
        }
    }
}

/// A file's text without the newline that ends it.
fn parse_chat(body: Bytes) -> Result<Request, BadRequest> {
    Request::parse(Dialect::OpenaiChat, body, PathFacts::default())
}

fn trimmed(mut text: Vec<u8>) -> Bytes {
    if text.last() == Some(&b'\n') {
        text.pop();
    }
    text.into()
}

fn failure_line(failure: &Failure) -> String {
    let Failure {
        kind,
        status,
        message,
        code,
        retry_after,
        should_retry: _,
        used: _,
    } = failure;
    format!("{kind:?} status={status:?} code={code:?} retry_after={retry_after:?} message={message:?}\n")
}

#[test]
fn requests_are_forwarded_as_recorded() {
    check_folder("forward", ".request.json", |body| {
        let forwarded = match parse_chat(trimmed(body)) {
            Ok(request) => request
                .forward("upstream/model-1")
                .into_iter()
                .collect::<Vec<_>>()
                .concat(),
            Err(refused) => format!("refused: {refused} ({})", refused.param.as_deref().unwrap_or("-")).into_bytes(),
        };
        vec![(".forwarded.json", [forwarded.as_slice(), b"\n"].concat())]
    });
}

#[test]
fn streams_pass_as_recorded() {
    check_folder("stream", ".in.sse", |stream| {
        let (stripped, facts) = watched(UsageChunk::Strip, &stream);
        let (kept, kept_facts) = watched(UsageChunk::Keep, &stream);
        assert_eq!(facts, kept_facts);
        vec![
            (".strip.sse", stripped),
            (".keep.sse", kept),
            (".facts.txt", facts.into_bytes()),
        ]
    });
}

fn watched(usage: UsageChunk, bytes: &[u8]) -> (Vec<u8>, String) {
    let mut stream = PassedStream::chat(usage);
    let mut out = Vec::new();
    let mut failed = None;
    // Odd pieces, so that events are cut in all places.
    for piece in bytes.chunks(37) {
        let seen = stream.push(Bytes::copy_from_slice(piece));
        out.extend(seen.out.into_iter().flatten());
        failed = failed.or(seen.failed);
    }
    let ended = stream.end();
    out.extend(ended.out.into_iter().flatten());
    let usage = ended
        .facts
        .usage
        .map(|usage| serde_json::to_string(&usage).expect("usage"));
    let failed = failed
        .or(ended.failed)
        .map_or("none\n".into(), |failure| failure_line(&failure));
    let facts = format!(
        "done: {}\nfinish_seen: {}\ncontent_events: {}\nusage: {}\nfailed: {failed}",
        ended.done,
        ended.finish_seen,
        ended.content_events,
        usage.as_deref().unwrap_or("none"),
    );
    (out, facts)
}

#[test]
fn the_sandbox_answers_as_recorded() {
    check_folder("sandbox", ".request.json", |body| {
        let request = parse_chat(trimmed(body)).expect("a request");
        let Script {
            wait,
            status,
            content_type,
            steps,
        } = sandbox(
            request.body(),
            request.stream(),
            "sandbox-small",
            "req_0001",
            1_767_225_600,
        );
        let mut script = format!("wait {wait:?}\nstatus {status}\ncontent-type {content_type}\n").into_bytes();
        for step in steps {
            match step {
                Step::Send(bytes) => script.extend([b"send\n", &bytes[..], b"\n"].concat()),
                Step::Wait(wait) => script.extend(format!("wait {wait:?}\n").into_bytes()),
                Step::Cut => script.extend(b"cut\n"),
                Step::Stall => script.extend(b"stall\n"),
            }
        }
        vec![(".script.txt", script)]
    });
}

/// An input is a status, header lines, a blank line and a body, as on the wire. Status 200 is read as an answer.
#[test]
fn errors_mean_what_was_recorded() {
    check_folder("errors", ".http", |answer| {
        let answer = String::from_utf8(answer).expect("text");
        let (head, body) = answer.split_once("\n\n").expect("a blank line");
        let mut lines = head.lines();
        let status: u16 = lines.next().and_then(|line| line.parse().ok()).expect("a status");
        let mut headers = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(": ").expect("a header");
            let name: HeaderName = name.parse().expect("a header name");
            headers.insert(name, HeaderValue::from_str(value).expect("a header value"));
        }
        let failure = match status {
            200 => read_answer(body.as_bytes()).expect_err("an error").into_failure(),
            _ => classify(status, &headers, body.as_bytes(), DateTime::UNIX_EPOCH),
        };
        let mut told = failure_line(&failure);
        let told_body = error_body(&failure.message, "upstream_error", None, "upstream_error");
        writeln!(told, "{}", String::from_utf8_lossy(&told_body)).expect("a string");
        told += &String::from_utf8_lossy(&error_event(&failure.message, "upstream_error", None, "upstream_error"));
        vec![(".failure.txt", told.into_bytes())]
    });
}
