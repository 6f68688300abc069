//! Streams, read, written and watched.

use gatewright_llm::chat::{Maker, Signature};
use gatewright_llm::dialect::anthropic::Anthropic;
use gatewright_llm::dialect::{Inbound, Looked};
use gatewright_llm::event::{Event, Opening, Stop};
use gatewright_llm::{FailureKind, Tokens};
use gatewright_types::UsageUnit;

use crate::fixtures::{STREAMS, fixture};
use crate::{decode, encode, fail, usage};

fn stream(name: &str) -> Vec<Event> {
    decode(fixture(STREAMS, name).as_bytes())
}

fn start(name: &str) -> Event {
    Event::Start {
        id: Some(format!("msg_01{name}").into()),
        model: Some("claude-sonnet-4-5-20250929".into()),
    }
}

fn used(counts: &[(UsageUnit, u64)]) -> Event {
    Event::Usage(usage(counts).expect("usage"))
}

fn used_text(input: u64, output: u64) -> Event {
    used(&[(UsageUnit::InputUncached, input), (UsageUnit::OutputText, output)])
}

fn add(text: &str) -> Event {
    Event::Add(text.into())
}

fn open_call(id: &str, name: &str) -> Event {
    Event::Open(Opening::ToolCall {
        id: id.into(),
        name: name.into(),
    })
}

