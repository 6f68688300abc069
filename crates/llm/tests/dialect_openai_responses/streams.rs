//! Streams as providers send them.

use gatewright_llm::chat::{Maker, Part, Thinking};
use gatewright_llm::dialect::Inbound;
use gatewright_llm::dialect::openai_responses::OpenaiResponses;
use gatewright_llm::event::{Event, Opening, Stop};
use gatewright_llm::{FailureKind, Tokens};

use crate::fixtures::{ANSWERS, BROKEN_STREAMS, answer, call, decode, encode, gather, signature, stream};

fn of(events: &[&str]) -> Vec<Event> {
    let text: String = events.iter().map(|data| format!("data: {data}\n\n")).collect();
    decode(text.as_bytes())
}

const COMPLETED: &str = r#"{"type":"response.completed","response":{"id":"r","model":"m","output":[]}}"#;

#[test]
fn a_stream_amounts_to_the_whole_answer() {
    for name in ANSWERS {
        assert_eq!(gather(&decode(&stream(name))), answer(name), "{name}");
    }
}

#[test]
fn a_stream_is_told_piece_by_piece() {
    let events = decode(&stream("tools"));

    let expected = [
        Event::Start {
            id: Some("resp_tools".into()),
            model: Some("gpt-5.1-2025-11-13".into()),
        },
        Event::Open(Opening::Text),
        Event::Add("Let me".into()),
        Event::Add(" look.".into()),
        Event::Close,
        Event::Open(Opening::ToolCall {
            id: "call_turin".into(),
            name: "get_weather".into(),
        }),
        Event::Add("{\"place\":".into()),
        Event::Add("\"Turin\",\"unit\":null}".into()),
        Event::Close,
        Event::Usage(answer("tools").usage.expect("usage")),
        Event::Stop(Stop::ToolCalls),
    ];
    assert_eq!(events, expected);
}

#[test]
fn a_stream_written_and_read_again_is_the_same() {
    for name in ANSWERS {
        let events = decode(&stream(name));
        let Some(Event::Start { id: Some(id), .. }) = events.first() else {
            panic!("{events:?}");
        };
        let request_id = id.replace("resp_", "req_");

        let again = decode(&encode(&events, &request_id));

        assert_eq!(again, events, "{name}");
    }
}

#[test]
fn a_broken_stream_fails_after_what_came() {
    for name in BROKEN_STREAMS {
        let events = decode(&stream(name));

        assert!(events.contains(&Event::Add("Once".into())), "{name}");
        let failures: Vec<_> = events
            .iter()
            .filter(|event| matches!(event, Event::Failed(_)))
            .collect();
        assert_eq!((failures.len(), failures.last()), (1, events.last().as_ref()), "{name}");
        let Some(Event::Failed(failure)) = events.last() else {
            panic!("{name}");
        };
        let (kind, code) = match name {
            "error-midstream" => (FailureKind::ErrorEvent, Some("server_error")),
            _ => (FailureKind::Malformed, None),
        };
        assert_eq!((failure.kind, failure.code.as_deref()), (kind, code), "{name}");
    }
}

#[test]
fn parts_that_are_only_told_whole_are_told_once() {
    let item = r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"message","content":[{"type":"output_text","text":"Hi"},{"type":"refusal","refusal":"No"}]}}"#;
    let call_item = r#"{"type":"response.output_item.done","output_index":1,"item":{"type":"function_call","call_id":"c","name":"f","arguments":"{\"a\":1}"}}"#;
    let sealed = r#"{"type":"response.output_item.done","output_index":2,"item":{"type":"reasoning","summary":[{"text":"a"},{"text":"b"}],"encrypted_content":"s"}}"#;
    let expected = [
        Part::text("Hi"),
        Part::Refusal("No".into()),
        Part::ToolCall(call("c", "f", "{\"a\":1}")),
        Part::Thinking(Thinking {
            text: "a\n\nb".into(),
            signature: signature(Maker::Openai, "s"),
        }),
    ];

    let items_only = of(&[item, call_item, sealed, COMPLETED]);
    let with_pieces = of(&[
        r#"{"type":"response.output_text.done","output_index":0,"content_index":0,"text":"Hi"}"#,
        r#"{"type":"response.content_part.done","output_index":0,"content_index":1,"part":{"type":"refusal","refusal":"No"}}"#,
        item,
        r#"{"type":"response.output_item.added","output_index":1,"item":{"type":"function_call","call_id":"c","name":"f","arguments":""}}"#,
        r#"{"type":"response.function_call_arguments.done","output_index":1,"arguments":"{\"a\":1}"}"#,
        call_item,
        r#"{"type":"response.reasoning_summary_text.done","output_index":2,"summary_index":0,"text":"a"}"#,
        r#"{"type":"response.reasoning_summary_text.delta","output_index":2,"summary_index":1,"delta":"b"}"#,
        r#"{"type":"response.reasoning_summary_text.done","output_index":2,"summary_index":1,"text":"b"}"#,
        sealed,
        COMPLETED,
    ]);
    let response_only = of(&[r#"{"type":"response.completed","response":{"output":[
            {"type":"message","content":[{"type":"output_text","text":"Hi"},{"type":"refusal","refusal":"No"}]},
            {"type":"function_call","call_id":"c","name":"f","arguments":"{\"a\":1}"},
            {"type":"reasoning","summary":[{"text":"a"},{"text":"b"}],"encrypted_content":"s"}]}}"#
        .replace('\n', " ")
        .as_str()]);

    for events in [items_only, with_pieces, response_only] {
        assert_eq!(gather(&events).parts, expected);
    }
}

