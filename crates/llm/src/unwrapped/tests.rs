use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use gatewright_types::UsageUnit;

use super::*;
use crate::FailureKind;
use crate::dialect::bedrock::event_stream::write_frame;

const START: &str = r#"{"type":"message_start","message":{"usage":{"input_tokens":9,"output_tokens":1}}}"#;
const TEXT: &str = r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"},"new":[1]}"#;
const DELTA: &str = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}"#;
const STOP: &str = r#"{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":9,"outputTokenCount":2,"cacheReadInputTokenCount":4}}"#;

fn chunk(data: &str) -> Vec<u8> {
    let payload = format!(r#"{{"bytes":"{}","p":"abcdef"}}"#, BASE64.encode(data));
    write_frame(
        &[(":message-type", "event"), (":event-type", "chunk")],
        payload.as_bytes(),
    )
}

fn exception(name: &str) -> Vec<u8> {
    let headers = [(":message-type", "exception"), (":exception-type", name)];
    write_frame(&headers, br#"{"message":"it broke"}"#)
}

/// What passes, and what ends it; cut into pieces of this size.
fn passed(frames: &[Vec<u8>], piece: usize) -> (String, Option<FailureKind>, Ended) {
    let mut stream = UnwrappedStream::default();
    let (mut out, mut failed) = (Vec::new(), None);
    for bytes in frames.concat().chunks(piece) {
        let seen = stream.push(bytes);
        out.extend(seen.out.into_iter().flatten());
        failed = failed.or(seen.failed.map(|failure| failure.kind));
    }
    let ended = stream.end();
    out.extend(ended.out.iter().flatten());
    (String::from_utf8(out).expect("text"), failed, ended)
}

fn event(name: &str, data: &str) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

#[test]
fn events_pass_as_they_were_wrapped() {
    let frames = [START, TEXT, DELTA, STOP].map(chunk);
    let expected = [
        event("message_start", START),
        event("content_block_delta", TEXT),
        event("message_delta", DELTA),
        event("message_stop", STOP),
    ];
    for piece in [1, 7, 100_000] {
        let (out, failed, ended) = passed(&frames, piece);

        assert_eq!((out, failed), (expected.concat(), None));
        assert!(ended.done && ended.finish_seen);
        let usage = ended.facts.usage.expect("usage");
        assert_eq!((usage.get(UsageUnit::InputUncached), usage.total_output()), (9, 2));
    }
}

#[test]
fn what_bedrock_counted_stands_in_where_the_events_do_not_tell() {
    let (_, _, ended) = passed(&[chunk(TEXT), chunk(STOP)], 100_000);

    let usage = ended.facts.usage.expect("usage");
    let told = [
        UsageUnit::InputUncached,
        UsageUnit::InputCacheRead,
        UsageUnit::OutputText,
    ]
    .map(|unit| usage.get(unit));
    assert_eq!(told, [9, 4, 2]);
}

#[test]
fn what_breaks_a_stream_is_told_by_its_kind_after_what_came_before() {
    let check = |frame: Vec<u8>, kind| {
        let (out, failed, ended) = passed(&[chunk(START), chunk(TEXT), frame, chunk(STOP)], 100_000);

        assert_eq!(
            out,
            [event("message_start", START), event("content_block_delta", TEXT)].concat()
        );
        assert_eq!((failed, ended.done), (Some(kind), false));
    };
    let mut damaged = chunk(TEXT);
    if let Some(byte) = damaged.last_mut() {
        *byte ^= 1;
    }

    check(exception("throttlingException"), FailureKind::RateLimited);
    check(exception("internalServerException"), FailureKind::Server);
    check(exception("modelTimeoutException"), FailureKind::Timeout);
    check(exception("serviceUnavailableException"), FailureKind::Overloaded);
    check(exception("somethingNew"), FailureKind::ErrorEvent);
    check(damaged, FailureKind::Malformed);
    check(chunk("[1]"), FailureKind::Malformed);
    check(
        chunk(r#"{"type":"error","error":{"type":"overloaded_error","message":"m"}}"#),
        FailureKind::Overloaded,
    );
}

#[test]
fn a_stream_that_is_cut_is_not_whole() {
    let mut half = chunk(DELTA);
    half.truncate(half.len() / 2);
    let (out, failed, ended) = passed(&[chunk(START), chunk(TEXT), half], 5);

    assert_eq!(
        out,
        [event("message_start", START), event("content_block_delta", TEXT)].concat()
    );
    assert_eq!((failed, ended.done, ended.finish_seen), (None, false, false));
    assert_eq!(ended.facts.usage.map(|usage| usage.total_input()), Some(9));
}

#[test]
fn an_event_over_several_lines_becomes_one() {
    let (out, ..) = passed(&[chunk("{\r\n \"type\": \"ping\"\n}")], 100_000);

    assert_eq!(out, event("ping", "{   \"type\": \"ping\" }"));
}