#[test]
fn text_in_pieces() {
    let expected = [
        start("basic"),
        used_text(21, 1),
        Event::Open(Opening::Text),
        add("The path"),
        add("  is longer — "),
        add("at dusk."),
        Event::Close,
        used_text(21, 9),
        Event::Stop(Stop::End),
    ];
    assert_eq!(stream("basic"), expected);
    assert!(stream("structured").contains(&add(r#""Ada","age":36}"#)));
    assert_eq!(stream("length").last(), Some(&Event::Stop(Stop::Length)));
}

#[test]
fn calls_with_and_without_arguments() {
    let expected = [
        start("parallel"),
        used_text(21, 1),
        open_call("toolu_01A", "get_weather"),
        add(r#"{"city":"Oslo"}"#),
        Event::Close,
        open_call("toolu_01B", "get_time"),
        add("{}"),
        Event::Close,
        used_text(21, 55),
        Event::Stop(Stop::ToolCalls),
    ];
    assert_eq!(stream("parallel-tools"), expected);
    let pieces: Vec<_> = stream("tools")
        .into_iter()
        .filter(|event| matches!(event, Event::Add(_)))
        .collect();
    let expected = ["I will look.", r#"{"city": "Os"#, r#"lo", "unit": "celsius"}"#];
    assert_eq!(pieces, expected.map(add));
}

#[test]
fn thinking_open_and_sealed() {
    let sign = |maker, text: &str| {
        Event::Sign(Signature {
            maker,
            text: text.into(),
        })
    };
    let expected = [
        start("reasoning"),
        used_text(21, 1),
        Event::Open(Opening::Thinking),
        add("Below zero "),
        add("means a coat."),
        sign(Maker::Anthropic, "EqQBCgIYAhIM1gbcDa9GJwZA2b3h=="),
        Event::Close,
        Event::Open(Opening::Thinking),
        sign(Maker::AnthropicRedacted, "EmwKAhgBEgy3va3pzix"),
        Event::Close,
        Event::Open(Opening::Text),
        add("Yes, take one."),
        Event::Close,
        used(&[
            (UsageUnit::InputUncached, 21),
            (UsageUnit::OutputText, 12),
            (UsageUnit::OutputReasoning, 48),
        ]),
        Event::Stop(Stop::End),
    ];
    assert_eq!(stream("reasoning"), expected);
}

#[test]
fn usage_is_replaced_and_never_summed() {
    let events = stream("cached");

    let last = events.iter().rev().find_map(|event| match event {
        Event::Usage(usage) => Some(*usage),
        _ => None,
    });
    let expected = usage(&[
        (UsageUnit::InputUncached, 5),
        (UsageUnit::InputCacheRead, 2000),
        (UsageUnit::InputCacheWrite5m, 100),
        (UsageUnit::InputCacheWrite1h, 200),
        (UsageUnit::OutputText, 7),
    ]);
    assert_eq!(last, expected);
    assert_eq!(events.last(), Some(&Event::Stop(Stop::Sequence(Some("###".into())))));
}

#[test]
fn a_refusal_is_explained() {
    let events = stream("refusal");

    let tail = &events[events.len() - 5..];
    let expected = [
        used_text(21, 4),
        Event::Open(Opening::Refusal),
        add("This could help to make something harmful."),
        Event::Close,
        Event::Stop(Stop::Refused),
    ];
    assert_eq!(tail, expected);
}

#[test]
fn streams_that_break_off_have_failed() {
    let failure = |name: &str| match stream(name).pop() {
        Some(Event::Failed(failure)) => failure,
        other => panic!("a failure, not {other:?}"),
    };

    let told = failure("error-midstream");
    assert_eq!((told.kind, &*told.message), (FailureKind::Overloaded, "Overloaded"));
    assert_eq!(failure("stall").kind, FailureKind::Malformed);
    assert_eq!(failure("cut").kind, FailureKind::Malformed);
}

#[test]
fn either_a_reason_or_the_last_event_ends_a_stream() {
    let whole = fixture(STREAMS, "length");

    let without_end = whole.replace("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", "");
    assert_ne!(without_end, whole);
    assert_eq!(decode(without_end.as_bytes()).last(), Some(&Event::Stop(Stop::Length)));
    let without_reason = whole.replace("\"max_tokens\"", "null");
    assert_eq!(decode(without_reason.as_bytes()).last(), Some(&Event::Stop(Stop::End)));
}

#[test]
fn blocks_of_anthropics_own_tools_are_passed_over() {
    let bytes = b"data: {\"type\":\"message_start\",\"message\":{}}\n\n\
        data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"server_tool_use\",\"id\":\"a\",\"name\":\"web_search\",\"input\":{}}}\n\n\
        data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{}\"}}\n\n\
        data: {\"type\":\"content_block_stop\",\"index\":0}\n\n\
        data: {\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n\
        data: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"citations_delta\",\"citation\":{\"text\":\"x\"}}}\n\n\
        data: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"text_delta\",\"text\":\"Found.\"}}\n\n\
        data: {\"type\":\"message_stop\"}\n\n";

    let expected = [
        Event::Start { id: None, model: None },
        Event::Open(Opening::Text),
        add("Found."),
        Event::Close,
        Event::Stop(Stop::End),
    ];
    assert_eq!(decode(bytes), expected);
}

#[test]
fn arguments_at_the_beginning_of_a_call_count_when_none_follow() {
    let bytes = b"data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"tool_use\",\"id\":\"a\",\"name\":\"look\",\"input\":{\"x\":1}}}\n\n\
        data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"}}\n\n";

    assert!(decode(bytes).contains(&add(r#"{"x":1}"#)));
}

#[test]
fn a_stream_is_read_as_it_was_written() {
    for (name, _) in STREAMS {
        let mut events = stream(name);
        if matches!(events.last(), Some(Event::Failed(_))) {
            continue;
        }

        let again = decode(encode(&events).as_bytes());

        // Anthropic has no blocks for refusals; callers see their text.
        for event in &mut events {
            if *event == Event::Open(Opening::Refusal) {
                *event = Event::Open(Opening::Text);
            }
        }
        let order = |events: Vec<Event>| {
            let (usage, others): (Vec<_>, Vec<_>) =
                events.into_iter().partition(|event| matches!(event, Event::Usage(_)));
            (usage, others)
        };
        assert_eq!(order(again), order(events), "{name}");
    }
}

#[test]
fn an_encoded_stream_is_as_sdks_insist() {
    let events = [
        Event::Start {
            id: None,
            model: Some("gpt-5".into()),
        },
        Event::Open(Opening::Thinking),
        Event::Close,
        Event::Open(Opening::Text),
        add("Hi"),
        Event::Close,
        open_call("call_1", "look"),
        add("{}"),
        Event::Close,
        Event::Stop(Stop::ToolCalls),
        used_text(3, 2),
    ];

    let expected = r#"event: message_start
data: {"type":"message_start","message":{"id":"msg_req_1","type":"message","role":"assistant","model":"gpt-5","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":0}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"call_1","name":"look","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":3,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":2}}

event: message_stop
data: {"type":"message_stop"}

"#;
    assert_eq!(encode(&events), expected);
}

#[test]
fn a_failure_is_an_error_event_wherever_the_stream_stands() {
    let error = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"the provider is overloaded\",\"details\":{\"error_code\":\"upstream_overloaded\"}},\"request_id\":\"req_1\"}\n\n";

    assert_eq!(fail(&[]), error);
    let begun = fail(&[
        Event::Start { id: None, model: None },
        Event::Open(Opening::Text),
        add("Hi"),
    ]);
    assert!(begun.starts_with("event: message_start\n"));
    assert!(begun.ends_with(&format!("\n\n{error}")));
}

#[test]
fn a_passing_stream_is_understood() {
    for &(name, text) in STREAMS {
        let (looked, told) = watch(text);
        let all = looked.iter().fold(Looked::default(), |all, one| Looked {
            content: all.content || one.content,
            finish: all.finish || one.finish,
            refused: all.refused || one.refused,
            done: all.done || one.done,
            failed: all.failed.or_else(|| one.failed.clone()),
        });
        let whole = !matches!(name, "error-midstream" | "stall" | "cut");
        assert_eq!((all.content, all.finish, all.done), (true, whole, whole), "{name}");
        let kind = all.failed.map(|failure| failure.kind);
        assert_eq!(
            kind,
            (name == "error-midstream").then_some(FailureKind::Overloaded),
            "{name}"
        );
        let last = stream(name).into_iter().rev().find_map(|event| match event {
            Event::Usage(usage) => Some(usage),
            _ => None,
        });
        assert_eq!(told, last, "{name}");
    }
}

#[test]
fn content_is_told_from_ceremony() {
    let content = |data: &str| Anthropic.watcher().look(data.as_bytes()).content;

    assert!(!content(r#"{"type":"message_start","message":{"content":[]}}"#));
    assert!(!content(
        r#"{"type":"content_block_start","content_block":{"type":"text","text":""}}"#
    ));
    assert!(!content(
        r#"{"type":"content_block_delta","delta":{"type":"text_delta","text":""}}"#
    ));
    assert!(!content(r#"{"type":"ping"}"#));
    assert!(content(
        r#"{"type":"content_block_start","content_block":{"type":"tool_use","input":{}}}"#
    ));
    assert!(content(
        r#"{"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"a"}}"#
    ));
    let failed = Anthropic.watcher().look(b"[DONE]").failed;
    assert_eq!(failed.map(|failure| failure.kind), Some(FailureKind::Malformed));
}

fn watch(text: &str) -> (Vec<Looked>, Option<Tokens>) {
    let mut watcher = Anthropic.watcher();
    let events = text.split_inclusive("\n\n").filter(|event| event.ends_with("\n\n"));
    let data = events.filter_map(|event| event.lines().find_map(|line| line.strip_prefix("data: ")));
    let looked = data.map(|data| watcher.look(data.as_bytes())).collect();
    (looked, watcher.facts().usage)
}