#[test]
fn a_call_that_is_told_late_or_without_arguments_is_told() {
    let added = r#"{"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","call_id":"c","name":"f","arguments":""}}"#;
    let finished = r#"{"type":"response.completed","response":{"output":[{"type":"function_call","call_id":"c","name":"f","arguments":"{\"a\":1}"}]}}"#;
    let check = |events: &[&str], arguments: &str| {
        let answer = gather(&of(events));
        assert_eq!(answer.parts, [Part::ToolCall(call("c", "f", arguments))], "{events:?}");
        assert_eq!(answer.stop, Stop::ToolCalls);
    };

    check(&[added, finished], "{\"a\":1}");
    check(
        &[
            added,
            r#"{"type":"response.function_call_arguments.done","output_index":0,"arguments":""}"#,
            COMPLETED,
        ],
        "{}",
    );
    // The name comes with the whole item only.
    check(
        &[
            r#"{"type":"response.output_item.added","output_index":0,"item":{"type":"function_call"}}"#,
            r#"{"type":"response.function_call_arguments.delta","output_index":0,"delta":"{\"a\":1}"}"#,
            r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"function_call","call_id":"c","name":"f","arguments":"{\"a\":1}"}}"#,
            COMPLETED,
        ],
        "{\"a\":1}",
    );
}

#[test]
fn items_that_all_have_the_same_number_are_told_apart() {
    let message = |text: &str| {
        [
            r#"{"type":"response.output_item.added","output_index":0,"item":{"type":"message"}}"#.to_owned(),
            format!(r#"{{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"{text}"}}"#),
        ]
    };
    let events = [message("a"), message("b")].concat();
    let mut events: Vec<&str> = events.iter().map(String::as_str).collect();
    events.push(r#"{"type":"response.completed","response":{"output":[{"type":"message","content":[{"type":"output_text","text":"a"}]},{"type":"message","content":[{"type":"output_text","text":"b"}]}]}}"#);

    assert_eq!(gather(&of(&events)).parts, [Part::text("a"), Part::text("b")]);
}

#[test]
fn thoughts_that_are_told_twice_are_told_once() {
    let answer = gather(&of(&[
        r#"{"type":"response.reasoning_text.delta","output_index":0,"content_index":0,"delta":"verbatim"}"#,
        r#"{"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":0,"delta":"summary"}"#,
        r#"{"type":"response.reasoning_summary_text.done","output_index":0,"summary_index":0,"text":"summary"}"#,
        r#"{"type":"response.reasoning_text.done","output_index":0,"content_index":0,"text":"verbatim"}"#,
        r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"reasoning","summary":[{"text":"summary"}],"content":[{"text":"verbatim"}]}}"#,
        COMPLETED,
    ]));

    let thinking = Thinking {
        text: "verbatim".into(),
        signature: None,
    };
    assert_eq!(answer.parts, [Part::Thinking(thinking)]);
}

