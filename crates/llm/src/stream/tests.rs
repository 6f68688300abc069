use gatewright_types::UsageUnit;
use proptest::prelude::*;

use super::*;
use crate::Tokens;

const ROLE: &str = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}],\"usage\":null}\n\n";
const TEXT: &str =
    "data: {\"choices\":[{\"delta\":{\"content\":\"h\u{e9}\"},\"finish_reason\":null}],\"usage\":null}\n\n";
const FINISH: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":null}\n\n";
const USAGE: &str = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2}}\n\n";
const DONE: &str = "data: [DONE]\n\n";
const ERROR: &str = "data: {\"error\":{\"message\":\"gone\",\"code\":502}}\n\n";

/// Everything a stream brought, whichever way its bytes were cut.
#[derive(Debug, PartialEq)]
struct Whole {
    out: String,
    failed: Option<Failure>,
    firsts: usize,
    done: bool,
    finish_seen: bool,
    usage: Option<Tokens>,
    content_events: u64,
}

fn watched(usage: UsageChunk, pieces: &[&[u8]]) -> Whole {
    let mut stream = PassedStream::chat(usage);
    let (mut out, mut failed, mut firsts) = (Vec::new(), None, 0);
    for piece in pieces {
        let seen = stream.push(Bytes::copy_from_slice(piece));
        assert_ne!(seen.out.as_ref().map(Bytes::len), Some(0));
        out.extend(seen.out.into_iter().flatten());
        failed = failed.or(seen.failed);
        firsts += usize::from(seen.first_content);
    }
    let Ended {
        out: last,
        failed: last_failed,
        done,
        finish_seen,
        facts,
        content_events,
        delivered: _,
    } = stream.end();
    out.extend(last.into_iter().flatten());
    let out = String::from_utf8(out).expect("text");
    Whole {
        out,
        failed: failed.or(last_failed),
        firsts,
        done,
        finish_seen,
        usage: facts.usage,
        content_events,
    }
}

fn stripped(text: &str) -> Whole {
    watched(UsageChunk::Strip, &[text.as_bytes()])
}

fn without_null(event: &str) -> String {
    event.replace(",\"usage\":null", "")
}

#[test]
fn a_stream_is_followed_to_its_end() {
    let whole = stripped(&[ROLE, TEXT, TEXT, FINISH, USAGE, DONE].concat());

    let expected = [ROLE, TEXT, TEXT, FINISH].map(without_null).concat();
    assert_eq!(
        (whole.out, whole.failed, whole.done, whole.finish_seen),
        (expected, None, true, true)
    );
    assert_eq!((whole.content_events, whole.firsts), (2, 1));
    let usage = whole.usage.expect("usage");
    assert_eq!(
        (usage.get(UsageUnit::InputUncached), usage.get(UsageUnit::OutputText)),
        (7, 2)
    );
}

#[test]
fn what_the_caller_asked_for_is_kept_byte_for_byte() {
    let sent = [": hello\n\n", ROLE, TEXT, FINISH, USAGE].concat();

    let whole = watched(UsageChunk::Keep, &[format!("{sent}{DONE}").as_bytes()]);

    assert_eq!((whole.out, whole.done), (sent, true));
}

#[test]
fn events_that_need_no_change_are_the_same_bytes() {
    let mut stream = PassedStream::chat(UsageChunk::Strip);
    let bytes = Bytes::from([without_null(TEXT), ": ping\n\n".into(), without_null(TEXT)].concat());
    let with_end = Bytes::from([without_null(FINISH), USAGE.into(), DONE.into()].concat());

    let seen = stream.push(bytes.clone()).out.expect("bytes");
    let cut = stream.push(with_end.clone()).out.expect("bytes");

    assert_eq!((seen.as_ptr(), seen.len()), (bytes.as_ptr(), bytes.len()));
    assert_eq!(
        (cut.as_ptr(), cut.len()),
        (with_end.as_ptr(), without_null(FINISH).len())
    );
}

#[test]
fn the_first_token_is_told_once_and_a_role_is_none() {
    let mut stream = PassedStream::chat(UsageChunk::Strip);
    let mut push = |text: &'static str| stream.push(Bytes::from_static(text.as_bytes())).first_content;

    assert_eq!(
        [push(ROLE), push(": ping\n\n"), push(TEXT), push(TEXT), push(FINISH)],
        [false, false, true, false, false]
    );
    assert_eq!(stripped(&[ROLE, FINISH].concat()).firsts, 1);
}

#[test]
fn usage_told_often_is_taken_last() {
    let cumulative = |count: u64| {
        format!(
            "data: {{\"choices\":[{{\"delta\":{{\"content\":\"x\"}}}}],\"usage\":{{\"prompt_tokens\":5,\"completion_tokens\":{count}}}}}\n\n"
        )
    };
    let sent = [cumulative(1), cumulative(2), cumulative(3)].concat();

    let whole = stripped(&format!("{sent}{DONE}"));

    assert_eq!(
        (whole.usage.map(|usage| usage.total_output()), whole.out),
        (Some(3), sent)
    );
}

#[test]
fn an_error_event_stops_the_stream_before_it() {
    let whole = stripped(&[TEXT, ERROR, TEXT, DONE].concat());

    let failure = whole.failed.expect("a failure");
    assert_eq!(
        (failure.kind, failure.status, failure.message.as_str()),
        (FailureKind::ErrorEvent, Some(502), "gone")
    );
    assert_eq!(
        (whole.out, whole.done, whole.content_events),
        (without_null(TEXT), false, 1)
    );
    assert_eq!(stripped("data: {\"error\":null,\"choices\":[]}\n\n").failed, None);
    assert_eq!(
        stripped("data: {\"error\":\"no\"}\n\n")
            .failed
            .map(|failure| failure.message)
            .as_deref(),
        Some("no")
    );
}

#[test]
fn an_event_that_is_no_json_object_stops_the_stream() {
    for data in ["{\"choices\":[{\"delta\":", "oops", "[]", "{}{}", "null"] {
        let whole = stripped(&format!("{TEXT}data: {data}\n\n{TEXT}"));
        assert_eq!(
            whole.failed.map(|failure| failure.kind),
            Some(FailureKind::Malformed),
            "{data}"
        );
        assert_eq!(whole.out, without_null(TEXT));
    }
}

#[test]
fn nothing_passes_after_the_end() {
    let whole = watched(UsageChunk::Keep, &[DONE.as_bytes(), TEXT.as_bytes(), ERROR.as_bytes()]);

    assert_eq!(
        (whole.out.as_str(), whole.failed, whole.done, whole.content_events),
        ("", None, true, 0)
    );
}

#[test]
fn events_without_data_are_dropped_and_comments_are_not() {
    let whole = stripped("event: ping\n\n: keepalive\n\ndata:\n\n\nid: 1\r\n\r\n");

    assert_eq!(whole.out, ": keepalive\n\n\n");
}

#[test]
fn other_line_ends_and_data_over_several_lines_are_read() {
    let crlf = TEXT.replace("\n\n", "\r\n\r\n");
    let lines = "data: {\"choices\":\ndata: [{\"delta\":{\"content\":\"x\"}}],\"usage\":null}\n\n";
    let split_usage = "data: {\"choices\":[],\ndata: \"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2}}\n\n";

    let whole = stripped(&[crlf.as_str(), lines, split_usage, "data:[DONE]\r\r"].concat());

    assert_eq!(whole.out, without_null(&crlf) + lines);
    assert_eq!(
        (
            whole.content_events,
            whole.done,
            whole.usage.map(|usage| usage.total_input())
        ),
        (2, true, Some(7))
    );
}

#[test]
fn a_last_event_without_its_blank_line_is_completed() {
    for ending in ["", "\n", "\r\n", "\r\n\r"] {
        let whole = stripped(&format!("{TEXT}{}{ending}", FINISH.trim_end()));
        assert_eq!(
            (whole.out, whole.finish_seen),
            ([TEXT, FINISH].map(without_null).concat(), true),
            "{ending:?}"
        );
        assert!(stripped(&format!("{TEXT}data: [DONE]{ending}")).done, "{ending:?}");
        let error = stripped(&format!("{TEXT}{}{ending}", ERROR.trim_end()));
        assert_eq!(
            error.failed.map(|failure| failure.kind),
            Some(FailureKind::ErrorEvent),
            "{ending:?}"
        );
    }
}

#[test]
fn half_an_event_is_dropped_when_the_stream_breaks() {
    for half in ["data: {\"choices\":[{\"del", "data", ": pi", "data: {}x", "event: x\n"] {
        let whole = stripped(&format!("{TEXT}{half}"));
        assert_eq!(
            (whole.out, whole.failed, whole.done, whole.content_events),
            (without_null(TEXT), None, false, 1),
            "{half}"
        );
    }
}

#[test]
fn an_endless_event_is_a_failure() {
    let mut stream = PassedStream::chat(UsageChunk::Strip);
    let piece = Bytes::from(vec![b' '; 4 * 1024 * 1024]);

    let failures: Vec<_> = (0..6)
        .map(|_| stream.push(piece.clone()).failed.map(|failure| failure.kind))
        .collect();

    assert_eq!(failures, [None, None, None, None, Some(FailureKind::Malformed), None]);
}

fn some_event() -> impl Strategy<Value = String> {
    let known = [
        ROLE,
        TEXT,
        FINISH,
        USAGE,
        DONE,
        ERROR,
        ": ping\n\n",
        "\n",
        "event: x\n\n",
        "data: {\n\n",
        "data: {\ndata: }\n\n",
    ];
    (
        proptest::sample::select(known.to_vec()),
        proptest::sample::select(vec!["\n", "\r\n", "\r"]),
    )
        .prop_map(|(event, end)| event.replace('\n', end))
}

proptest! {
    #[test]
    fn any_cuts_give_the_same_bytes_and_facts(
        events in proptest::collection::vec(some_event(), 0..8),
        end in 0_usize..40,
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..12),
        usage in prop_oneof![Just(UsageChunk::Keep), Just(UsageChunk::Strip)],
    ) {
        let mut bytes = events.concat().into_bytes();
        bytes.truncate(bytes.len().saturating_sub(end.saturating_sub(20)));
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        let single: Vec<&[u8]> = bytes.chunks(1).collect();

        let at_once = watched(usage, &[&bytes]);

        prop_assert_eq!(&watched(usage, &pieces), &at_once);
        prop_assert_eq!(&watched(usage, &single), &at_once);
    }

    #[test]
    fn no_bytes_make_it_panic(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..6)) {
        let mut stream = PassedStream::chat(UsageChunk::Strip);
        for piece in pieces {
            stream.push(Bytes::from([b"data: {\"usage\":", piece.as_slice()].concat()));
            stream.push(piece.into());
        }
        stream.end();
    }
}