#[test]
fn parts_side_by_side_come_one_after_the_other() {
    let added = |index: u8| {
        format!(
            r#"{{"type":"response.output_item.added","output_index":{index},"item":{{"type":"function_call","call_id":"c{index}","name":"f"}}}}"#
        )
    };
    let piece = |index: u8, text: &str| {
        format!(r#"{{"type":"response.function_call_arguments.delta","output_index":{index},"delta":"{text}"}}"#)
    };
    let done = |index: u8| {
        format!(r#"{{"type":"response.function_call_arguments.done","output_index":{index},"arguments":"x"}}"#)
    };
    let events = [added(0), added(1), piece(1, "b"), piece(0, "a"), done(1), done(0)];
    let mut events: Vec<&str> = events.iter().map(String::as_str).collect();
    events.push(COMPLETED);

    let answer = gather(&of(&events));

    assert_eq!(
        answer.parts,
        [
            Part::ToolCall(call("c0", "f", "a")),
            Part::ToolCall(call("c1", "f", "b"))
        ]
    );
}

#[test]
fn the_last_event_says_why_it_ended() {
    let delta = r#"{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"x"}"#;
    let check = |last: &str, expected: Stop| {
        assert_eq!(of(&[delta, last]).last(), Some(&Event::Stop(expected)), "{last}");
    };

    check(COMPLETED, Stop::End);
    check(
        r#"{"type":"response.incomplete","response":{"incomplete_details":{"reason":"max_output_tokens"}}}"#,
        Stop::Length,
    );
    check(
        r#"{"type":"response.incomplete","response":{"incomplete_details":{"reason":"content_filter"}}}"#,
        Stop::Refused,
    );
    check(
        r#"{"type":"response.incomplete","response":{"status":"incomplete"}}"#,
        Stop::Length,
    );
}

#[test]
fn what_is_no_event_fails_and_what_is_unknown_does_not_matter() {
    let failed = |events: &[&str]| match of(events).pop() {
        Some(Event::Failed(failure)) => (failure.kind, failure.message),
        other => panic!("{other:?}"),
    };
    let message = |words: &str| words.to_owned();

    assert_eq!(
        failed(&["nonsense"]),
        (
            FailureKind::Malformed,
            message("the provider's answer is not a JSON object")
        )
    );
    assert_eq!(
        failed(&[r#"{"error":{"message":"no luck"}}"#]),
        (FailureKind::ErrorEvent, message("no luck"))
    );
    assert_eq!(
        failed(&[
            r#"{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"no luck"}}}"#
        ]),
        (FailureKind::ErrorEvent, message("no luck"))
    );
    let events = of(&[
        r#"{"type":"response.queued","response":{"id":"r"}}"#,
        r#"{"type":"keepalive","sequence_number":1}"#,
        r#"{"type":"response.web_search_call.completed","output_index":0}"#,
        COMPLETED,
        "[DONE]",
        r#"{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"late"}"#,
    ]);
    let start = Event::Start {
        id: Some("r".into()),
        model: None,
    };
    assert_eq!(events, [start, Event::Stop(Stop::End)]);
}

/// How many events brought content, and which numbers of events finished, ended and failed the stream.
fn watched(stream: &[u8]) -> (usize, Vec<usize>, Vec<usize>, Vec<FailureKind>, Option<Tokens>) {
    let mut watch = OpenaiResponses.watcher();
    let text = std::str::from_utf8(stream).expect("text");
    let (mut content, mut finish, mut done, mut failed) = (0, vec![], vec![], vec![]);
    for (number, data) in text.lines().filter_map(|line| line.strip_prefix("data: ")).enumerate() {
        let looked = watch.look(data.as_bytes());
        content += usize::from(looked.content);
        finish.extend(looked.finish.then_some(number));
        done.extend(looked.done.then_some(number));
        failed.extend(looked.failed.map(|failure| failure.kind));
    }
    (content, finish, done, failed, watch.facts().usage)
}

#[test]
fn a_watched_stream_tells_its_usage_and_its_end() {
    let check = |name: &str, content: usize, last: usize| {
        let expected = (content, vec![last], vec![last], vec![], answer(name).usage);
        assert_eq!(watched(&stream(name)), expected, "{name}");
    };

    check("basic", 3, 10);
    check("tools", 4, 14);
    check("reasoning", 5, 20);
    check("refusal", 2, 9);
    check("length", 2, 9);
}

#[test]
fn a_watched_stream_tells_its_failure() {
    let (content, finish, done, failed, _) = watched(&stream("error-midstream"));
    assert_eq!((content, finish, done), (1, vec![], vec![]));
    assert_eq!(failed, [FailureKind::ErrorEvent, FailureKind::ErrorEvent]);

    let (content, finish, _, failed, usage) = watched(&stream("stall"));
    assert_eq!((content, finish, failed, usage), (2, vec![], vec![], None));

    assert_eq!(watched(b"data: nonsense").3, [FailureKind::Malformed]);
    assert_eq!(
        watched(b"data: {\"error\":{\"message\":\"x\"}}").3,
        [FailureKind::ErrorEvent]
    );
    assert_eq!(watched(b"data: [DONE]").2, [0]);
}

#[test]
fn a_watched_stream_without_pieces_has_content_all_the_same() {
    let item = br#"data: {"type":"response.output_item.done","item":{"type":"message"}}"#;

    assert_eq!(watched(item).0, 1);
}
